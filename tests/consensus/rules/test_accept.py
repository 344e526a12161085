"""R5: the threshold and why a round is not accepted."""

import pytest

from consensus import state
from consensus.rules.accept import compute_difficulty_q16, compute_tau_q12, decide, move_integral
from consensus.rules.log_odds import logit_q12
from consensus.rules.tally import Tally
from tests.consensus.rules.small import int64, network_and_nodes, params_with

FINE = {
    "best": 1,
    "margin_q12": 8_000,
    "support_q12": 1,
    "generators": 4,
    "discriminators": 10,
    "distinct_generators": 2,
}


def tally_of(**leaves: int) -> Tally:
    plain = dict.fromkeys(Tally._fields, 0) | FINE | leaves
    return Tally(**{name: int64(value) for name, value in plain.items()})


@pytest.mark.parametrize(
    ("leaves", "reason"),
    [
        ({}, state.REASON_ACCEPTED),
        ({"margin_q12": 7_999}, state.REASON_BELOW_THRESHOLD),
        ({"support_q12": 0}, state.REASON_NO_SUPPORT),
        ({"distinct_generators": 1}, state.REASON_ONE_NODE),
        ({"generators": 3}, state.REASON_QUORUM),  # 3 * 3 < 2 * 5
        ({"discriminators": 9}, state.REASON_QUORUM),  # 3 * 9 < 2 * 15; 10 is exactly enough
        ({"generators": 0, "best": -1}, state.REASON_NO_ANSWER),
        ({"margin_q12": 0, "support_q12": -1, "distinct_generators": 1}, state.REASON_ONE_NODE),
    ],
)
def test_the_first_condition_that_fails_is_the_reason(leaves: dict[str, int], reason: int) -> None:
    accepted, why = decide(tally_of(**leaves), int64(8_000), 5, 15)
    assert why == reason
    assert accepted == (1 if reason == state.REASON_ACCEPTED else -1)


@pytest.mark.parametrize(
    ("seats_on", "d"),
    [
        ([5, 0, 0, 0, 0], 0),
        ([1, 1, 1, 1, 1], 65_536),
        ([3, 2, 0, 0, 0], 65_536 * 12 // 20),  # (25 - 13) / 20
        ([1, 0, 0, 0, 0], 0),
        ([0, 0, 0, 0, 0], 0),
    ],
)
def test_difficulty_is_the_chance_that_two_seats_disagree(seats_on: list[int], d: int) -> None:
    assert compute_difficulty_q16(int64(seats_on)) == d


def test_tau_by_hand_and_within_its_bounds() -> None:
    params = params_with()
    network, _ = network_and_nodes(params)
    tau = lambda d, integral=0: int(compute_tau_q12(params, network._replace(integral_q12=int64(integral)), int64(d)))
    theta0 = int(logit_q12(params.theta0_q16))
    assert tau(params.difficulty_centre_q16) == theta0
    assert tau(65_536) - theta0 == 5_120 * (65_536 - 19_661) >> 16  # 1.25 * .7
    assert tau(0) - theta0 == 5_120 * -19_661 >> 16
    assert tau(0, -6_144) == params.tau_min_q12 == 1_661
    assert tau(65_536, 10_000) == theta0 + 10_000 + 3_583
    assert tau(65_536, 18_432) == params.tau_max_q12


def test_the_integral_rests_where_errors_are_epsilon() -> None:
    params = params_with()
    network, _ = network_and_nodes(params)
    up = int(move_integral(params, network, int64(1) == 1).integral_q12)
    down = -int(move_integral(params, network, int64(1) == 0).integral_q12)
    assert (up, down) == (1_003, 21)  # (65,536 - 1,311) / 64 and 1,311 / 64, floored
    assert abs(down / (up + down) - 0.02) < 0.005  # the error rate at which it stands still
    ends = network._replace(integral_q12=params.integral_max_q12)
    assert move_integral(params, ends, int64(1) == 1).integral_q12 == params.integral_max_q12
    ends = network._replace(integral_q12=params.integral_min_q12)
    assert move_integral(params, ends, int64(1) == 0).integral_q12 == params.integral_min_q12
