"""R7, the wagers: every seat bets the same amount against its peers and the house, so only being right pays.

Weighted-score wagering (Lambert et al. 2008) with the network's purse as one more bettor for each seat. The house
quotes the base rate b: who knows no more than b pays those who do.
"""

from typing import NamedTuple

from consensus.rules.audit import compute_audit_rate_q16
from consensus.rules.score import score_confidence, score_verdict
from consensus.rules.seats import count_seats
from consensus.rules.tally import get_answered, get_judged
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Params, Round
from consensus.units import Q16, Array, as_int64, floor_divide, namespace, total


class Graded(NamedTuple):
    """One role's seats when the truth is known."""

    counted_S: Array  # bool: revealed, and there was something to reveal
    forfeited_S: Array  # bool: owed a reveal and did not come
    score_q16_S: Array  # S of the counted seats, else 0
    house_q16: Array  # S_0
    is_right_S: Array  # 1 if R9 counts the seat as good
    has_opinion_S: Array  # bool: R9 counts the seat at all


def compute_nominal_wagers(params: Params, flat_fee_micro_R: Array) -> Array:
    """m [R] before the purse is asked: mu x flat fee / p_audit."""
    return params.wager_fees_R * flat_fee_micro_R * Q16 // compute_audit_rate_q16(params)


def reserve_wagers(network: Network, seat_S: Array, wager_micro: Array) -> tuple[Network, Array]:
    """Reserve the house's possible loss, half the seats' wagers rounded up; returns the network and m.

    If the free purse is short, m shrinks to what it can cover.
    """
    xp = namespace(seat_S)
    seats = total(seat_S >= 0)
    free_micro = network.purse_micro - network.purse_reserved_micro
    covered_micro = floor_divide(2 * free_micro, seats)
    wager_micro = xp.where(_house_loss(seats, wager_micro) > free_micro, covered_micro, wager_micro)
    reserved_micro = network.purse_reserved_micro + _house_loss(seats, wager_micro)
    return network._replace(purse_reserved_micro=reserved_micro), wager_micro


def lock_wagers(nodes: Nodes, seat_S: Array, wager_micro: Array, is_locked: Array) -> Nodes:
    """Lock the wagers of all drawn seats (`is_locked` 1), unlock them (-1), or leave them (0)."""
    held_N = count_seats(nodes, seat_S, as_int64(seat_S >= 0))
    return nodes._replace(locked_micro_N=nodes.locked_micro_N + is_locked * wager_micro * held_N)


def unlock_round(network: Network, nodes: Nodes, round: Round, is_unlocked: Array) -> tuple[Network, Nodes]:
    """Give back both roles' wagers and the house's reservations, untouched, if `is_unlocked` is 1."""
    for role, seat_S in ((GENERATOR, round.generator_G), (DISCRIMINATOR, round.discriminator_D)):
        wager_micro = round.wager_micro_R[role]
        loss_micro = _house_loss(total(seat_S >= 0), wager_micro)
        nodes = lock_wagers(nodes, seat_S, wager_micro, -is_unlocked)
        network = network._replace(purse_reserved_micro=network.purse_reserved_micro - is_unlocked * loss_micro)
    return network, nodes


def grade_generators(network: Network, round: Round, truth_C: Array) -> Graded:
    """Scores of the revealed answers; the house says of each that it is true with probability 1 - b."""
    xp = namespace(round.answer_G)
    answered_G = get_answered(round)
    is_true_G = truth_C[xp.maximum(round.answer_G, 0)]
    score_G = score_confidence(round.confidence_q16_G, is_true_G)
    house_G = score_confidence(Q16 - network.base_rate_q16, is_true_G)
    return Graded(
        counted_S=answered_G,
        forfeited_S=(round.generator_G >= 0) & ~answered_G,
        score_q16_S=xp.where(answered_G, score_G, 0),
        house_q16=floor_divide(total(xp.where(answered_G, house_G, 0)), total(answered_G)),
        is_right_S=is_true_G,
        has_opinion_S=answered_G,
    )


