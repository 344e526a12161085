"""The report page: one file, no requests, no holes, and what it says is what the data say."""

import base64
import configparser
import hashlib
import importlib.resources
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from deslm.report import build_report

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">{{script}}\u2028<!--\'&amp;'


class Page(HTMLParser):
    """What a browser would see: the elements with their attributes, and the text inside each kind of element."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.texts: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag] = self.texts.get(tag, "") + data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


def data_of(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1])


@pytest.fixture(scope="module")
def html(report_data) -> str:
    return build_report(report_data)


@pytest.fixture(scope="module")
def hostile(report_data) -> str:
    first = report_data.rounds[0]
    judges = tuple(
        seat._replace(verdicts=tuple(verdict._replace(evidence=(HOSTILE,)) for verdict in seat.verdicts))
        for seat in first.discriminators
    )
    first = first._replace(
        question=HOSTILE,
        truth=HOSTILE,
        reason=HOSTILE,
        candidates=tuple(candidate._replace(text=HOSTILE) for candidate in first.candidates),
        discriminators=judges,
        payments=tuple(payment._replace(reason=HOSTILE) for payment in first.payments),
    )
    nodes = (report_data.nodes[0]._replace(model=HOSTILE), *report_data.nodes[1:])
    rounds = (first, *report_data.rounds[1:])
    scores = (*report_data.scores[:-1], report_data.scores[-1]._replace(label=HOSTILE))
    words = {"title": HOSTILE, "command": HOSTILE, "made": HOSTILE, "assumptions": (HOSTILE,) * 3}
    return build_report(report_data._replace(nodes=nodes, rounds=rounds, scores=scores, **words))


def test_asks_for_nothing_outside_itself(html):
    assert set(re.findall(r"https?:[^\s\"'`)]*", html)) == {"http://www.w3.org/2000/svg"}
    for tag, attributes in Page(html).elements:
        assert not {"src", "srcset", "action", "data", "poster"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#"), tag
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|WebSocket|import\(|sendBeacon", html)


def test_policy_allows_this_style_and_this_script_and_nothing_else(html):
    page = Page(html)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    for name, pattern in (("style-src", r"<style>(.*?)</style>"), ("script-src", r"<script>(.*?)</script>")):
        digest = hashlib.sha256(re.search(pattern, html, re.S)[1].encode()).digest()
        assert rules[name] == f"'sha256-{base64.b64encode(digest).decode()}'"
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (
            f"{tag} is not allowed that"
        )


def test_the_script_never_parses_markup():
    parsers = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|DOMParser"
    scripts = [file for file in importlib.resources.files("deslm.report").iterdir() if file.name.endswith(".js")]
    assert scripts
    for file in scripts:
        assert re.findall(parsers, file.read_text()) == [], file.name


def test_hostile_text_stays_text(html, hostile):
    plain, attacked = Page(html), Page(hostile)
    assert [tag for tag, _ in attacked.elements] == [tag for tag, _ in plain.elements]
    assert len(attacked.all("script")) == 2
    assert attacked.all("img") == []
    assert attacked.texts["title"] == HOSTILE
    assert HOSTILE in attacked.texts["footer"]
    assert HOSTILE in attacked.texts["table"]
    data = data_of(hostile)
    assert HOSTILE in data["texts"]
    first = dict(zip(data["schema"]["Round"], data["rounds"][0], strict=True))
    assert (first["question"], first["candidates"][0][0]) == (HOSTILE, HOSTILE)
    raw = re.search(r'id="data">(.*?)</script>', hostile, re.S)[1]
    assert not set("<>&\u2028\u2029") & set(raw)


def test_half_a_surrogate_pair_can_be_written_as_utf8(report_data):
    first = report_data.rounds[0]._replace(question="caf\ud83d")
    assert "caf?" in build_report(report_data._replace(rounds=(first,))).encode("utf-8").decode()


def test_data_come_through(html, report_data):
    data = data_of(html)
    assert len(data["rounds"]) == len(report_data.rounds)
    for row, played in zip(data["rounds"], report_data.rounds, strict=True):
        found = dict(zip(data["schema"]["Round"], row, strict=True))
        assert (found["number"], found["question"], found["accepted"]) == (
            played.number,
            played.question,
            played.accepted,
        )
        assert found["margin"] == pytest.approx(played.margin, rel=1e-5)
        assert found["status"] == played.status
        assert [data["texts"][reason] for _, _, reason in found["payments"]] == [pay.reason for pay in played.payments]
        verdicts = [verdict for seat in found["discriminators"] for verdict in seat[2]]
        evidence = [data["texts"][index] for verdict in verdicts for index in verdict[3]]
        assert evidence == [
            text for seat in played.discriminators for verdict in seat.verdicts for text in verdict.evidence
        ]
    for row, node in zip(data["nodes"], report_data.nodes, strict=True):
        found = dict(zip(data["schema"]["Node"], row, strict=True))
        assert found["stake_after"] - found["stake_before"] == pytest.approx(node.gain, abs=1e-3)


def test_reads_without_a_script(html, report_data):
    page = Page(html)
    network = report_data.scores[0]
    assert page.texts["h1"] == (
        f"The network answered {network.accepted} of {network.asked} questions "
        f"and got {network.wrong_accepted or 'none'} wrong."
    )
    for score in report_data.scores:
        assert score.label in page.texts["table"]
    for node in report_data.nodes:
        assert node.name in page.texts["table"]
    assert "◆ withholder" in page.texts["table"]
    for text in (*report_data.assumptions, report_data.state_hash, report_data.command, "the ledger verifies"):
        assert text in page.texts["footer"]


def test_the_columns_of_the_earnings_add_up(report_data):
    """A gain that no kind explains gets a column of its own."""
    node = report_data.nodes[0]
    assert "Not settled" not in build_report(report_data)
    short = node._replace(earnings=tuple(earning for earning in node.earnings if earning[0] != "fees"))
    page = Page(build_report(report_data._replace(nodes=(short, *report_data.nodes[1:]))))
    assert "Not settled" in page.texts["table"]
    assert "+910.00" in page.texts["table"]


def test_a_replay_that_differs_is_said_loudly(report_sample):
    html = build_report(report_sample.sample_report(taught=3, untaught=0)._replace(replayed_hash="other"))
    assert "do not trust this page" in html
    assert "DIFFERENT" in html


def test_can_be_read_by_machine_and_keyboard(html):
    page = Page(html)
    assert ("html", {"lang": "en"}) in page.elements
    assert [len(page.all("h1")), len(page.all("main")), len(page.all("footer"))] == [1, 1, 1]
    assert all("scope" in header for header in page.all("th"))
    names = {attributes.get("id") for _, attributes in page.elements}
    assert {link["href"][1:] for link in page.all("a")} <= names
    scrolled = [div for div in page.all("div") if div.get("class") == "scroll"]
    assert len(scrolled) == len(page.all("table"))
    assert all(div.get("tabindex") == "0" and div.get("aria-label") for div in scrolled)


def test_many_rounds_stay_light(report_sample):
    data = report_sample.verified(report_sample.sample_report(taught=380, untaught=70))
    assert len(build_report(data).encode()) < 1_500_000


def test_wrong_data_are_refused(report_data):
    with pytest.raises(ValueError, match="exactly one score of kind consensus"):
        build_report(report_data._replace(scores=()))


def test_every_part_of_the_page_is_installed_with_the_package(repository_root):
    setup = configparser.ConfigParser()
    setup.read(repository_root / "setup.cfg")
    patterns = setup["options.package_data"]["deslm.report"].replace(",", " ").split()
    for path in Path(repository_root, "deslm", "report").iterdir():
        assert path.suffix == ".py" or path.is_dir() or any(path.match(pattern) for pattern in patterns), path
