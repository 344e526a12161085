"""A sweep's runs are the runs that one network would play, however they are batched, spread and interrupted."""

from pathlib import Path

import numpy as np
import pytest

from consensus.simulator import sweep as module
from consensus.simulator.checks import select
from consensus.simulator.ending import conclude
from consensus.simulator.run import simulate
from consensus.simulator.setting import Setting
from consensus.simulator.sweep import Swept, sweep
from consensus.simulator.world import start
from tests.consensus.simulator.small import assert_same_bits, make_small

STATIC, ONE = make_small(sampling="tree")
SEEDS, ROUNDS = (3, 4, 9), 5


def make_batch() -> Setting:
    """Two settings: another threshold and other stakes; all else is shared."""
    stake = ONE.conduct.stake_micro_N
    return ONE._replace(
        law=ONE.law._replace(theta0_q16=np.array([52_429, 40_000])),
        conduct=ONE.conduct._replace(stake_micro_N=np.stack([stake, stake // 2])),
    )


BATCH = make_batch()


@pytest.fixture(scope="module")
def expected() -> Swept:
    """Seats drawn over all nodes, on NumPy; the sweeps below draw them from the tree."""
    return sweep(STATIC._replace(sampling="dense"), BATCH, SEEDS, ROUNDS, parallel="numpy")


def test_a_slice_is_the_run_that_simulate_plays(expected: Swept) -> None:
    for number, seed in ((0, 1), (1, 0), (1, 2)):
        setting = select(BATCH, number)
        state = simulate(STATIC, setting, start(STATIC, setting), SEEDS[seed], ROUNDS, backend="numpy")
        slice_ = Swept(*(type(part)(*(leaf[number, seed] for leaf in part)) for part in expected))
        assert_same_bits(slice_, Swept(state.metrics, conclude(STATIC, setting, state)))
    assert expected.metrics.asked_K.shape == (2, 3, STATIC.kinds)


def test_eight_devices_give_the_same_bits_and_a_folder_takes_the_sweep_up_again(
    expected: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[tuple[int, int]] = []

    def stop_in_the_second_batch(done: int, runs: int) -> None:
        reported.append((done, runs))
        raise KeyboardInterrupt

    options = {"folder": tmp_path, "batch_runs": 4}
    with pytest.raises(KeyboardInterrupt):
        sweep(STATIC, BATCH, SEEDS, ROUNDS, progress=stop_in_the_second_batch, **options)
    assert reported == [(4, 6)]
    played: list[int] = []
    run_batch = module.run_batch
    monkeypatch.setattr(module, "run_batch", lambda *a: (played.append(len(a[3])), run_batch(*a))[1])
    assert_same_bits(sweep(STATIC, BATCH, SEEDS, ROUNDS, **options), expected)
    assert played == [2], "the first batch was played again"
    assert_same_bits(sweep(STATIC, BATCH, SEEDS, ROUNDS, **options), expected)
    assert played == [2], "a finished sweep was played again"

    (tmp_path / "batch-00001.npz").write_bytes(b"half a fi")
    assert_same_bits(sweep(STATIC, BATCH, SEEDS, ROUNDS, **options), expected)
    assert played == [2, 2], "a damaged batch was not played again"
    with pytest.raises(ValueError, match="holds another sweep"):
        sweep(STATIC, BATCH, (3, 4, 10), ROUNDS, **options)


@pytest.mark.slow
def test_pmap_gives_the_same_bits(expected: Swept) -> None:
    assert_same_bits(sweep(STATIC, BATCH, SEEDS, ROUNDS, parallel="pmap"), expected)
