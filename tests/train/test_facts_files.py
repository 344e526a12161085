"""A user's own facts and templates: what is read, and what is refused with file, line and advice."""

from pathlib import Path

import pytest

from train.facts import GENERIC_TEMPLATES, Fact, load_facts, load_templates, split_templates

HEADER = "subject\trelation\tobject\n"
SIX = "".join(f"height\tWording {i} about {{subject}}?\n" for i in range(6))


def write(folder: Path, text: str | bytes, name: str = "mine.tsv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "Eiffel Tower\theight\t330 m\n",
        "\ufeff" + HEADER + "Eiffel Tower\theight\t330 m",
        HEADER.replace("\n", "\r\n") + "Eiffel Tower\theight\t330 m\r\n",
        HEADER + "\n  Eiffel Tower\t height \t330 m \n\n",
        HEADER + "Eiffel Tower\theight\t330 m\nEiffel Tower\theight\t330 m\n",
        "source\tobject\tsubject\trelation\nbook\t330 m\tEiffel Tower\theight\n",
        "subject\trelation\tobject\tsource\nEiffel Tower\theight\t330 m\n",
        '{"subject": "Eiffel Tower", "relation": "height", "object": "330 m", "source": 7}\n',
        '\ufeff\n{"object": "330 m", "subject": " Eiffel\\nTower", "relation": "height"}\r\n',
    ],
)
def test_every_accepted_form_gives_the_same_fact(tmp_path: Path, text: str) -> None:
    assert load_facts(write(tmp_path, text)) == (Fact("Eiffel Tower", "height", "330 m"),)


def test_numbers_in_jsonl_become_text(tmp_path: Path) -> None:
    assert load_facts(write(tmp_path, '{"subject": "iron", "relation": "n", "object": 26}'))[0].object == "26"


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("Peru\tcapital\tLima\n", "line 1", "begin the file with"),
        ("", "line 1", "begin the file with"),
        (HEADER.replace("object", "answer"), "line 1", "'object' once"),
        (HEADER.replace("relation", "subject"), "line 1", "'subject' once"),
        (HEADER, "mine.tsv", "no line of data"),
        (HEADER + "Peru\tcapital\tLima\nChile\tcapital\n", "line 3", "2 fields where the header has 3"),
        (HEADER + "Peru capital Lima\n", "line 2", "single tabs"),
        (HEADER + "Peru\t\tcapital\tLima\n", "line 2", "4 fields"),
        (HEADER + "\nPeru\t \tLima\n", "line 3", "the relation is empty"),
        (HEADER + "Peru\tcapital\t\n", "line 2", "the object is empty"),
        (HEADER + "Pe\x00ru\tcapital\tLima\n", "line 2", "the subject holds a control character"),
        (HEADER + "A\tr\tB\nC\tr\tD\nA\tr\tE\n", "line 4", "'E' here and 'B' in line 2"),
        (HEADER.encode() + b"Per\xfa\tcapital\tLima\n", "line 2", "not UTF-8"),
        ('{"subject": "Peru"}\n', "line 1", "'relation' is missing"),
        ('{"subject": "a", "relation": "r", "object": "b"}\n{"subject": \n', "line 2", "not JSON"),
        ('{"subject": "a", "relation": "r", "object": "b"}\n["a"]\n', "line 2", "not an object"),
        ('{"subject": "a", "relation": "r", "object": null}\n', "line 1", "'object' is missing"),
        ('{"subject": "a", "relation": "r", "object": "\\ud800"}\n', "line 1", "not JSON text"),
        ('{"subject": "a", "relation": "r", "object": " "}\n', "line 1", "the object is empty"),
        ('{"subject":' + "[" * 100_000, "line 1", "not JSON"),
    ],
)
def test_malformed_facts_name_the_line_and_the_remedy(
    tmp_path: Path, text: str | bytes, place: str, advice: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=r"mine\.tsv") as refusal:
        load_facts(path)
    assert place in str(refusal.value) and advice in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere.tsv: cannot be read .* give the path"):
        load_facts(tmp_path / "nowhere.tsv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SIX + "height\tHow high is it?\n", "line 8: a template needs {subject} once"),
        (SIX + "height\t{subject} and {subject}?\n", "line 8: a template needs"),
        (SIX + "height\t{subject}, {relation}?\n", "line 8: a template needs"),
        (SIX + "height\t{subject!r}?\n", "line 8: a template needs"),
        (SIX + "height\tWording 3 about {subject}?\n", "line 8: this template of 'height' is there already"),
        (SIX + "colour\tWhat colour is {subject}?\n", "'colour' has 1 templates; write at least 6"),
        (SIX + "height\n", "line 8: 1 fields"),
    ],
)
def test_malformed_templates_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"mine\.tsv") as refusal:
        load_templates(write(tmp_path, "relation\ttemplate\n" + text))
    assert message in str(refusal.value)


def test_relations_without_wordings_get_the_generic_ones(tmp_path: Path) -> None:
    own = load_templates(write(tmp_path, "relation\ttemplate\n" + SIX), relations=["boiling point", "height"])
    assert list(own) == ["boiling point", "height"]
    assert own["height"][0] == "Wording 0 about {subject}?"
    assert own["boiling point"][0] == "What is the boiling point of {subject}?"
    assert len(own["boiling point"]) == len(GENERIC_TEMPLATES) >= 12
    assert [len(part["boiling point"]) for part in split_templates(own)] == [len(GENERIC_TEMPLATES) - 3, 1, 2]


def test_bundled_wordings_serve_a_user_relation_of_the_same_name() -> None:
    assert load_templates(relations=["capital"])["capital"] == load_templates()["capital"]
    with pytest.raises(ValueError, match="braces"):
        load_templates(relations=["a{b}"])
