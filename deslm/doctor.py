"""`deslm doctor`: can the main job run here, and if not, which one command mends it.

`diagnose` judges a `Machine` and is pure; `run` looks at this machine, prints one line a finding with what to do below
it, and exits with 0 if `deslm demo` can run, else 1.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from deslm import __version__
from deslm.machine import DATASETS_ONLY, MAIN_JOB, OUR_PACKAGES, Machine, inspect_machine

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 7, 0)  # write-ahead logging
FREE_BYTES_NEEDED = 1 << 30  # checkpoints, bundles and ledger of a demo, with room to spare
MEMORY_BYTES_NEEDED = 3 << 30  # five training processes, two at a time

_MARKS = {"ok": "ok  ", "warn": "note", "fail": "FAIL"}


class Finding(NamedTuple):
    """One thing looked at."""

    name: str
    level: Literal["ok", "warn", "fail"]  # fail: the main job cannot run; warn: it can, something else cannot
    detail: str
    remedy: str = ""  # what to do, one line; empty when ok


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `deslm doctor`."""
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are written (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 0 if the main job can run here, else 1."""
    findings = diagnose(inspect_machine(args.runs))
    print(render(findings))
    return int(any(finding.level == "fail" for finding in findings))


def diagnose(machine: Machine) -> list[Finding]:
    """Return what is there, what is missing and what to do, in the order of reading."""
    return [
        *_judge_python(machine),
        *_judge_packages(machine),
        *_judge_names(machine),
        *_judge_devices(machine),
        *_judge_disk(machine),
    ]


def render(findings: Iterable[Finding]) -> str:
    """Return the findings as text: one line each, its remedy below it, a verdict at the end."""
    findings = list(findings)
    width = max(len(finding.name) for finding in findings)
    lines = [f"DeSLM {__version__}"]
    for finding in findings:
        lines.append(f"{_MARKS[finding.level]}  {finding.name:{width}}  {finding.detail}")
        if finding.remedy:
            lines.append(f"{'':6}{'':{width}}  -> {finding.remedy}")
    failed = [finding.name for finding in findings if finding.level == "fail"]
    lines.append(f"Not ready: mend {', '.join(failed)}." if failed else "Ready: `deslm demo` can run.")
    return "\n".join(lines)


def _judge_python(machine: Machine) -> Iterator[Finding]:
    version = ".".join(map(str, machine.python))
    detail = f"{version} at {machine.executable}, {machine.platform}"
    if machine.python[:2] < OLDEST_PYTHON:
        yield Finding("python", "fail", detail, "install Python 3.11 or newer, then: make PYTHON=python3.11 setup")
    else:
        yield Finding("python", "ok", detail)
    sqlite = ".".join(map(str, machine.sqlite))
    if machine.sqlite < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        yield Finding("sqlite", "fail", sqlite, f"the ledger needs SQLite {needed}; use a newer build of Python")
    else:
        yield Finding("sqlite", "ok", sqlite)


def _judge_packages(machine: Machine) -> Iterator[Finding]:
    ranges = dict(_split_requirement(line) for line in machine.requirements)
    for name in MAIN_JOB + DATASETS_ONLY:
        version, allowed = machine.versions[name], ranges.get(name, "")
        if version is None:
            yield _missing_package(machine, name)
        elif not _is_within(version, allowed):
            remedy = _repair(machine, name + allowed)
            yield Finding(name, "warn", f"{version}, untested: wants {allowed}", remedy)
        else:
            yield Finding(name, "ok", version)
    if not machine.requirements:
        detail = f"running from {machine.home} without being installed, so no version range was checked"
        yield Finding("deslm-jax", "warn", detail, f"run: python -m pip install -e {machine.home}")


def _missing_package(machine: Machine, name: str) -> Finding:
    if name in DATASETS_ONLY:
        return Finding(name, "warn", "missing; only TFDS data sources need it", _repair(machine, name))
    return Finding(name, "fail", "missing", _repair(machine, name))


def _repair(machine: Machine, requirement: str) -> str:
    """Return the one command that installs a package; a checkout has its own, which also works without pip."""
    if (machine.home / "Makefile").exists():
        return f"run: make -B -C {machine.home} setup"
    return f"run: {machine.executable} -m pip install '{requirement}'"


def _judge_names(machine: Machine) -> Iterator[Finding]:
    """`train` and `consensus` are common names: another project's module may be found first."""
    strangers = [name for name in OUR_PACKAGES if machine.origins[name] != machine.home / name / "__init__.py"]
    for name in strangers:
        found = machine.origins[name] or "nothing"
        remedy = f"rename or leave that file's folder, or uninstall its package; ours is in {machine.home}"
        yield Finding(f"import {name}", "fail", f"finds {found}", remedy)
    if not strangers:
        yield Finding("imports", "ok", f"{', '.join(OUR_PACKAGES)} are ours, in {machine.home}")


def _judge_devices(machine: Machine) -> Iterator[Finding]:
    memory = "unknown memory" if machine.memory_bytes is None else f"{_gib(machine.memory_bytes)} of memory"
    detail = f"{machine.cores} CPU cores, {memory}"
    if machine.memory_bytes is not None and machine.memory_bytes < MEMORY_BYTES_NEEDED:
        remedy = f"the demo wants {_gib(MEMORY_BYTES_NEEDED)}; close other programs first"
        yield Finding("machine", "warn", detail, remedy)
    else:
        yield Finding("machine", "ok", detail)
    if machine.devices_error:
        yield Finding("devices", "fail", machine.devices_error, _repair(machine, "jax"))
    elif machine.nvidia and all(device.startswith("cpu") for device in machine.devices):
        remedy = f"to use the GPU run: {machine.executable} -m pip install 'jax[cuda12]'"
        yield Finding("devices", "warn", "an NVIDIA GPU is here, but this jax sees only the CPU", remedy)
    else:
        counts = Counter(machine.devices)
        yield Finding("devices", "ok", ", ".join(f"{count} x {name}" for name, count in counts.items()))


def _judge_disk(machine: Machine) -> Iterator[Finding]:
    where = machine.runs.absolute()
    if machine.runs_error:
        yield Finding("disk", "fail", f"cannot write {where}: {machine.runs_error}", "name another folder with --runs")
    elif machine.free_bytes < FREE_BYTES_NEEDED:
        remedy = f"free some space: a run wants {_gib(FREE_BYTES_NEEDED)}"
        yield Finding("disk", "fail", f"{_gib(machine.free_bytes)} free for {where}", remedy)
    else:
        yield Finding("disk", "ok", f"{_gib(machine.free_bytes)} free for {where}, which can be written")


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"


def _split_requirement(line: str) -> tuple[str, str]:
    """Return ("jax", "<0.13,>=0.10.2") for "jax<0.13,>=0.10.2"."""
    start = next((index for index, letter in enumerate(line) if letter in "<>=!~ "), len(line))
    return line[:start], line[start:].strip()


def _is_within(version: str, allowed: str) -> bool:
    """Whether a version lies in a range made of >= and <, the only two that setup.cfg uses."""
    for bound in filter(None, allowed.split(",")):
        edge = _numbers(bound.lstrip("<>="))
        if bound.startswith(">=") and _numbers(version) < edge:
            return False
        if bound.startswith("<") and _numbers(version) >= edge:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: "0.12.0.1rc2" -> (0, 12, 0, 1)."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
