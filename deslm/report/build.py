"""From `ReportData` to one HTML file that needs nothing else.

Style, script and data stand in the page itself. Its content security policy allows exactly those two blocks, by their
hash, and no request of any kind; text from models and questions travels as JSON and is shown through `textContent`, so
an answer that looks like markup stays text.
"""

import base64
import hashlib
import importlib.resources
import json
import re
from typing import Any

from . import data as records
from .check import check_report_data
from .data import ReportData, Round
from .explain import accept_rules
from .markup import tag
from .sections import draw_earnings, draw_foot, draw_headline, draw_scoreboard

_SCRIPTS = ("dom.js", "charts.js", "nodes.js", "round.js", "rounds.js", "page.js")
_SCHEMA = ("Candidate", "GeneratorSeat", "DiscriminatorSeat", "Verdict", "Payment", "Round", "Node", "Score", "Curve")


def build_report(data: ReportData) -> str:
    """Return the page as HTML.

    Raises:
      ValueError: if the data do not fit together (see `check_report_data`).
    """
    check_report_data(data)
    style = _read("style.css")
    script = '"use strict";\n(() => {\n' + "\n".join(_read(name) for name in _SCRIPTS) + "})();\n"
    policy = (
        f"default-src 'none'; style-src '{hash_source(style)}'; script-src '{hash_source(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    parts = {
        "policy": policy,
        "title": tag("title", data.title),
        "style": style,
        "name": tag("span", data.title),
        "headline": draw_headline(data),
        "scoreboard": draw_scoreboard(data),
        "earnings": draw_earnings(data),
        "foot": draw_foot(data),
        "data": encode_json(_encode(data)),
        "script": script,
    }
    # One pass: a question that contains {{script}} is not a placeholder.
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _read("page.html"))
    # Half a surrogate pair, which a model's bytes can decode to, has no UTF-8.
    return page.encode(errors="replace").decode()


def _encode(data: ReportData) -> dict[str, Any]:
    """Return the data for the page's script: records as rows under one schema, repeated texts once, numbers rounded."""
    texts: dict[str, int] = {}
    return {
        "schema": {name: getattr(records, name)._fields for name in _SCHEMA}
        | {"Round": [*Round._fields, "status", "rules"]},
        "scores": data.scores,
        "curves": _shorten(data.curves),
        "reliabilities": _shorten(data.reliabilities),
        "nodes": _shorten(data.nodes, digits=10),  # a small gain on a large stake
        "rounds": [_encode_round(played, texts) for played in data.rounds],
        "texts": list(texts),  # last: filled by the line above
    }


def _encode_round(played: Round, texts: dict[str, int]) -> list[Any]:
    def intern(text: str) -> int:
        return texts.setdefault(text, len(texts))

    row = played._replace(
        discriminators=tuple(
            seat._replace(
                verdicts=tuple(
                    verdict._replace(evidence=tuple(map(intern, verdict.evidence)))  # type: ignore[arg-type]
                    for verdict in seat.verdicts
                )
            )
            for seat in played.discriminators
        ),
        payments=tuple(
            payment._replace(reason=intern(payment.reason))  # type: ignore[arg-type]
            for payment in played.payments
        ),
    )
    rules = [(intern(rule.text), rule.passed, intern(rule.figures)) for rule in accept_rules(played)]
    return [*_shorten(row), played.status, rules]


def _shorten(value: Any, digits: int = 6) -> Any:
    """Six significant digits are more than a screen shows of most things."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, (list, tuple)):
        return [_shorten(item, digits) for item in value]
    return value


def encode_json(value: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element or begin markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def hash_source(text: str) -> str:
    """Return the source expression that lets a content security policy run exactly this inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return (importlib.resources.files(__package__) / name).read_text(encoding="utf-8")
