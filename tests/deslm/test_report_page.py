"""What a browser would otherwise be needed for: the script reads fields that exist, and every colour can be read."""

import importlib.resources
import re

import pytest

from deslm.report import data as records

PARTS = importlib.resources.files("deslm.report")
EXTRA = {"Round": {"status", "rules"}}
READ_AS = {
    "round": "Round",
    "seat": "GeneratorSeat DiscriminatorSeat",
    "verdict": "Verdict",
    "candidate": "Candidate",
    "payment": "Payment",
    "curve": "Curve",
    "score": "Score",
    "reliability": "Reliability",
}


@pytest.mark.parametrize(("variable", "types"), READ_AS.items())
def test_script_reads_only_fields_that_exist(variable, types):
    fields = {field for name in types.split() for field in getattr(records, name)._fields}
    fields |= {field for name in types.split() for field in EXTRA.get(name, ())}
    script = "".join(file.read_text() for file in PARTS.iterdir() if file.name.endswith(".js"))
    read = set(re.findall(rf"\b{variable}\.(\w+)", script))
    assert read
    assert read <= fields


def test_script_reads_only_fields_of_a_node_that_exist():
    read = set(re.findall(r"\bnode\.(\w+)", (PARTS / "nodes.js").read_text()))
    assert read
    assert read <= set(records.Node._fields)


def themes() -> list[dict[str, str]]:
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", (PARTS / "style.css").read_text())
    return [colours for block in blocks if (colours := dict(re.findall(r"--([\w-]+): (#\w{6})", block)))]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_and_lines_stand_out_in_light_and_dark():
    assert len(themes()) == 3
    for colours in themes():
        for ground in ("paper", "card", "tint", "bad-tint"):
            for text in ("ink", "soft", "bad", "net"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
            for line in ("net", "node", "major", "other", "bad"):
                assert contrast(colours[line], colours[ground]) >= 3, (line, ground)


def test_chosen_dark_is_the_systems_dark():
    light, by_system, by_choice = themes()
    assert by_system == by_choice
    assert set(light) == set(by_choice)
    assert light != by_choice


def test_every_way_to_decide_has_its_own_dash_and_marker():
    kinds = re.search(r"const KINDS = \{(.*?)\n\};", (PARTS / "charts.js").read_text(), re.S)[1]
    styles = re.findall(r'(\w+): \{ colour: "(.*?)", marker: "(\w+)", dash: (.*?) \}', kinds)
    assert {kind for kind, *_ in styles} == set(records.Score.__annotations__["kind"].__args__)
    for column in (1, 2, 3):
        assert len({style[column] for style in styles}) == len(styles)
