"""How every benchmark takes time: all contestants by turns, CPU time on a CPU, medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax

Runs = Mapping[str, Callable[[], Any]]
Clock = Callable[[], float]


def clock() -> Clock:
    """CPU time on a CPU, wall time on an accelerator."""
    return time.process_time if jax.default_backend() == "cpu" else time.perf_counter


def take_turns(runs: Runs, repeats: int) -> dict[str, list[float]]:
    """Seconds of each run, taken in turns so that a noisy neighbour disturbs all alike; the first turn warms up."""
    now = clock()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = now()
            jax.block_until_ready(run())
            if turn > 0:
                seconds[name].append(now() - start)
    return seconds


def measure(runs: Runs, repeats: int) -> dict[str, float]:
    """Median seconds of each run, taken in turns."""
    return {name: statistics.median(values) for name, values in take_turns(runs, repeats).items()}
