"""What this machine has: versions, packages, devices, disk; looked at once, so that the doctor judges plain data."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# Distributions the demo needs at run time; the rest of setup.cfg's requirements serve one optional data source.
MAIN_JOB = (
    "jax",
    "flax",
    "optax",
    "orbax-checkpoint",
    "sentencepiece",
    "chex",
    "numpy",
    "cryptography",
    "msgspec",
    "rich",
)
DATASETS_ONLY = ("tensorflow-datasets", "importlib_resources")
OUR_PACKAGES = ("deslm", "deslm_jax", "train", "consensus")

# jax is asked in a process of its own: a wheel for another processor ends in a signal, a busy TPU in a long wait.
_ASK_JAX = "import jax, json; print(json.dumps([[d.platform, d.device_kind] for d in jax.devices()]))"
_ASK_JAX_SECONDS = 120


class Machine(NamedTuple):
    """Facts, without judgement."""

    python: tuple[int, int, int]
    executable: str
    platform: str
    cores: int
    memory_bytes: int | None  # None where the system does not say
    sqlite: tuple[int, int, int]
    requirements: tuple[str, ...]  # as the metadata states them, e.g. "jax<0.13,>=0.10.2"; empty: not installed
    versions: Mapping[str, str | None]  # distribution -> version; None: missing
    home: Path  # the folder that holds the running deslm package
    origins: Mapping[str, Path | None]  # our import names -> the file Python would import; None: not found
    devices: tuple[str, ...]  # platform and kind, e.g. "gpu NVIDIA H100"
    devices_error: str  # why jax could not say; empty: it could
    nvidia: bool  # an NVIDIA driver is loaded
    runs: Path  # where runs are written
    free_bytes: int  # on the disk of `runs`
    runs_error: str  # why nothing can be written there; empty: it can


def inspect_machine(runs: Path) -> Machine:
    """Return the facts about this machine; starts jax once (about 2 s) and writes one empty file below `runs`."""
    devices, devices_error = _ask_jax()
    parent = _existing_parent(runs)
    return Machine(
        python=sys.version_info[:3],
        executable=sys.executable,
        platform=platform.platform(terse=True),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=_memory_bytes(),
        sqlite=sqlite3.sqlite_version_info,
        requirements=_our_requirements(),
        versions={name: _version(name) for name in MAIN_JOB + DATASETS_ONLY},
        home=Path(__file__).resolve().parent.parent,
        origins={name: _origin(name) for name in OUR_PACKAGES},
        devices=devices,
        devices_error=devices_error,
        nvidia=Path("/proc/driver/nvidia/version").exists(),
        runs=runs,
        free_bytes=shutil.disk_usage(parent).free,
        runs_error=_why_not_writable(parent),
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _our_requirements() -> tuple[str, ...]:
    try:
        stated = importlib.metadata.requires("deslm-jax") or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(line for line in stated if ";" not in line)


def _origin(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _ask_jax() -> tuple[tuple[str, ...], str]:
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK_JAX], capture_output=True, text=True, timeout=_ASK_JAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return (), f"jax did not answer in {_ASK_JAX_SECONDS} s"
    if answer.returncode < 0:
        return (), f"jax crashed with signal {-answer.returncode}"
    if answer.returncode > 0:
        return (), (answer.stderr.strip().splitlines() or ["jax could not be imported"])[-1]
    found = json.loads(answer.stdout.splitlines()[-1])
    return tuple(platform_ if kind == platform_ else f"{platform_} {kind}" for platform_, kind in found), ""


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _existing_parent(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _why_not_writable(folder: Path) -> str:
    # Writing tells the truth where permission bits do not: root, read-only mounts, quotas.
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
