"""The loop: resuming is exact, stopping saves, and it never runs ahead of the device or waits for it."""

import os
import signal
import time

import jax
import numpy as np
import pytest

from tests.train.toy import OPTIMIZER, toy_batch, toy_dropout_loss, toy_state
from train.checkpoints import Checkpoints
from train.loop import Interrupted, Pace, run
from train.metrics import MetricsLog, read_metrics
from train.step import make_step

SETTINGS = {"learning_rate": 0.05, "sizes": (3, 4)}


@pytest.fixture(scope="module")
def step():
    """The state is donated, as in a real run: a checkpoint of freed memory would show."""
    return jax.jit(make_step(toy_dropout_loss, OPTIMIZER), donate_argnums=0)


def _same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def _signal_at(number, kind):
    def batch_at(step):
        if step == number:
            os.kill(os.getpid(), kind)
        return toy_batch(step)

    return batch_at


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_and_resumed_run_is_the_uninterrupted_one_bit_for_bit(step, tmp_path, kind):
    pace = Pace(steps=12, save_every=5, log_every=4)
    whole = run(toy_state(), step, toy_batch, pace, metrics_path=tmp_path / "whole.jsonl")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with (
        Checkpoints(tmp_path / "c", SETTINGS) as kept,
        pytest.raises(Interrupted, match="step 8 of 12; the same") as stopped,
    ):
        run(toy_state(), step, _signal_at(7, kind), pace, checkpoints=kept, metrics_path=tmp_path / "m.jsonl")
    assert stopped.value.exit_code == 128 + kind
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    with Checkpoints(tmp_path / "c", SETTINGS) as kept:
        assert kept.latest() == 8
        resumed = run(toy_state(seed=9), step, toy_batch, pace, checkpoints=kept, metrics_path=tmp_path / "m.jsonl")
    assert _same(whole, resumed)
    lines, whole_lines = read_metrics(tmp_path / "m.jsonl"), read_metrics(tmp_path / "whole.jsonl")
    assert [line["step"] for line in lines] == [line["step"] for line in whole_lines] == [4, 8, 12]
    assert lines[-1]["learning_rate"] == pytest.approx(whole_lines[-1]["learning_rate"], abs=0.01)


def test_without_a_checkpoint_folder_stopping_says_that_nothing_is_kept(step):
    with pytest.raises(Interrupted, match="nothing was saved"):
        run(toy_state(), step, _signal_at(1, signal.SIGTERM), Pace(steps=6))


def test_settings_that_differ_are_named(step, tmp_path):
    with Checkpoints(tmp_path, SETTINGS) as kept:
        run(toy_state(), step, toy_batch, Pace(steps=2), checkpoints=kept)
    other = SETTINGS | {"learning_rate": 0.1}
    with Checkpoints(tmp_path, other) as kept, pytest.raises(ValueError, match=r"other settings \(learning_rate\)"):
        kept.restore(toy_state())


def test_a_checkpoint_cut_short_does_not_count(step, tmp_path):
    with Checkpoints(tmp_path, SETTINGS) as kept:
        whole = run(toy_state(), step, toy_batch, Pace(steps=3), checkpoints=kept)
    (tmp_path / "7.orbax-checkpoint-tmp").mkdir()
    (tmp_path / "7.orbax-checkpoint-tmp" / "state").mkdir()
    with Checkpoints(tmp_path, SETTINGS) as kept:
        assert kept.latest() == 3
        assert _same(kept.restore(toy_state()), whole)


def test_a_damaged_checkpoint_is_one_clear_error(step, tmp_path):
    with Checkpoints(tmp_path, SETTINGS) as kept:
        run(toy_state(), step, toy_batch, Pace(steps=3), checkpoints=kept)
    for path in (tmp_path / "3" / "state").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not what was written")
    with Checkpoints(tmp_path, SETTINGS) as kept, pytest.raises(ValueError, match=r"3 is damaged .* --fresh"):
        kept.restore(toy_state())


def test_steps_in_flight_are_bounded_and_the_newest_is_never_waited_for():
    """A step here takes 10 ms of another thread; the loop must stay exactly `in_flight` steps ahead of it."""

    class Slow:
        """A metric whose value exists 10 ms after it was asked for."""

        pending = 0
        most = 0

        def __init__(self):
            self.ready = time.monotonic() + 0.01
            Slow.pending += 1
            Slow.most = max(Slow.most, Slow.pending)

        def __array__(self, dtype=None, copy=None):
            time.sleep(max(0.0, self.ready - time.monotonic()))
            Slow.pending -= 1
            return np.zeros((), np.float32)

    state = toy_state()
    run(state, lambda s, b: (s, {"loss": Slow()}), toy_batch, Pace(steps=10, in_flight=3, log_every=2))
    assert Slow.most == 4
    assert Slow.pending == 0


def test_metrics_are_means_and_a_torn_last_line_is_dropped(tmp_path):
    with MetricsLog(tmp_path / "m.jsonl") as log:
        assert log.write(0) == {}
        log.add({"loss": 1.0})
        log.add({"loss": 3.0})
        assert log.write(2)["loss"] == 2.0
    with (tmp_path / "m.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    assert [line["step"] for line in read_metrics(tmp_path / "m.jsonl")] == [2]
