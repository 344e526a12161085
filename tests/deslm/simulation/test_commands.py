"""`deslm simulate` and `deslm sweep` from the command line, on NumPy: what they print, write and refuse."""

import csv
import json
from pathlib import Path

import pytest

from deslm.cli import main

SCENARIO = """
name = "tiny"
rounds = 5
seeds = 2
[network]
tasks = 2
lag = 2
[[groups]]
name = "honest"
nodes = 6
role = "both"
[[groups]]
name = "liar"
nodes = 1
role = "generator"
policy = "inflator"
[vary]
"law.theta0_q16" = [0.7, 0.9]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(SCENARIO)
    return path


def test_a_network_is_simulated_and_its_runs_are_written(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    command = ["simulate", str(scenario), "--parallel", "numpy", "--out", str(out), "--set", "network.load=0.5"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "coverage" in printed
    assert "liar" in printed
    written = json.loads((out / "results.json").read_text())
    assert written["scenario"]["network"]["load"] == 0.5
    assert [run["seed"] for run in written["runs"]] == [0, 1]
    assert all(run["supply_error_micro"] == 0 for run in written["runs"])
    with open(out / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["gain.liar"]) == written["runs"][1]["gain.liar"]


def test_a_sweep_is_played_and_taken_up_again(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out"
    command = ["sweep", str(scenario), "--parallel", "numpy", "--out", str(out)]
    assert main(command) == 0
    first = (out / "results.json").read_text()
    runs = json.loads(first)["runs"]
    assert [(run["law.theta0_q16"], run["seed"]) for run in runs] == [(0.7, 0), (0.7, 1), (0.9, 0), (0.9, 1)]
    batches = list((out / "batches").rglob("batch-*.npz"))
    written = [batch.stat().st_mtime_ns for batch in batches]
    assert main(command) == 0
    assert (out / "results.json").read_text() == first
    assert [batch.stat().st_mtime_ns for batch in batches] == written, "finished batches were played again"
    assert main([*command, "--vary", "law.theta0_q16=0.6..0.8", "--design", "latin", "--points", "3"]) == 0
    assert len(json.loads((out / "results.json").read_text())["runs"]) == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["simulate", "nowhere.toml"], "nowhere.toml does not exist"),
        (["simulate", "--set", "law.theta_q16=1"], "did you mean 'theta0_q16'"),
        (["simulate", "--set", "law.theta0_q16"], "write PATH=VALUE"),
        (["simulate", "--set", "groups.generators.nodes=0", "--seeds", "0"], "seeds above 0"),
        (["simulate", "--set", "law.emission_rate_q32=5000"], "below 2^12"),
        (["simulate", "--memory-mib", "0"], "does not fit into 0 MiB"),
        (["sweep", "--vary", "law.theta0_q16"], "write PATH=value"),
        (["sweep", "--vary", "network.lag=2,3"], "changes the sizes"),
        (["sweep", "--vary", "network.load=0.9..0.1"], "low must be below high"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence_and_nothing_is_written(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("deslm: ")
    assert sentence in said
    assert "\n" not in said
    assert list(tmp_path.rglob("*")) == []
