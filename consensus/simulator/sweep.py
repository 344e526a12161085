"""`sweep`: many settings times many seeds, in batches that fit into memory, over all devices, resumable.

Every run is the run that `simulate` would play: a batch is a `vmap`, and its slices have the same bits, on one device
or eight, in one process or two. Leaves of the settings with one axis more than their name says have one entry a
setting.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.checkpoint import Folder, compute_digest
from consensus.simulator.checks import check_run, check_seeds, select
from consensus.simulator.ending import Ending, conclude
from consensus.simulator.loops import map_leaves
from consensus.simulator.metrics import Metrics
from consensus.simulator.parallel import Plan, count_devices, is_first_process, run_batch
from consensus.simulator.run import play
from consensus.simulator.setting import Setting, Static, count_axes, count_settings
from consensus.simulator.world import start

MOST_RUNS = 4_096  # a batch, whatever the memory: so that a long sweep can stop between batches
COPIES = 4  # of the state that a compiled loop may hold at once


class Swept(NamedTuple):
    """What a sweep gives: every leaf of both has the leading axes [settings, seeds]."""

    metrics: Metrics
    ending: Ending


def sweep(
    static: Static,
    params_batch: Setting,
    seeds: Sequence[int],
    rounds: int,
    *,
    folder: Path | str | None = None,
    memory_bytes: int | None = None,
    parallel: str = "jit",
    batch_runs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Swept:
    """Metrics and endings of every setting with every seed; NumPy int64.

    `folder` keeps finished batches, and a sweep that was interrupted goes on from there, to the same bits.
    `memory_bytes` bounds what a batch may take (half of this machine's memory if not given). `parallel` is "jit"
    (sharded over all devices), "pmap" or "numpy" (Python loops, run after run). `progress(done, runs)` is called after
    every batch. Raises ValueError with one sentence if any setting is refused, if a single run is larger than the
    memory, or if the folder holds another sweep.
    """
    if parallel not in ("jit", "pmap", "numpy"):
        raise ValueError(f"parallel is {parallel}: choose jit, pmap or numpy")
    seeds = check_seeds(seeds)
    if batch_runs is not None and (not isinstance(batch_runs, int) or batch_runs < 1):
        raise ValueError(f"batch_runs is {batch_runs!r}: choose 1 or more runs a batch")
    settings = check_sweep(static, params_batch, seeds, rounds)
    runs = settings * len(seeds)
    limit = fit_batch(static, params_batch, runs, memory_bytes) if batch_runs is None else min(batch_runs, runs)
    kept = Folder(folder, compute_digest(static, params_batch, seeds, rounds), runs, limit)
    finished: list[Swept] = []
    for number, first in enumerate(range(0, runs, kept.batch_runs)):
        run_B = np.arange(first, min(first + kept.batch_runs, runs))
        swept = kept.load(number, Swept, (Metrics, Ending))
        if swept is None:
            plan = Plan(static, parallel, rounds, kept.batch_runs)
            swept = run_batch(plan, run_one, take_settings(params_batch, run_B // len(seeds)), _seeds(seeds, run_B))
            if parallel == "numpy" or is_first_process():
                kept.save(number, swept)
        finished.append(swept)
        if progress is not None:
            progress(int(run_B[-1]) + 1, runs)
    shape = lambda *leaves: np.concatenate(leaves).reshape(settings, len(seeds), *leaves[0].shape[1:])
    return map_leaves(shape, *finished)


def run_one(static: Static, setting: Setting, seed: Any, rounds: Any) -> Swept:
    """One run from its start to its ending."""
    state = play(static, setting, start(static, setting), seed, rounds)
    return Swept(state.metrics, conclude(static, setting, state))


def check_sweep(static: Static, params_batch: Setting, seeds: Sequence[int], rounds: int) -> int:
    """The number of settings, after every one has been checked."""
    seeds = check_seeds(seeds)
    if not isinstance(params_batch, Setting):
        raise ValueError("give a Setting, as make_network returns it, with a leading axis on the leaves that vary")
    settings = count_settings(params_batch)
    check_run(static, select(params_batch, 0), seeds[0], rounds)
    for index in range(1, settings):
        try:
            check_run(static, select(params_batch, index), seeds[0], rounds)
        except ValueError as error:
            raise ValueError(f"setting {index} of {settings}: {error}") from None
    return settings


def fit_batch(static: Static, params_batch: Setting, runs: int, memory_bytes: int | None) -> int:
    """The most runs that fit into memory at once, at least 1."""
    allowed = get_memory_bytes() if memory_bytes is None else memory_bytes
    one = select(params_batch, 0)
    result = run_one(static, one, np.int64(0), 0)
    state_bytes = _count_bytes((start(static, one), one))
    run_bytes = COPIES * state_bytes + 65_536
    results_bytes = runs * _count_bytes(result)
    if run_bytes + results_bytes > allowed:
        raise ValueError(
            f"the sweep does not fit into {allowed / 2**20:.0f} MiB: one run of {static.nodes} nodes takes about"
            f" {run_bytes / 2**20:.1f} MiB and the results of {runs} runs {results_bytes / 2**20:.1f} MiB; lower nodes,"
            " tasks in flight or runs, or allow more memory"
        )
    return int(min(runs, MOST_RUNS * count_devices(), (allowed - results_bytes) // run_bytes))


def get_memory_bytes() -> int:
    """Half of this machine's memory."""
    import os

    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def take_settings(params_batch: Setting, index_B: np.ndarray) -> Setting:
    """The settings of a batch of runs; leaves that all settings share stay single."""
    take = lambda part: type(part)(
        *(leaf[index_B] if leaf.ndim > count_axes(name) else leaf for name, leaf in part._asdict().items())
    )
    return Setting(*(take(part) for part in params_batch))


def _seeds(seeds: Sequence[int], run_B: np.ndarray) -> np.ndarray:
    return np.asarray(seeds, dtype=np.int64)[run_B % len(seeds)]


def _count_bytes(tree: Any) -> int:
    sizes: list[int] = []
    map_leaves(lambda leaf: sizes.append(np.asarray(leaf).nbytes), tree)
    return sum(sizes)
