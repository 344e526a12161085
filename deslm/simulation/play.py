"""Play all points of a scenario with all its seeds behind a progress bar; one row of figures a run."""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.loops import map_leaves
from consensus.simulator.networks import get_pot_micro
from consensus.simulator.scenario import Scenario
from consensus.simulator.setting import Setting

BATCHES, SMALL_BATCH = 10, 128  # a long sweep reports and saves so often; smaller batches would waste vectors


class Table(NamedTuple):
    """The runs of a sweep, setting after setting, seed after seed."""

    points: list[dict[str, Any]]  # what was varied, a setting
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
    from consensus.simulator.checks import select
    from consensus.simulator.summary import summarise
    from consensus.simulator.sweep import check_sweep, fit_batch, sweep

    digest = compute_digest(scenario.static, settings, scenario.seeds, scenario.rounds)
    runs = len(points) * len(scenario.seeds)
    check_sweep(scenario.static, settings, scenario.seeds, scenario.rounds)
    memory = None if args.memory_mib is None else args.memory_mib << 20
    batch = min(fit_batch(scenario.static, settings, runs, memory), max(SMALL_BATCH, -(-runs // BATCHES)))
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
    rows = []
    for index in range(len(points)):
        setting = select(settings, index)
        pot_micro = get_pot_micro(setting.law, int(setting.demand.tip_micro))  # of this setting: both may vary
        for e in range(len(scenario.seeds)):
            one = map_leaves(lambda leaf, at=(index, e): leaf[at], swept)
            figures = summarise(one.metrics, one.ending, setting, pot_micro, scenario.kinds, scenario.groups)
            rows.append(figures)
    table = np.array([list(row.values()) for row in rows]).reshape(len(points), len(scenario.seeds), -1)
    return Table(points, scenario.seeds, tuple(rows[0]), table)
