"""What a run leaves behind: running integer sums, added up inside the loop, and never an array over rounds and nodes.

`count_task` adds one settled task, `count_round` a round, `finish` looks at the nodes once at the end; `summarise`
turns the sums into the shares and means that a person reads. K kinds of question, O groups, R roles.
"""

from typing import Any, NamedTuple

from consensus.rules.wager import compute_nominal_wagers
from consensus.simulator.committee import is_first
from consensus.simulator.setting import Static
from consensus.state import Array, Network, Nodes, Outcome, Params, Payments, Round
from consensus.units import SUPPLY_CAP_MICRO, add_at, as_int64, namespace, total

REASONS = 6  # X, codes of consensus.state


class Metrics(NamedTuple):
    """Sums over all settled tasks, unless it says otherwise. int64."""

    rounds: Array  # [] played
    opened: Array  # [] tasks that opened
    refused: Array  # [] places that were wanted and that the asker could not pay
    asked_K: Array  # tasks settled, by kind
    canary_K: Array  # of these, canaries
    right_K: Array  # accepted and true
    wrong_K: Array  # accepted and false; the rest abstained
    reason_X: Array  # by the reason of R5
    audited: Array  # [] canaries and random audits
    audited_wrong: Array  # [] randomly audited acceptances that were false: what I steers
    audited_accepted: Array  # [] randomly audited acceptances
    seat_right_K: Array  # revealed generator seats with a true answer: the mean node, for comparison
    seat_revealed_K: Array  # revealed generator seats
    plurality_right_K: Array  # tasks whose most proposed answer was true, had the network always accepted it
    empty_R: Array  # seats that nobody could take
    short_purse: Array  # [] tasks whose wagers the purse could not match in full
    seats_OR: Array  # seats taken
    reveals_OR: Array  # and revealed
    fee_micro_OR: Array  # flat fees earned
    overturned_micro_OR: Array  # flat fees lost again because the answer proved false
    wager_micro_OR: Array  # won or lost against peers and house
    forfeit_micro_OR: Array  # wagers lost for silence, <= 0
    slash_micro_OR: Array  # <= 0
    alarms_OR: Array  # times that CUSUM jailed a node (R8)
    effort_micro_OR: Array  # spent on running models; in nobody's books
    tau_q12_sum: Array  # [] of tau, over tasks
    tau_at_min: Array  # [] tasks at the lower bound of tau
    tau_at_max: Array  # []
    difficulty_q16_sum: Array  # [] of d
    integral_q12_sum: Array  # [] of I, over rounds
    integral_at_min: Array  # [] rounds at the lower bound of I
    integral_at_max: Array  # []
    base_rate_q16_sum: Array  # [] of b, over rounds
    jailed_sum: Array  # [] jailed nodes, over rounds
    free_purse_min_micro: Array  # [] smallest free purse at the end of a round
    base_fee_max_micro: Array  # []
    supply_error_max_micro: Array  # [] largest difference from the cap, after any round (I1): 0


def start_metrics(xp: Any, static: Static) -> Metrics:
    """Nothing counted yet."""
    sizes = {"K": static.kinds, "X": REASONS, "R": 2, "OR": static.groups * 2}
    sums = {}
    for name in Metrics._fields:
        tail = name.rpartition("_")[2]
        sums[name] = xp.zeros((sizes[tail],) if tail in sizes else (), dtype=xp.int64)
    return Metrics(**sums)._replace(free_purse_min_micro=xp.zeros((), xp.int64) + SUPPLY_CAP_MICRO)


class Settled(NamedTuple):
    """One settled task, as the counts need it."""

    is_open: Array
    is_canary: Array
    kind: Array
    truth_C: Array
    round: Round  # with rows for seats
    outcome: Outcome
    is_audited: Array  # bool
    is_overturned: Array  # bool
    paid: tuple[Payments, Payments]  # of settling and of the audit, on rows
    jailed_B: Array  # bool: jailed by this task
    group_B: Array
    effort_micro_G: Array
    effort_micro_D: Array


