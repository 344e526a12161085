"""R7, the wagers: balanced to the unit, always covered, indifferent to splitting, by direct arithmetic."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules.score import score_confidence, score_verdict
from consensus.rules.supply import compute_supply_micro
from consensus.rules.wager import (
    Graded,
    compute_nominal_wagers,
    compute_payouts,
    grade_discriminators,
    grade_generators,
    move_base_rate,
    reserve_wagers,
    settle_wagers,
    unlock_round,
)
from consensus.units import MICRO, SUPPLY_CAP_MICRO
from tests.consensus.rules.small import int64, lock, network_and_nodes, params_with, round_of

Q16S = st.integers(0, 65_536)


def graded(scores: list[int], house: int, counted: list[bool] | None = None) -> Graded:
    counted_S = np.array(counted or [True] * len(scores))
    score_S = np.where(counted_S, int64(scores), 0)
    return Graded(counted_S, ~counted_S, score_S, int64(house), score_S, counted_S)


@given(st.lists(Q16S, min_size=1, max_size=15), Q16S, st.integers(0, 2**40))
def test_payouts_are_the_law_s_formula_and_the_house_pays_the_rest(scores: list[int], house: int, m: int) -> None:
    """Pi = m (1 + S_i - mean of all 2n scores), floored; seats and house together win nothing."""
    n = len(scores)
    payouts = compute_payouts(int64(m), graded(scores, house)).tolist()
    mean = Fraction(sum(scores) + n * house, 2 * n)
    for payout, score in zip(payouts, scores, strict=True):
        exact = m * (1 + (score - mean) / 65_536)
        assert payout == exact.__floor__()
    loss_of_the_house = sum(payouts) - n * m
    assert loss_of_the_house <= (n * m + 1) // 2
    exact_loss = m * Fraction(sum(scores) - n * house, 2 * 65_536)
    assert 0 <= exact_loss - loss_of_the_house < n  # the floors stay with the house


@given(st.lists(Q16S, min_size=2, max_size=8), Q16S)
def test_a_seat_is_paid_the_same_whoever_else_the_node_is(scores: list[int], house: int) -> None:
    """k seats of one node and k nodes with one seat are paid alike: splitting gains nothing."""
    m = int64(10**9)
    together = compute_payouts(m, graded(scores[:1] * 3 + scores[1:], house)).tolist()
    assert together[0] == together[1] == together[2]


def test_wagers_by_hand_move_bonded_purse_and_treasury() -> None:
    params, round = params_with(), round_of(answer_G=[0, -1, 1])
    network, nodes = lock(*network_and_nodes(params), round)
    truth_C = int64([1, 0, 0])
    grades = grade_generators(network, round, truth_C)
    right, wrong = score_confidence(int64(52_429), int64(1)), score_confidence(int64(39_322), int64(0))
    assert grades.score_q16_S.tolist() == [right, 0, wrong]
    quotes = [score_confidence(int64(65_536 - 29_491), int64(y)) for y in (1, 0)]
    assert grades.house_q16 == sum(quotes) // 2
    m = 200 * MICRO
    pool = (4 << 16) - right - wrong - 2 * grades.house_q16
    expected = [m * (pool + 4 * score) // (4 << 16) - m for score in (right, wrong)]

    after, paid, won_N, lost_N = settle_wagers(network, nodes, round.generator_G, round.wager_micro_R[0], grades)
    assert won_N[1:4].tolist() == [expected[0], 0, expected[1]]
    assert lost_N[1:4].tolist() == [0, -m, 0]
    assert (paid.bonded_micro_N - nodes.bonded_micro_N).tolist() == (won_N + lost_N).tolist()
    assert paid.locked_micro_N[:4].tolist() == [0, 0, 0, 0]
    assert network.purse_micro - after.purse_micro == sum(expected)
    assert after.treasury_micro - network.treasury_micro == m
    assert network.purse_reserved_micro - after.purse_reserved_micro == 300 * MICRO
    assert compute_supply_micro(after, paid) == SUPPLY_CAP_MICRO


def test_the_house_says_of_an_answer_that_it_is_true_with_one_less_b() -> None:
    network, _ = network_and_nodes(params_with())
    for truth, y in (([1, 1, 0], 1), ([0, 0, 0], 0)):
        grades = grade_generators(network, round_of(), int64(truth))
        assert grades.house_q16 == score_confidence(int64(65_536 - 29_491), int64(y))


def test_verdicts_without_evidence_are_the_house_s_and_silence_forfeits() -> None:
    params = params_with()
    round = round_of(revealed_D=[1, 1, 1, 0], evidence_DC=[[0, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0]])
    network, _ = network_and_nodes(params)
    grades = grade_discriminators(params, network, round, int64(1), int64([1, 0, 0]))
    house = score_verdict(int64(29_491), int64(1), params.false_flag_threshold_q16)
    flagged = score_verdict(int64(58_982), int64(1), params.false_flag_threshold_q16)
    assert grades.score_q16_S.tolist() == [house, flagged, flagged, 0]
    assert grades.house_q16 == house
    assert grades.has_opinion_S.tolist() == [False, True, True, False]
    assert grades.forfeited_S.tolist() == [False, False, False, True]
    nothing_drawn = grade_discriminators(params, network, round, int64(-1), int64([0, 0, 0]))
    assert not (nothing_drawn.counted_S | nothing_drawn.forfeited_S).any()


def test_nominal_wagers_and_a_short_purse() -> None:
    params = params_with(canary_rate_q16=13_107, random_audit_rate_q16=6_554)  # p_audit 19,661
    fees = int64([6 * MICRO, 333_333])
    expected = [6 * 6 * MICRO * 65_536 // 19_661, 60 * 333_333 * 65_536 // 19_661]
    assert compute_nominal_wagers(params, fees).tolist() == expected
    network, _ = network_and_nodes(params)
    poor = network._replace(purse_micro=int64(1_000), purse_reserved_micro=int64(99))
    reserved, m = reserve_wagers(poor, int64([1, 2, 3, -1]), int64(10_000))
    assert m == 2 * 901 // 3
    assert reserved.purse_reserved_micro == 99 + (3 * 600 + 1) // 2 <= 1_000
    reserved, m = reserve_wagers(poor, int64([1, 2, 3]), int64(601))  # 901.5 rounds up to 902 > 901
    assert m == 600
    reserved, m = reserve_wagers(poor, int64([-1, -1]), int64(10_000))
    assert reserved.purse_reserved_micro == 99


def test_unlocking_undoes_the_lock() -> None:
    round = round_of()
    network, nodes = network_and_nodes(params_with())
    locked_network, locked_nodes = lock(network, nodes, round)
    after, free = unlock_round(locked_network, locked_nodes, round, int64(1))
    assert free.locked_micro_N.tolist() == nodes.locked_micro_N.tolist()
    assert after.purse_reserved_micro == 0
    kept, held = unlock_round(locked_network, locked_nodes, round, int64(0))
    assert held.locked_micro_N.tolist() == locked_nodes.locked_micro_N.tolist()
    assert kept.purse_reserved_micro == locked_network.purse_reserved_micro


def test_base_rate_steps_a_64th_towards_what_was_false() -> None:
    params = params_with()
    network, _ = network_and_nodes(params)
    b = 29_491
    moved = lambda truth, **leaves: int(move_base_rate(params, network, round_of(**leaves), int64(truth)).base_rate_q16)
    assert moved([1, 0, 0]) == b + (65_536 // 3 - b >> 6)
    assert moved([0, 0, 0]) == b + (65_536 - b >> 6)
    assert moved([1, 1, 1]) == b + (-b >> 6)
    assert moved([1, 1, 1], answer_G=[-1, -1, -1]) == b
    low = network._replace(base_rate_q16=int64(657))
    assert move_base_rate(params, low, round_of(), int64([1, 1, 1])).base_rate_q16 == 656
