"""The training loop: batches in, checkpoints and metrics out, and a clean stop at any moment.

The hot loop never waits for the newest step. It bounds how many steps are in flight (an unbounded queue eats memory
and, with several CPU devices, deadlocks) by waiting for an older one, whose metrics are then free to read.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jax

from train.checkpoints import Checkpoints
from train.metrics import MetricsLog, ProgressBar
from train.step import Batch, Metrics, TrainState


class Interrupted(Exception):
    """The run was asked to stop (Ctrl-C, SIGTERM) and has saved; running the same command again goes on from there."""

    def __init__(self, step: int, steps: int, saved: bool, number: int = signal.SIGINT):
        kept = "the same command resumes there" if saved else "nothing was saved, for no checkpoint folder was given"
        super().__init__(f"Stopped at step {step} of {steps}; {kept}.")
        self.step, self.exit_code = step, 128 + number


class Pace(NamedTuple):
    """How often things happen, in steps."""

    steps: int  # the run ends here
    save_every: int = 100  # checkpoints
    log_every: int = 25  # lines of metrics, redraws of the bar
    in_flight: int = 2  # steps the device may lag behind


def run(
    state: TrainState,
    step: Callable[[TrainState, Batch], tuple[TrainState, Metrics]],
    batch_at: Callable[[int], Batch],
    pace: Pace,
    *,
    checkpoints: Checkpoints | None = None,
    metrics_path: Path | str | None = None,
    name: str = "train",
) -> TrainState:
    """Trains from `state` (or from the newest checkpoint) to `pace.steps`, and returns the last state.

    `batch_at(step)` must be a pure function of the step. Raises `Interrupted` after saving if a signal came.
    """
    state = (checkpoints.restore(state) if checkpoints else None) or state
    start = int(state.step)
    flying: deque[Metrics] = deque()
    with MetricsLog(metrics_path, start) as log, stop_requests() as stop, ProgressBar(name, pace.steps, start) as bar:
        for done in range(start + 1, pace.steps + 1):
            state, metrics = step(state, batch_at(done - 1))
            flying.append(metrics)
            stopping = bool(stop) or _preempted(checkpoints, done)
            last = stopping or done == pace.steps
            _land(flying, 0 if last else pace.in_flight, log)
            if last or done % pace.log_every == 0:
                bar.show(done, log.write(done))
            if checkpoints and (last or done % pace.save_every == 0):
                checkpoints.save(state)
            if stopping and done < pace.steps:
                if checkpoints:
                    checkpoints.wait()
                raise Interrupted(done, pace.steps, checkpoints is not None, stop[0] if stop else signal.SIGTERM)
    if checkpoints:
        checkpoints.wait()
    return jax.block_until_ready(state)


def _land(flying: deque[Metrics], keep: int, log: MetricsLog) -> None:
    """Waits until at most `keep` steps are in flight, and books the metrics of those that landed."""
    while len(flying) > keep:
        log.add(jax.device_get(flying.popleft()))


def _preempted(checkpoints: Checkpoints | None, step: int) -> bool:
    """On many hosts orbax spreads the notice, so that all stop at the same step."""
    return checkpoints is not None and jax.process_count() > 1 and checkpoints.reached_preemption(step)


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """A list that Ctrl-C and SIGTERM append to instead of ending the process; a second Ctrl-C ends it at once.

    Handlers are put back on the way out. Outside the main thread, and on many hosts (where a Python handler would
    silence the preemption notice), signals keep their meaning.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread() or jax.process_count() > 1:
        yield received
        return

    def note(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