def count_task(metrics: Metrics, params: Params, task: Settled) -> Metrics:
    """The sums with one task more; an empty place adds nothing."""
    xp = namespace(task.kind)
    round, outcome, is_open = task.round, task.outcome, task.is_open
    answered_G = (round.generator_G >= 0) & (round.answer_G >= 0)
    right_G = answered_G & (task.truth_C[xp.maximum(round.answer_G, 0)] == 1)
    is_accepted = outcome.accepted >= 0
    is_right = is_accepted & (task.truth_C[xp.maximum(outcome.accepted, 0)] == 1)
    is_random = outcome.is_random_audit == 1
    seats_on_C = total(
        answered_G[:, None] & (round.answer_G[:, None] == xp.arange(task.truth_C.shape[0], dtype=xp.int64)[None, :]),
        axis=0,
    )
    plurality = xp.argmax(seats_on_C)
    at = lambda sums, index, amount: add_at(sums, index, is_open * amount)
    one = lambda sum, condition: sum + is_open * as_int64(condition)
    counted = metrics._replace(
        asked_K=at(metrics.asked_K, task.kind, 1),
        canary_K=at(metrics.canary_K, task.kind, task.is_canary),
        right_K=at(metrics.right_K, task.kind, as_int64(is_right)),
        wrong_K=at(metrics.wrong_K, task.kind, as_int64(is_accepted & ~is_right)),
        reason_X=at(metrics.reason_X, outcome.reason, 1),
        audited=one(metrics.audited, task.is_audited),
        audited_wrong=one(metrics.audited_wrong, is_random & is_accepted & ~is_right),
        audited_accepted=one(metrics.audited_accepted, is_random & is_accepted),
        seat_right_K=at(metrics.seat_right_K, task.kind, total(right_G)),
        seat_revealed_K=at(metrics.seat_revealed_K, task.kind, total(answered_G)),
        short_purse=one(
            metrics.short_purse,
            xp.any(round.wager_micro_R < compute_nominal_wagers(params, round.flat_fee_micro_R)),
        ),
        plurality_right_K=at(metrics.plurality_right_K, task.kind, task.truth_C[plurality]),
        tau_q12_sum=metrics.tau_q12_sum + is_open * outcome.tau_q12,
        tau_at_min=one(metrics.tau_at_min, outcome.tau_q12 == params.tau_min_q12),
        tau_at_max=one(metrics.tau_at_max, outcome.tau_q12 == params.tau_max_q12),
        difficulty_q16_sum=metrics.difficulty_q16_sum + is_open * outcome.difficulty_q16,
    )
    return _count_money(counted, task, answered_G)


def _count_money(metrics: Metrics, task: Settled, answered_G: Array) -> Metrics:
    """What every seat took and paid, by group and role. A node sits in one role of a task."""
    xp = namespace(task.kind)
    round, is_open = task.round, task.is_open
    seat_B = xp.concatenate([xp.zeros((1,), xp.int64) - 1, round.generator_G, round.discriminator_D])
    role_B = xp.where(xp.arange(seat_B.shape[0], dtype=xp.int64) > round.generator_G.shape[0], 1, 0)
    group_B = xp.where(seat_B >= 0, task.group_B[xp.maximum(seat_B, 0)], 0)
    # A row belongs to the role of the node's first seat; a row without a node is 0 in every column.
    index_B = group_B * 2 + role_B
    first_B = xp.where(is_first(seat_B), index_B, -1)
    taken_B = xp.where(seat_B >= 0, index_B, -1)
    judged_D = (round.discriminator_D >= 0) & (round.revealed_D == 1)
    shown_B = as_int64(xp.concatenate([xp.zeros((1,), bool), answered_G, judged_D]))
    effort_B = xp.concatenate([xp.zeros((1,), xp.int64), task.effort_micro_G, task.effort_micro_D])
    settled, audited = task.paid
    lost_B = xp.where(task.is_overturned & (role_B == 0), -settled.fee_micro_N, 0)
    add = lambda sums, index, amount: add_at(sums, index, is_open * amount)
    return metrics._replace(
        empty_R=add_at(metrics.empty_R, xp.where(seat_B[1:] < 0, role_B[1:], -1), is_open),
        seats_OR=add(metrics.seats_OR, taken_B, 1),
        reveals_OR=add(metrics.reveals_OR, taken_B, shown_B),
        fee_micro_OR=add(metrics.fee_micro_OR, first_B, settled.fee_micro_N),
        overturned_micro_OR=add(metrics.overturned_micro_OR, first_B, lost_B),
        wager_micro_OR=add(metrics.wager_micro_OR, first_B, audited.wager_micro_N),
        forfeit_micro_OR=add(metrics.forfeit_micro_OR, first_B, audited.forfeit_micro_N),
        slash_micro_OR=add(metrics.slash_micro_OR, first_B, settled.slash_micro_N + audited.slash_micro_N),
        alarms_OR=add(metrics.alarms_OR, first_B, as_int64(task.jailed_B)),
        effort_micro_OR=add(metrics.effort_micro_OR, taken_B, effort_B),
    )


def count_round(metrics: Metrics, params: Params, network: Network, nodes: Nodes, supply_micro: Array) -> Metrics:
    """The sums with one round more, at its end."""
    xp = namespace(network.height)
    free_micro = network.purse_micro - network.purse_reserved_micro
    error_micro = xp.abs(supply_micro - SUPPLY_CAP_MICRO)
    return metrics._replace(
        rounds=metrics.rounds + 1,
        integral_q12_sum=metrics.integral_q12_sum + network.integral_q12,
        integral_at_min=metrics.integral_at_min + as_int64(network.integral_q12 == params.integral_min_q12),
        integral_at_max=metrics.integral_at_max + as_int64(network.integral_q12 == params.integral_max_q12),
        base_rate_q16_sum=metrics.base_rate_q16_sum + network.base_rate_q16,
        jailed_sum=metrics.jailed_sum + total(nodes.jailed_until_N > network.height),
        free_purse_min_micro=xp.minimum(metrics.free_purse_min_micro, free_micro),
        base_fee_max_micro=xp.maximum(metrics.base_fee_max_micro, network.base_fee_micro),
        supply_error_max_micro=xp.maximum(metrics.supply_error_max_micro, error_micro),
    )
