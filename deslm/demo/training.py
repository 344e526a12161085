"""The demo's models: one process a model, one thread each, as many side by side as there are cores.

A finished model is a bundle and is never trained again; an interrupted one goes on from its last checkpoint.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from consensus.files import write_text
from train.environment import trainer_environment
from train.recipes import RECIPES, GeneratorRecipe
from train.runs import RunFolder

from ..errors import UserError
from .setting import Setting

_POLL_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_TAIL_BYTES = 4096  # of a metrics file, more than its last line
_SAVE_SECONDS = 60  # how long an interrupted trainer may take to save


class Trained(NamedTuple):
    """The models of a run."""

    generators: list[str]  # bundle names
    discriminators: list[str]
    cpu_seconds: float  # of all processes that trained them, start-up, compilation and calibration included


class Job(NamedTuple):
    """One model to train."""

    name: str
    command: list[str]
    folder: Path
    steps: int


def ensure_models(setting: Setting, jobs: int, console: Console) -> Trained:
    """Train what is missing, `jobs` at a time, and return all the run's models.

    Raises UserError with the trainer's own sentence if one cannot finish; what was finished stays.
    """
    generators = [name for name, recipe in RECIPES.items() if isinstance(recipe, GeneratorRecipe)]
    discriminators = [name for name in RECIPES if name not in generators]
    missing = [name for name in RECIPES if not (setting.folder.models / name / "manifest.json").exists()]
    cost = setting.folder.models / "cost.json"
    if missing:
        setting.folder.models.mkdir(parents=True, exist_ok=True)
        before = _cpu_seconds_of_children()
        try:
            _run_all(_make_jobs(setting, missing), jobs, console)
        finally:
            spent = _read_cost(cost) + _cpu_seconds_of_children() - before
            write_text(cost, json.dumps({"cpu_seconds": round(spent, 1)}) + "\n")
    else:
        console.print(f"the models in {setting.folder.models} are reused")
    return Trained(generators, discriminators, _read_cost(cost))


def _make_jobs(setting: Setting, names: Sequence[str]) -> list[Job]:
    data = ["--facts", str(setting.facts_path)]
    if setting.templates_path:
        data += ["--templates", str(setting.templates_path)]
    tokenizer = setting.folder.models / "tokenizer.model"
    if not tokenizer.exists():
        _run_quietly([sys.executable, "-m", "train.tokenizer", *data, "--out", str(tokenizer)])
    jobs = []
    for name in names:
        recipe = RECIPES[name]
        trainer = "train.generator" if isinstance(recipe, GeneratorRecipe) else "train.discriminator"
        seed = recipe.seed + 100 * setting.seed
        command = [sys.executable, "-m", trainer, "--recipe", name, "--seed", str(seed), *data]
        command += ["--tokenizer", str(tokenizer), "--out", str(setting.folder.models / name), "--threads", "1"]
        jobs.append(Job(name, command, setting.folder.models / name, recipe.steps))
    return jobs


def _run_all(waiting: list[Job], side_by_side: int, console: Console) -> None:
    """Run the jobs; on any failure or Ctrl-C let the others save, then raise."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f} steps"))
    running: dict[str, tuple[Job, subprocess.Popen, TaskID]] = {}
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars = {job.name: progress.add_task(job.name, total=job.steps) for job in waiting}
        try:
            while waiting or running:
                while waiting and len(running) < side_by_side:
                    job = waiting.pop(0)
                    running[job.name] = (job, _start(job), bars[job.name])
                time.sleep(_POLL_SECONDS)
                for job, process, bar in list(running.values()):
                    progress.update(bar, completed=_steps_done(job))
                    if process.poll() is None:
                        continue
                    del running[job.name]
                    if process.returncode:
                        raise UserError(f"training {job.name} stopped: {_last_line(_log(job))}")
                    progress.update(bar, completed=job.steps)
                    if not console.is_terminal:
                        console.print(_last_line(_log(job)), soft_wrap=True)
        finally:
            for _, process, _ in running.values():
                process.terminate()
            for _, process, _ in running.values():
                try:
                    process.wait(_SAVE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def _start(job: Job) -> subprocess.Popen:
    with open(_log(job), "ab") as log:
        return subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=trainer_environment(),
            preexec_fn=_stop_with_parent if sys.platform == "linux" else None,
        )


def _stop_with_parent() -> None:
    """Have the kernel send this process SIGTERM (save and stop) if the demo is killed, so that none trains unseen."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _run_quietly(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"the tokenizer could not be trained: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def _log(job: Job) -> Path:
    return job.folder.with_suffix(".log")


def _steps_done(job: Job) -> int:
    """The last step in the trainer's metrics, 0 before the first."""
    try:
        with open(RunFolder(job.folder).metrics, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
        return int(json.loads(lines[-1])["step"])
    except (OSError, IndexError, ValueError, KeyError):  # not begun, or in the middle of a line
        return 0


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing; see {path}"


def _cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _read_cost(path: Path) -> float:
    return float(json.loads(path.read_text())["cpu_seconds"]) if path.exists() else 0.0
