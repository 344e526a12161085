"""The report of a sweep: one HTML file that needs nothing else, in the look of the demo's report.

Style, script and data stand in the page, and its content security policy allows exactly those; names and values travel
as JSON and are shown as text.
"""

import importlib.resources
import json
import re
from typing import Any

import numpy as np

from consensus.simulator.scenario import Scenario
from deslm.report.build import encode_json, hash_source
from deslm.report.markup import Markup, join, tag
from deslm.simulation.play import Table

MOST_SETTINGS = 2_000  # in the page; the files have all of them
_PACKAGES = {"style.css": "deslm.report", "dom.js": "deslm.report"}


def build_page(plain: dict[str, Any], scenario: Scenario, table: Table) -> str:
    """The page as HTML: a heat map, bands over seeds, a sortable table of all settings with their configurations."""
    style = _read("style.css") + _read("page.css")
    script = '"use strict";\n(() => {\n' + _read("dom.js") + "\n" + _read("page.js") + "})();\n"
    policy = (
        f"default-src 'none'; style-src '{hash_source(style)}'; script-src '{hash_source(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    parts = {
        "policy": policy,
        "title": tag("title", f"Sweep: {scenario.name}"),
        "style": style,
        "name": tag("span", scenario.name),
        "headline": draw_headline(scenario, table),
        "scenario": tag("pre", json.dumps(plain, indent=1, ensure_ascii=False)),
        "data": encode_json(encode(scenario, table)),
        "script": script,
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _read("page.html"))
    return page.encode(errors="replace").decode()


def draw_headline(scenario: Scenario, table: Table) -> Markup:
    """What was played, in two sentences."""
    settings, seeds = len(table.points), len(table.seeds)
    runs = f"{settings} settings" if settings > 1 else "One setting"
    title = f"{runs}, {seeds} seed{'s' if seeds > 1 else ''} each"
    said = (
        f"{scenario.rounds} rounds of a network of {scenario.static.nodes - 1} nodes in {len(scenario.groups)} groups,"
        f" {scenario.static.generator_seats} generator and {scenario.static.discriminator_seats} discriminator seats a"
        " task, played through the law's own rules."
    )
    if settings > MOST_SETTINGS:
        said += f" This page shows the first {MOST_SETTINGS}; results.csv has all."
    return join([tag("h1", title), tag("p", said, class_="lead")])


def encode(scenario: Scenario, table: Table) -> dict[str, Any]:
    """The page's data: for every setting and figure the mean, standard deviation, lowest and highest over the seeds."""
    figures_SEF = table.figures_SEF[:MOST_SETTINGS]
    statistics = (figures_SEF.mean(1), figures_SEF.std(1), figures_SEF.min(1), figures_SEF.max(1))
    shown = ["coverage", "wrong", *(f"net.{group}" for group in scenario.groups)]
    return {
        "rounds": scenario.rounds,
        "seeds": list(table.seeds),
        "axes": list(table.points[0]),
        "points": [list(point.values()) for point in table.points[:MOST_SETTINGS]],
        "names": list(table.names),
        "shown": shown,
        "figures": [[[_short(x) for x in one] for one in row] for row in np.stack(statistics, axis=-1).tolist()],
    }


def _short(value: float) -> float:
    """Five significant digits are more than the page shows."""
    return float(f"{value:.5g}")


def _read(name: str) -> str:
    package = _PACKAGES.get(name, "deslm.simulation")
    return (importlib.resources.files(package) / name).read_text(encoding="utf-8")
