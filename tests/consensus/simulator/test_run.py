"""One run: the same bits however it is played, a supply that holds, and a run that goes on where it stopped."""

import jax
import numpy as np
import pytest

from consensus.simulator.run import simulate, trace
from consensus.simulator.world import start
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus.simulator.small import assert_same_bits, make_small

STATIC, SETTING = make_small()
ROUNDS = 9


def test_numpy_and_jit_play_the_same_run_in_one_go_or_in_steps() -> None:
    state = start(STATIC, SETTING)
    played = simulate(STATIC, SETTING, state, 11, ROUNDS)
    assert played.metrics.asked_K.sum() > 0
    assert played.metrics.audited > 0
    assert played.metrics.supply_error_max_micro == 0
    assert_same_bits(played, simulate(STATIC, SETTING, state, 11, ROUNDS, backend="numpy"))
    last, points = trace(STATIC, SETTING, state, 11, ROUNDS, every=4)
    assert_same_bits(last, played)
    assert [int(point.round) for point in points] == [4, 8, 9]


def test_a_run_goes_on_where_it_stopped() -> None:
    state = start(STATIC, SETTING)
    half = simulate(STATIC, SETTING, state, 5, 4, backend="numpy")
    whole = simulate(STATIC, SETTING, state, 5, ROUNDS, backend="numpy")
    assert_same_bits(simulate(STATIC, SETTING, half, 5, ROUNDS - 4, backend="numpy"), whole)


def test_another_seed_is_another_run() -> None:
    state = start(STATIC, SETTING)
    one, other = (simulate(STATIC, SETTING, state, seed, 5, backend="numpy") for seed in (1, 2))
    assert not np.array_equal(one.nodes.bonded_micro_N, other.nodes.bonded_micro_N)
    for played in (one, other):
        held = sum(int(leaf.sum()) for leaf in played.nodes[:2]) + int(played.nodes.escrow_micro_N.sum())
        network = played.network
        pools = network.treasury_micro + network.reserve_micro + network.burned_micro + network.purse_micro
        assert held + int(pools) + int(network.task_escrow_micro) == SUPPLY_CAP_MICRO


@pytest.mark.slow
def test_eager_jax_plays_the_same_run() -> None:
    state = start(STATIC, SETTING)
    expected = simulate(STATIC, SETTING, state, 11, 3, backend="numpy")
    with jax.disable_jit():
        assert_same_bits(simulate(STATIC, SETTING, state, 11, 3, backend="eager"), expected)


def test_a_backend_that_is_none_and_steps_of_nothing_are_refused() -> None:
    state = start(STATIC, SETTING)
    with pytest.raises(ValueError, match="choose one of jit, numpy, eager"):
        simulate(STATIC, SETTING, state, 1, 1, backend="torch")
    with pytest.raises(ValueError, match="every is 0"):
        trace(STATIC, SETTING, state, 1, 5, every=0)