def grade_discriminators(params: Params, network: Network, round: Round, drawn: Array, truth_C: Array) -> Graded:
    """Scores of the verdicts on the drawn candidate; without evidence a verdict is scored as the house's q = b.

    If nothing was drawn (nobody answered), no seat is counted and none forfeits.
    """
    xp = namespace(round.answer_G)
    is_drawn, candidate = drawn >= 0, xp.maximum(drawn, 0)
    is_false = 1 - truth_C[candidate]
    judged_D = get_judged(round) & is_drawn
    found_D = round.evidence_DC[:, candidate] == 1
    q_D = xp.where(found_D, round.verdict_q16_DC[:, candidate], network.base_rate_q16)
    score_D = score_verdict(q_D, is_false, params.false_flag_threshold_q16)
    return Graded(
        counted_S=judged_D,
        forfeited_S=(round.discriminator_D >= 0) & ~judged_D & is_drawn,
        score_q16_S=xp.where(judged_D, score_D, 0),
        house_q16=score_verdict(network.base_rate_q16, is_false, params.false_flag_threshold_q16),
        is_right_S=as_int64((q_D >= Q16 // 2) == (is_false == 1)),
        has_opinion_S=judged_D & found_D,
    )


def compute_payouts(wager_micro: Array, graded: Graded) -> Array:
    """Pi [S]: what each counted seat gets back for its wager m; sums to at most n m plus half of it from the house."""
    n, score_S = total(graded.counted_S), graded.score_q16_S
    pool_q16 = (2 * n << 16) - total(score_S) - n * graded.house_q16
    payout_S = floor_divide(wager_micro * (pool_q16 + 2 * n * score_S), 2 * n << 16)
    return namespace(payout_S).where(graded.counted_S, payout_S, 0)


def settle_wagers(
    network: Network, nodes: Nodes, seat_S: Array, wager_micro: Array, graded: Graded
) -> tuple[Network, Nodes, Array, Array]:
    """Pay one role's wagers and release the reservation; returns network, nodes, results [N] and forfeits [N] (<= 0).

    What the seats win the purse loses, floors included; forfeits go to the treasury.
    """
    xp = namespace(seat_S)
    result_S = compute_payouts(wager_micro, graded) - xp.where(graded.counted_S, wager_micro, 0)
    result_N = count_seats(nodes, seat_S, result_S)
    forfeit_N = -wager_micro * count_seats(nodes, seat_S, as_int64(graded.forfeited_S))
    nodes = lock_wagers(nodes, seat_S, wager_micro, -1)
    nodes = nodes._replace(bonded_micro_N=nodes.bonded_micro_N + result_N + forfeit_N)
    network = network._replace(
        purse_micro=network.purse_micro - total(result_N),
        purse_reserved_micro=network.purse_reserved_micro - _house_loss(total(seat_S >= 0), wager_micro),
        treasury_micro=network.treasury_micro - total(forfeit_N),
    )
    return network, nodes, result_N, forfeit_N


def move_base_rate(params: Params, network: Network, round: Round, truth_C: Array) -> Network:
    """b after an audited task: a step of 1/64 towards the share of false answers among the revealed seats."""
    xp = namespace(round.answer_G)
    answered_G = get_answered(round)
    false_seats = total(answered_G & (truth_C[xp.maximum(round.answer_G, 0)] == 0))
    step_q16 = (floor_divide(false_seats << 16, total(answered_G)) - network.base_rate_q16) >> params.base_rate_shift
    moved_q16 = xp.clip(network.base_rate_q16 + step_q16, params.base_rate_min_q16, params.base_rate_max_q16)
    return network._replace(base_rate_q16=xp.where(total(answered_G) > 0, moved_q16, network.base_rate_q16))


def _house_loss(seats: Array, wager_micro: Array) -> Array:
    """Scores differ by at most 1, so the house never loses more than half of what the seats put up."""
    return (seats * wager_micro + 1) // 2
