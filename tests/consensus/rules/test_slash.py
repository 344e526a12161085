"""R8: what is taken, from where, and where it goes."""

import numpy as np
import pytest

from consensus.rules.slash import equivocation_penalty, punish_alarms, slash, slash_equivocation, slash_silent
from consensus.rules.supply import compute_supply_micro
from consensus.rules.tally import get_answered, get_judged
from consensus.units import FOREVER, SUPPLY_CAP_MICRO
from tests.consensus.rules.small import int64, network_and_nodes, params_with, round_of

PARAMS = params_with()


def test_free_bond_first_then_unbonding_never_a_locked_wager() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10_000)
    taken_from_reserve = network.reserve_micro - 3_000
    network = network._replace(reserve_micro=taken_from_reserve)
    nodes = nodes._replace(
        locked_micro_N=int64([0, 0, 9_000, 9_000, 10_000, 0, 0, 0]),
        unbonding_micro_N=int64([0, 0, 1_000, 2_000, 0, 0, 0, 0]),
    )
    half_N = int64([0, 32_768, 32_768, 32_768, 32_768, 0, 0, 0])
    after, left, taken_N = slash(PARAMS, network, nodes, half_N)
    # half of 10,000; of 11,000 only 1,000 free and 1,000 unbonding; of 12,000 1,000 and 2,000; nothing free at all
    assert taken_N.tolist() == [0, 5_000, 2_000, 3_000, 0, 0, 0, 0]
    assert left.bonded_micro_N[1:5].tolist() == [5_000, 9_000, 9_000, 10_000]
    assert left.unbonding_micro_N[1:5].tolist() == [0, 0, 0, 0]
    assert (left.bonded_micro_N >= left.locked_micro_N).all()
    assert after.burned_micro == 5_000
    assert after.treasury_micro - network.treasury_micro == 5_000
    assert compute_supply_micro(after, left) == SUPPLY_CAP_MICRO


def test_a_finder_gets_at_most_a_512th() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=1_024_000)
    after, left, taken_N = slash(PARAMS, network, nodes, int64([0, 6_554, 0, 0, 0, 0, 0, 0]), 5)
    assert taken_N.sum() == 102_406  # floor(1,024,000 * 6,554 / 65,536)
    assert left.liquid_micro_N[5] == 102_406 // 512 == 200
    assert after.burned_micro == 51_203
    assert after.treasury_micro - network.treasury_micro == 51_203 - 200
    assert compute_supply_micro(after, left) == SUPPLY_CAP_MICRO


@pytest.mark.parametrize(
    ("leaves", "silent"),
    [
        ({"answer_G": [0, -1, 0], "revealed_D": [1, 0, 0, 1]}, [2, 5, 6]),
        ({"generator_G": [1, 1, 2], "answer_G": [-1, -1, 0]}, [1]),  # two seats, one slash
        ({"answer_G": [-1, -1, -1], "revealed_D": [0, 0, 0, 0]}, [1, 2, 3]),  # nothing to judge
        ({"generator_G": [-1, -1, -1], "answer_G": [-1] * 3, "revealed_D": [0] * 4}, []),
    ],
)
def test_silence_costs_a_thousandth_once(leaves: dict[str, list[int]], silent: list[int]) -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10**9)
    round = round_of(**leaves)
    *_, taken_N = slash_silent(PARAMS, network, nodes, round, get_answered(round), get_judged(round))
    assert np.flatnonzero(taken_N).tolist() == silent
    assert set(taken_N[silent].tolist()) <= {10**9 * 66 // 65_536}


def test_poor_performance_is_jailed_and_slashed() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10**9)
    nodes = nodes._replace(jailed_until_N=int64([0, 0, 50, 0, 0, 0, 0, 0]))
    alarm_N = np.arange(8) < 3
    after, left, taken_N = punish_alarms(PARAMS, network, nodes, alarm_N)
    assert left.jailed_until_N[:4].tolist() == [5, 5, 50, 0]  # height 1 + 4 blocks
    assert taken_N[:4].tolist() == [0, 10**9 * 1_311 // 65_536, 10**9 * 1_311 // 65_536, 0]
    assert compute_supply_micro(after, left) == SUPPLY_CAP_MICRO


def test_equivocation_is_out_for_good() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10**9)
    after, left, taken_N = slash_equivocation(PARAMS, network, nodes, 3, 4)
    assert left.jailed_until_N[3] == FOREVER
    assert (left.jailed_until_N > 0).sum() == 1
    assert taken_N.sum() == taken_N[3] == 10**9 * 3_277 // 65_536
    assert left.liquid_micro_N[4] == taken_N[3] // 512
    assert compute_supply_micro(after, left) == SUPPLY_CAP_MICRO


@pytest.mark.parametrize(("guilty", "share"), [(1, 3 / 7), (2, 6 / 7), (3, 1.0)])
def test_the_penalty_grows_with_how_many_equivocate(guilty: int, share: float) -> None:
    """Seven equal stakes: one loses 3/7 of it, two 6/7 each, three (more than a third) everything."""
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10**14)
    equivocator_N = int64(np.arange(8) <= guilty)
    after, left, taken_N = equivocation_penalty(PARAMS, network, nodes, equivocator_N)
    fraction = min(65_536, 3 * guilty * 65_536 // 7)
    assert taken_N[1 : guilty + 1].tolist() == [10**14 * fraction >> 16] * guilty
    assert abs(taken_N[1] / 10**14 - share) < 1e-4
    assert not taken_N[guilty + 1 :].any()
    assert compute_supply_micro(after, left) == SUPPLY_CAP_MICRO
