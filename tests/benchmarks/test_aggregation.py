"""The comparison of rules prints a row a rule and writes the figures it prints."""

import json

from benchmarks import aggregation
from consensus.aggregation import POOLS, RULES
from consensus.aggregation.comparison import AUDITED, MEASURED, Score


def test_a_sweep_prints_and_writes_every_rule(monkeypatch, tmp_path, capsys):
    asked = []

    def compare(rules, pools, seeds, jit, **size):
        asked.append((tuple(pools), list(seeds), jit, size))
        return [Score(pools[0], rule, 0.5, 0.1, 0.02) for rule in (*rules, "best node")]

    monkeypatch.setattr(aggregation, "compare", compare)
    out = tmp_path / "scores.json"
    aggregation.main(["--sweep", "colluders", "--seeds", "2", "--tasks", "30", "--out", str(out)])
    lines = capsys.readouterr().out.splitlines()
    assert [size["strength"] for *_, size in asked] == list(aggregation.STRENGTHS)
    assert [line.split("|")[1].strip() for line in lines[2:]] == [*RULES, AUDITED, MEASURED, "best node"]
    assert lines[2].count("50.0 ± 2.0") == len(aggregation.STRENGTHS)
    written = json.loads(out.read_text())
    assert written["tasks"] == 30
    assert written["scores"]["0.3"][0] == {
        "pool": "colluders",
        "rule": "majority",
        "accuracy": 0.5,
        "abstained": 0.1,
        "error": 0.02,
    }
    assert POOLS["colluders"].meaning in lines[0]


def test_every_kind_of_pool_is_a_column(monkeypatch, capsys):
    monkeypatch.setattr(aggregation, "compare", lambda rules, pools, *_, **__: [Score(pools[0], "majority", 1.0, 0, 0)])
    aggregation.main(["--seeds", "1"])
    assert capsys.readouterr().out.splitlines()[0] == f"| rule | {' | '.join(POOLS)} |"
