"""The doctor: every fault is named, comes with what to do, and decides the exit status."""

import argparse
import configparser
import re
from pathlib import Path

import pytest

from deslm import doctor, machine

HOME = Path("/opt/deslm")
WELL = machine.Machine(
    python=(3, 11, 7),
    executable="/opt/venv/bin/python",
    platform="Linux",
    cores=2,
    memory_bytes=8 << 30,
    sqlite=(3, 40, 1),
    requirements=("jax<0.13,>=0.10.2", "numpy>=2.1"),
    versions=dict.fromkeys(machine.MAIN_JOB + machine.DATASETS_ONLY, "0.12") | {"numpy": "2.4.6"},
    home=HOME,
    origins={name: HOME / name / "__init__.py" for name in machine.OUR_PACKAGES},
    devices=("cpu", "cpu"),
    devices_error="",
    nvidia=False,
    runs=Path("/data/runs"),
    free_bytes=20 << 30,
    runs_error="",
)


def run_doctor(monkeypatch, capsys, sick: machine.Machine) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "inspect_machine", lambda runs: sick._replace(runs=runs))
    return doctor.run(argparse.Namespace(runs=Path("runs"))), capsys.readouterr().out


def test_a_well_machine_is_ready(monkeypatch, capsys):
    status, shown = run_doctor(monkeypatch, capsys, WELL)
    assert status == 0
    assert shown.endswith("Ready: `deslm demo` can run.\n")
    assert "FAIL" not in shown
    assert "note" not in shown
    assert "2 x cpu" in shown


@pytest.mark.parametrize(
    ("change", "name", "remedy"),
    [
        ({"python": (3, 10, 2)}, "python", "3.11"),
        ({"sqlite": (3, 6, 23)}, "sqlite", "SQLite"),
        ({"versions": WELL.versions | {"msgspec": None}}, "msgspec", "-m pip install 'msgspec'"),
        ({"versions": WELL.versions | {"jax": None}}, "jax", "-m pip install 'jax'"),
        ({"origins": WELL.origins | {"train": Path("/x/train.py")}}, "import train", str(HOME)),
        ({"origins": WELL.origins | {"consensus": None}}, "import consensus", str(HOME)),
        ({"devices_error": "jax crashed with signal 4"}, "devices", "jax"),
        ({"runs_error": "Read-only file system"}, "disk", "--runs"),
        ({"free_bytes": 1 << 20}, "disk", "free some space"),
    ],
)
def test_a_fault_that_stops_the_main_job(monkeypatch, capsys, change, name, remedy):
    sick = WELL._replace(**change)
    (fault,) = [finding for finding in doctor.diagnose(sick) if finding.level != "ok"]
    assert (fault.name, fault.level) == (name, "fail")
    assert remedy in fault.remedy
    status, shown = run_doctor(monkeypatch, capsys, sick)
    assert status == 1
    assert shown.endswith(f"Not ready: mend {name}.\n")


@pytest.mark.parametrize(
    ("change", "name", "remedy"),
    [
        ({"versions": WELL.versions | {"tensorflow-datasets": None}}, "tensorflow-datasets", "pip install"),
        ({"versions": WELL.versions | {"jax": "0.13.0"}}, "jax", "'jax<0.13,>=0.10.2'"),
        ({"versions": WELL.versions | {"jax": "0.10.1"}}, "jax", "'jax<0.13,>=0.10.2'"),
        ({"requirements": ()}, "deslm-jax", f"-e {HOME}"),
        ({"memory_bytes": 1 << 30}, "machine", "close other programs"),
        ({"nvidia": True}, "devices", "jax[cuda12]"),
    ],
)
def test_a_fault_that_does_not(monkeypatch, capsys, change, name, remedy):
    sick = WELL._replace(**change)
    (fault,) = [finding for finding in doctor.diagnose(sick) if finding.level != "ok"]
    assert (fault.name, fault.level) == (name, "warn")
    assert remedy in fault.remedy
    assert run_doctor(monkeypatch, capsys, sick)[0] == 0


def test_a_gpu_that_jax_sees_needs_no_advice():
    findings = doctor.diagnose(WELL._replace(nvidia=True, devices=("gpu NVIDIA H100",)))
    assert {finding.level for finding in findings} == {"ok"}


@pytest.mark.parametrize(
    ("version", "allowed", "within"),
    [
        ("0.12.0.1", "<0.13,>=0.10.2", True),
        ("0.13", "<0.13,>=0.10.2", False),
        ("0.13.0rc1", "<0.13,>=0.10.2", False),
        ("0.9", ">=0.10.2", False),
        ("44", ">=44", True),
        ("1.0", "", True),
    ],
)
def test_version_ranges(version, allowed, within):
    assert doctor._is_within(version, allowed) is within


def test_looks_for_everything_setup_cfg_requires(repository_root):
    setup = configparser.ConfigParser()
    setup.read(repository_root / "setup.cfg")
    required = setup["options"]["install_requires"].split()
    names = {doctor._split_requirement(line)[0] for line in required}
    assert names == set(machine.MAIN_JOB + machine.DATASETS_ONLY)
    for line in required:
        assert re.fullmatch(r"[\w-]+((>=|<)[\d.]+,?)*", line), f"doctor._is_within does not know the range in {line}"


def test_this_machine_is_inspected(tmp_path):
    found = machine.inspect_machine(tmp_path / "not" / "yet")
    assert found.devices_error == ""
    assert found.devices
    assert found.versions["jax"]
    assert found.origins["train"] == found.home / "train" / "__init__.py"
    assert found.runs_error == ""
    assert list(tmp_path.iterdir()) == []
    assert doctor.diagnose(found)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    assert machine._why_not_writable(tmp_path / "gone") == "No such file or directory"
