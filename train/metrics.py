"""What a run tells: a line of JSON every few steps, and a progress bar, neither of which ever waits for the device.

The loop hands over metrics of steps that are already done; here they are averaged, written and shown.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class MetricsLog:
    """Appends to a JSONL file: `step`, the mean of each metric since the last line, `cpu_s`, `wall_s`.

    Resuming at a step first drops the lines after it, so that the file reads as one uninterrupted run.
    """

    def __init__(self, path: Path | str | None, resume_step: int = 0):
        """Without a path nothing is written, but the means are still taken."""
        self._file = _resumed_file(Path(path), resume_step) if path else None
        self._sums: dict[str, float] = {}
        self._count = 0
        self._since = (time.process_time(), time.monotonic())

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Takes the metrics of one finished step."""
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        self._count += 1

    def write(self, step: int) -> dict[str, float]:
        """Writes and returns the means since the last line; nothing if no step has finished since."""
        if not self._count:
            return {}
        line: dict[str, float] = {"step": step}
        line |= {name: round(total / self._count, 6) for name, total in self._sums.items()}
        line["cpu_s"] = round(time.process_time() - self._since[0], 2)
        line["wall_s"] = round(time.monotonic() - self._since[1], 2)
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        self._sums, self._count = {}, 0
        return line

    def __enter__(self) -> "MetricsLog":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()


def read_metrics(path: Path | str) -> list[dict[str, float]]:
    """Returns the lines of a metrics file, oldest first; a last line cut short by a crash is left out."""
    path = Path(path)
    lines = []
    for text in path.read_text().splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


class ProgressBar:
    """A bar with the newest loss. It redraws only when told to (it has no thread), and is silent without a terminal."""

    def __init__(self, name: str, total: int, start: int = 0, console: Console | None = None):
        console = console or Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        note = TextColumn("{task.fields[note]}")
        self._bar = Progress(*columns, note, console=console, auto_refresh=False, disable=not console.is_terminal)
        self._task = self._bar.add_task(name, total=total, completed=start, note="")

    def show(self, step: int, metrics: Mapping[str, float]) -> None:
        """Redraws at a step."""
        note = " ".join(f"{name} {metrics[name]:.3f}" for name in ("loss", "accuracy") if name in metrics)
        self._bar.update(self._task, completed=step, note=note, refresh=True)

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _resumed_file(path: Path, resume_step: int) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [line for line in read_metrics(path) if line["step"] <= resume_step] if resume_step else []
    draft = path.with_suffix(".draft")
    draft.write_text("".join(json.dumps(line) + "\n" for line in kept))
    os.replace(draft, path)
    return path.open("a")
