"""Play all points of a scenario with all its seeds behind a progress bar; one row of figures a run."""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.scenario import Scenario
from consensus.simulator.setting import Setting

BATCHES, SMALL_BATCH = 10, 128  # a long sweep reports and saves so often; smaller batches would waste vectors
FIGURES_BYTES = 16_384  # a run, while its figures become JSON, CSV and the page


class Table(NamedTuple):
    """The runs of a sweep, setting after setting, seed after seed."""

    points: list[dict[str, Any]]  # what was varied, a setting
    pots_micro: tuple[int, ...]  # the pot of the first task, a setting: what its gains are counted in
    seeds: tuple[int, ...]
    names: tuple[str, ...]  # of the figures
    figures_SEF: np.ndarray  # [settings, seeds, figures]

    def mean(self, setting: int, name: str) -> float:
        """A figure's mean over the seeds."""
        return float(self.figures_SEF[setting, :, self.names.index(name)].mean())


def play(scenario: Scenario, settings: Setting, points: list[dict[str, Any]], args: argparse.Namespace) -> Table:
    """Run the sweep into `args.out`, whose finished batches are kept, and summarise every run."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from consensus.simulator.checkpoint import compute_digest
    from consensus.simulator.summary import summarise_sweep
    from consensus.simulator.sweep import sweep

    digest = compute_digest(scenario.static, settings, scenario.seeds, scenario.rounds)
    runs = len(points) * len(scenario.seeds)
    fits = check_size(scenario, settings, len(points), args)
    batch = min(fits, max(SMALL_BATCH, -(-runs // BATCHES)))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(f"{scenario.rounds} rounds, {scenario.static.nodes} nodes", total=runs)
        swept = sweep(
            scenario.static,
            settings,
            scenario.seeds,
            scenario.rounds,
            folder=Path(args.out) / "batches" / digest[:16],
            parallel=args.parallel,
            batch_runs=batch,
            progress=lambda done, _: bar.update(task, completed=done),
        )
    summary = summarise_sweep(swept, settings, scenario.kinds, scenario.groups)
    return Table(points, summary.pots_micro, scenario.seeds, summary.names, summary.figures_SEF)


def check_size(scenario: Scenario, settings: Setting, points: int, args: argparse.Namespace) -> int:
    """The most runs that fit into memory at once; ValueError if a setting is refused or the sweep does not fit.

    `settings` may be those of the first of so many points.
    """
    from consensus.simulator.sweep import check_sweep, fit_batch, get_memory_bytes

    check_sweep(scenario.static, settings, scenario.seeds, scenario.rounds)
    allowed = get_memory_bytes() if args.memory_mib is None else args.memory_mib << 20
    runs = points * len(scenario.seeds)
    written = FIGURES_BYTES * runs
    if runs > 1 and written >= allowed > 0:
        raise ValueError(
            f"the figures of {points} settings with {len(scenario.seeds)} seeds take about {written >> 20} MiB, and"
            f" {allowed >> 20} MiB are allowed: lower points or seeds, or allow more memory"
        )
    return fit_batch(scenario.static, settings, runs, max(allowed - written, 0))
