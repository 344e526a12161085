"""The sweep's page stands alone, shows every setting, and treats names as text."""

import base64
import hashlib
import json
import re

import numpy as np

from consensus.simulator.scenario import make_scenario
from deslm.simulation.play import Table
from deslm.simulation.report import MOST_SETTINGS, build_page, encode

PLAIN = {
    "name": "</script><script>alert(1)</script>",
    "rounds": 4,
    "seeds": 2,
    "groups": [{"name": "<b>", "nodes": 3, "role": "both"}],
}
NAMES = ("coverage", "wrong", "net.<b>")


def make_table(settings: int = 3) -> Table:
    points = [{"law.theta0_q16": 0.6 + i / 10_000, "network.load": 1.0} for i in range(settings)]
    figures_SEF = np.arange(settings * 2 * len(NAMES), dtype=float).reshape(settings, 2, len(NAMES))
    return Table(points, (10**6,) * len(points), (0, 1), NAMES, figures_SEF)


def read_data(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_the_page_needs_nothing_else_and_a_name_is_only_text() -> None:
    page = build_page(PLAIN, make_scenario(PLAIN), make_table())
    assert "alert(1)</script>" not in page
    assert "{{" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    script = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert read_data(page)["shown"] == list(NAMES)


def test_figures_are_mean_spread_and_range_over_the_seeds() -> None:
    data = encode(make_scenario(PLAIN), make_table())
    assert data["axes"] == ["law.theta0_q16", "network.load"]
    assert data["figures"][0][0] == [1.5, 1.5, 0.0, 3.0]
    assert data["figures"][2][1] == [14.5, 1.5, 13.0, 16.0]
    assert len(data["points"]) == 3


def test_a_very_long_sweep_is_cut_and_says_so() -> None:
    table = make_table(MOST_SETTINGS + 1)
    page = build_page(PLAIN, make_scenario(PLAIN), table)
    assert len(read_data(page)["points"]) == MOST_SETTINGS
    assert "results.csv has all" in page
