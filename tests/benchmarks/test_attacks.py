"""The study writes what it measures, goes on where it stopped, and prints tables; measuring is tested elsewhere."""

import json
from pathlib import Path

import pytest

from benchmarks import attacks
from consensus.simulator.attacks.report import Curve, Reading, Report


def fake(size: object, names: list[str], progress: object) -> dict[str, Report]:
    reading = Reading("profit, pots", -2.0, 0.5, "<", 0.0)
    curve = Curve("profit", "stake", "pots", ((0.1, -2.0, 0.1), (0.3, 2.0, 0.1)))
    return {name: Report((reading,), (curve,), "as expected" if name == "sybil" else "") for name in names}


def study(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["attacks", *arguments])
    attacks.main()


def test_a_study_is_kept_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(attacks, "measure", lambda size, names, tick: (asked.append(names), fake(size, names, tick))[1])
    out = tmp_path / "attacks.json"
    study(monkeypatch, "--only", "sybil,spam", "--out", str(out))
    assert asked == [["sybil"], ["spam"]] * 2
    study(monkeypatch, "--only", "sybil,cartel,spam", "--out", str(out))
    assert asked[4:] == [["cartel"]] * 2, "what was there is not measured again"
    kept = json.loads(out.read_text())
    assert kept["demo"]["cartel"]["readings"][0]["verdict"] == "pass"
    assert kept["sizes"]["reference"] == {"seeds": 8, "rounds": 160}

    capsys.readouterr()
    study(monkeypatch, "--tables", str(out))
    printed = capsys.readouterr().out
    assert "| colluding cartel | profit, pots | < 0 | -2 ± 0.5 **pass** | -2 ± 0.5 **pass** |" in printed
    assert "0.1: -2, 0.3: 2; **0.2**" in printed
    assert "- Sybil split and merge, demo: as expected" in printed

    with pytest.raises(SystemExit):
        study(monkeypatch, "--only", "sybil", "--seeds", "3", "--out", str(out))
    assert "name another file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        study(monkeypatch, "--only", "sybl")
    assert "no attack is named sybl" in capsys.readouterr().err


def test_classes_fold_the_respellings_that_they_promise_to() -> None:
    folded = attacks.measure_equality()
    assert folded["choice"] >= 0.6
    assert folded["text"] == pytest.approx(4 / 6)
