"""`deslm simulate` and `deslm sweep` from the command line, on NumPy: what they print, write and refuse."""

import csv
import json
from pathlib import Path

import pytest

from consensus.simulator import sweep
from deslm.cli import main
from deslm.simulation import play

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
        (
            [
                "sweep",
                "--vary",
                "network.load=0.1..0.9",
                "--design",
                "random",
                "--points",
                "100000",
                "--memory-mib",
                "64",
            ],
            "lower points or seeds",
        ),
        (["simulate", "--set", "law.emission_rate_q32=0", "--set", "network.tip_micro=0"], "a task's pot is empty"),
        (["simulate", "--set", "groups.generators.recipe=-2"], "-1 for all by turns"),
        (["simulate", "--set", "models.verifier_blind=1.5"], "blind_q16_KR is a share"),
        (["simulate", "--set", "models.verifier_trapped=nan"], "within +-10^15"),
        (["simulate", "--set", "models.generator_trapped=true"], "must be a number"),
        (["sweep", "--vary", "models.verifier_blind=0.0..1.5"], "blind_q16_KR is a share"),
        (["simulate", "--set", "law.theta0_q16=nan"], "within +-10^15"),
        (["simulate", "--set", "law.rho_q16_KR=[[0.5, 0.5], [0.5]]"], "numbers of shape (4, 2)"),
        (["simulate", "--set", "network.load=nan"], "within +-10^15"),
        (["simulate", "--set", "network.tip_micro=99999999999999999999999"], "within +-10^15"),
        (["simulate", "--set", "network.later_canary=-0.5"], "-1 for the law's rate"),
        (["simulate", "--set", "network.lag=100000000"], "verdicts in flight"),
        (["simulate", "--set", "network.lead_rounds=-5"], "choose 0 or more"),
        (["simulate", "--set", "groups.generators.nodes=-6"], "has -6 nodes"),
        (["simulate", "--set", "groups.generators.nodes=1000000000"], "choose at most 4194304"),
        (["simulate", "--set", "groups.generators.stake_pots=1e14"], "no more than the supply"),
        (["simulate", "--set", "groups.generators.dials=[1.5]"], "must be a whole number"),
        (["simulate", "--set", "models.verifier_recipes=0"], "choose 1 to 1024"),
        (["simulate", "--set", "models.generator_temperature=-1.0"], "must be within 0 and 64"),
        (["simulate", "--set", "seeds=[1, 1]"], "names a seed twice"),
        (["simulate", "--set", "seeds=true"], "a number of seeds above 0"),
        (["simulate", "--seeds", "1000000000000"], "at most 1000000"),
        (["simulate", "--rounds", "99999999999999999999999"], "choose 0 to 2^31 - 1"),
        (["simulate", "--set", "preset=[1]"], "preset is [1]"),
        (["sweep", "--vary", "rounds=10,20"], "rounds and seeds are the same for all points"),
        (["sweep", "--vary", "seeds=1,2"], "rounds and seeds are the same for all points"),
        (["sweep", "--vary", "law.theta0_q16=a..b"], "low and high must be numbers"),
        (["sweep", "--vary", "network.load=0.1", "--vary", "network.load=0.5"], "names a path twice"),
        (["sweep", "--design", "latin", "--points", "0"], "choose 1 to 100000"),
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


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ('[[kinds]]\nname = "k"\nshare = 0\ncanary_share = 1\n', "one must be above 0"),
        ('[[kinds]]\nname = "k"\nshare = -1\ncanary_share = 1\n', "none may be below 0"),
        ('[[kinds]]\nname = "k"\nshare = 1\ncanary_share = 1\nwrong_answers = 9000000\n', "at most 65536"),
        ('[[kinds]]\nname = "k"\nshare = 1\ncanary_share = 1\n' * 2, "two kinds have the same name"),
        ("\xff", "is not UTF-8 text"),
        (None, "vary is 3: it must be a table"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_with_one_sentence(
    extra: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    text = "vary = 3\n" + SCENARIO.partition("[vary]")[0] if extra is None else SCENARIO + extra
    (tmp_path / "bad.toml").write_bytes(text.encode("latin-1"))
    assert main(["sweep", str(tmp_path / "bad.toml"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert "\n" not in said
    assert not (tmp_path / "out").exists()


def test_ctrl_c_in_the_middle_of_a_sweep_loses_nothing(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The same command goes on; the files are those of a sweep that nobody stopped."""
    monkeypatch.setattr(play, "SMALL_BATCH", 1)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    command = ["sweep", str(scenario), "--parallel", "numpy", "--out"]
    assert main([*command, str(whole)]) == 0
    run_batch, played = sweep.run_batch, []

    def stop_at_the_third(*arguments: object) -> object:
        played.append(arguments)
        if len(played) == 3:
            raise KeyboardInterrupt
        return run_batch(*arguments)

    monkeypatch.setattr(sweep, "run_batch", stop_at_the_third)
    capsys.readouterr()
    assert main([*command, str(stopped)]) == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert sorted(path.name for path in stopped.iterdir()) == ["batches"]
    assert main([*command, str(stopped)]) == 0
    assert len(played) == 5, "a finished batch was played again"
    for name in ("results.json", "results.csv", "report.html"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "plan"])
def test_a_damaged_batch_is_played_again_and_a_damaged_plan_is_named(
    damage: str, scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    command = ["sweep", str(scenario), "--parallel", "numpy", "--out", str(out)]
    assert main(command) == 0
    first = (out / "results.json").read_bytes()
    (batch,) = out.rglob("batch-*.npz")
    whole = batch.read_bytes()
    if damage == "plan":
        (batch.parent / "sweep.json").write_text("{}")
        assert main(command) == 2
        assert "is damaged: delete it" in capsys.readouterr().err
        assert batch.read_bytes() == whole
        return
    middle = len(whole) // 2
    harmed = {
        "empty": b"",
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
    }
    batch.write_bytes(harmed[damage])
    assert main(command) == 0
    assert (out / "results.json").read_bytes() == first


def test_a_file_where_the_folder_should_be_is_left_alone(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "out").write_text("mine")
    for command in ("simulate", "sweep"):
        assert main([command, str(scenario), "--parallel", "numpy", "--out", str(tmp_path / "out")]) == 2
        assert "has a file where a folder was expected" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_every_setting_is_measured_in_pots_of_its_own(scenario: Path, tmp_path: Path) -> None:
    """A tip that varies changes the pot; the stake of a node is 600 of them in every setting."""
    out = tmp_path / "out"
    command = ["sweep", str(scenario), "--parallel", "numpy", "--out", str(out), "--vary"]
    assert main([*command, "network.tip_micro=1000000,5000000", "--seeds", "1"]) == 0
    document = json.loads((out / "results.json").read_text())
    together, pots = document["runs"], [one["pot_micro"] for one in document["settings"]]
    assert [one["network.tip_micro"] for one in document["settings"]] == [1_000_000, 5_000_000]
    assert pots[1] - pots[0] == 4_000_000
    assert main([*command, "network.tip_micro=5000000", "--seeds", "1"]) == 0
    alone = json.loads((out / "results.json").read_text())["runs"]
    assert together[1] == alone[0]
