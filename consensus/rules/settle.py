"""The life of one task, one call a rule: open it, settle it, audit it. Read this file first.

Every function is pure and takes and returns whole NamedTuples of int64 arrays, NumPy or JAX (in `jax.enable_x64`).
Signatures, deadlines and who may call belong to the ledger; randomness arrives as beacon bytes.
"""

from consensus.rules.accept import compute_difficulty_q16, compute_tau_q12, decide, move_integral
from consensus.rules.audit import draw_candidate, pick_random_audit
from consensus.rules.challenge import open_challenge, overturn, release_escrow, uphold
from consensus.rules.emission import draw_emission
from consensus.rules.fee import can_open, charge_fee, compute_base_fee
from consensus.rules.pot import compute_flat_fees, pay_pot, return_pot
from consensus.rules.reputation import update_reputation
from consensus.rules.seats import compute_seat_weights, count_seats, draw_seats
from consensus.rules.slash import punish_alarms, slash_silent, update_cusum
from consensus.rules.stake import release_unbonding
from consensus.rules.tally import compute_confidence_x, compute_verdict_x, get_answered, get_judged, tally_round
from consensus.rules.voice import update_voice
from consensus.rules.wager import (
    compute_nominal_wagers,
    grade_discriminators,
    grade_generators,
    lock_wagers,
    move_base_rate,
    reserve_wagers,
    settle_wagers,
    unlock_round,
)
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Outcome, Params, Payments, Round
from consensus.units import Array, as_int64, namespace, require_int64

__all__ = [
    "can_open",
    "end_block",
    "open_challenge",
    "open_task",
    "overturn",
    "release_escrow",
    "settle_audit",
    "settle_task",
    "unlock_wagers",
    "uphold",
]


def open_task(
    params: Params,
    network: Network,
    nodes: Nodes,
    payer: Array,
    tip_micro: Array,
    task_class: Array,
    generator_draws_G16: Array,
    discriminator_draws_D16: Array,
) -> tuple[Network, Nodes, Round]:
    """Open a task: fee, emission, seats, flat fees and wagers. The caller has asked `can_open`.

    Draws are beacon bytes, int64 [S,16] of 0 to 255, one row a seat; they also fix the numbers of seats G and D.
    Returns the round with nothing revealed yet; the revealed leaves are filled in by the caller.
    """
    require_int64(params, network, nodes, generator_draws_G16, discriminator_draws_D16)
    xp = namespace(nodes.bonded_micro_N)
    G, D = generator_draws_G16.shape[0], discriminator_draws_D16.shape[0]
    tip_micro = xp.asarray(tip_micro, dtype=xp.int64)
    fee_micro = network.base_fee_micro + tip_micro
    network, nodes = charge_fee(network, nodes, payer, tip_micro)  # R1
    network, emission_micro = draw_emission(params, network)  # R11
    flat_fee_micro_R = compute_flat_fees(params, tip_micro + emission_micro, G, D)  # R7
    nominal_micro_R = compute_nominal_wagers(params, flat_fee_micro_R)

    barred_N = xp.zeros_like(nodes.bonded_micro_N) == 1
    seats, wagers = [], []
    for role, draws_S16 in ((GENERATOR, generator_draws_G16), (DISCRIMINATOR, discriminator_draws_D16)):
        needed_micro = draws_S16.shape[0] * nominal_micro_R[role]
        weight_N = compute_seat_weights(params, network, nodes, role, needed_micro, barred_N)  # R2
        seat_S = draw_seats(weight_N, draws_S16)
        network, wager_micro = reserve_wagers(network, seat_S, nominal_micro_R[role])  # R7
        nodes = lock_wagers(nodes, seat_S, wager_micro, 1)
        barred_N = count_seats(nodes, seat_S, as_int64(seat_S >= 0)) > 0  # nobody judges its own answer
        seats.append(seat_S)
        wagers.append(wager_micro)

    zeros_G, zeros_DG = xp.zeros(G, dtype=xp.int64), xp.zeros((D, G), dtype=xp.int64)
    round = Round(
        task_class=xp.asarray(task_class, dtype=xp.int64),
        fee_micro=fee_micro,
        tip_micro=tip_micro,
        emission_micro=emission_micro,
        flat_fee_micro_R=flat_fee_micro_R,
        wager_micro_R=xp.stack(wagers),
        generator_G=seats[GENERATOR],
        discriminator_D=seats[DISCRIMINATOR],
        answer_G=zeros_G - 1,
        confidence_q16_G=zeros_G,
        revealed_D=xp.zeros(D, dtype=xp.int64),
        verdict_q16_DC=zeros_DG,
        evidence_DC=zeros_DG,
    )
    return network, nodes, round


def settle_task(
    params: Params,
    network: Network,
    nodes: Nodes,
    round: Round,
    candidate_draw_16: Array,
    audit_draw_16: Array,
    proposer: Array,
    is_canary: Array,
    payer: Array,
) -> tuple[Network, Nodes, Outcome, Payments]:
    """Settle a task when its last window has closed: tally, decide, pay or refund, slash silence.

    `proposer` (-1: none) and `payer` are node indices, `is_canary` 0 or 1, draws are 16 beacon bytes. Wagers stay
    locked if the task is a canary or the beacon audits it: `settle_audit` or `unlock_wagers` must follow.
    """
    require_int64(params, network, nodes, round, candidate_draw_16, audit_draw_16)
    xp = namespace(nodes.bonded_micro_N)
    is_canary = xp.asarray(is_canary, dtype=xp.int64)
    G, D = round.generator_G.shape[0], round.discriminator_D.shape[0]
    tally = tally_round(params, network, nodes, round)  # R4
    difficulty_q16 = compute_difficulty_q16(tally.seats_on_C)  # R5
    tau_q12 = compute_tau_q12(params, network, difficulty_q16)
    accepted, reason = decide(tally, tau_q12, G, D)
    answered_G, judged_D = get_answered(round), get_judged(round)
    drawn = draw_candidate(round.answer_G, answered_G, candidate_draw_16)  # R6
    is_random_audit = pick_random_audit(params, audit_draw_16, is_canary)

    network, nodes, fee_N = pay_pot(params, network, nodes, round, accepted, proposer)  # R7
    network, nodes = return_pot(network, nodes, round, payer, accepted)  # R5
    network, nodes, slashed_N = slash_silent(params, network, nodes, round, answered_G, judged_D)  # R8
    is_unaudited = as_int64((is_canary == 0) & (is_random_audit == 0))
    network, nodes = unlock_round(network, nodes, round, is_unaudited)  # R6

    outcome = Outcome(
        accepted=accepted,
        reason=reason,
        score_q12_C=tally.score_q12_C,
        generator_score_q12_C=tally.generator_score_q12_C,
        discriminator_score_q12_C=tally.discriminator_score_q12_C,
        generator_evidence_q12_G=tally.generator_evidence_q12_G,
        discriminator_evidence_q12_DC=tally.discriminator_evidence_q12_DC,
        margin_q12=tally.margin_q12,
        tau_q12=tau_q12,
        difficulty_q16=difficulty_q16,
        drawn=drawn,
        is_random_audit=is_random_audit,
    )
    zeros_N = xp.zeros_like(slashed_N)
    return network, nodes, outcome, Payments(fee_N, zeros_N, zeros_N, -slashed_N)


def settle_audit(
    params: Params,
    network: Network,
    nodes: Nodes,
    round: Round,
    outcome: Outcome,
    truth_C: Array,
    is_random: Array,
) -> tuple[Network, Nodes, Payments]:
    """Settle the wagers of an audited task when its truth is known, and learn from it.

    `truth_C` [C] is 1 for each candidate that is true; `is_random` is 1 for a random audit, 0 for a canary or a
    challenge. The caller then overturns an accepted answer that is false.
    """
    require_int64(params, network, nodes, round, outcome, truth_C)
    xp = namespace(nodes.bonded_micro_N)
    candidate = xp.maximum(outcome.drawn, 0)
    x_D = compute_verdict_x(params, network, round.verdict_q16_DC[:, candidate], round.evidence_DC[:, candidate])
    is_true_D = xp.zeros_like(round.discriminator_D) + truth_C[candidate]
    graded_G = grade_generators(network, round, truth_C)
    graded_D = grade_discriminators(params, network, round, outcome.drawn, truth_C)
    roles = (
        (GENERATOR, round.generator_G, graded_G, compute_confidence_x(params, round), graded_G.is_right_S),
        (DISCRIMINATOR, round.discriminator_D, graded_D, x_D, is_true_D),
    )
    zeros_N = xp.zeros_like(nodes.bonded_micro_N)
    wager_N, forfeit_N, alarm_N = zeros_N, zeros_N, zeros_N == 1
    for role, seat_S, graded, x_S, is_true_S in roles:
        wager_micro = round.wager_micro_R[role]
        network, nodes, won_N, lost_N = settle_wagers(network, nodes, seat_S, wager_micro, graded)  # R7
        nodes = update_voice(params, nodes, role, seat_S, graded.counted_S, x_S, is_true_S)  # R4
        nodes, poor_N = update_cusum(params, nodes, role, seat_S, graded)  # R8
        nodes = update_reputation(params, nodes, role, seat_S, graded)  # R9
        wager_N, forfeit_N, alarm_N = wager_N + won_N, forfeit_N + lost_N, alarm_N | poor_N
    network, nodes, slashed_N = punish_alarms(params, network, nodes, alarm_N)  # R8

    network = move_base_rate(params, network, round, truth_C)  # R7
    is_wrong = truth_C[xp.maximum(outcome.accepted, 0)] == 0
    moved = move_integral(params, network, is_wrong)  # R5
    counts = (xp.asarray(is_random) == 1) & (outcome.accepted >= 0)
    network = network._replace(integral_q12=xp.where(counts, moved.integral_q12, network.integral_q12))
    return network, nodes, Payments(zeros_N, wager_N, forfeit_N, -slashed_N)


def unlock_wagers(params: Params, network: Network, nodes: Nodes, round: Round) -> tuple[Network, Nodes]:
    """R6: the truth of an audited task did not come within W blocks, so every wager is given back untouched."""
    require_int64(params, network, nodes, round)
    return unlock_round(network, nodes, round, 1)


def end_block(params: Params, network: Network, nodes: Nodes, tasks_opened: Array) -> tuple[Network, Nodes]:
    """Close a block: the next base fee (R1), stake whose unbonding is over (R10), and the height."""
    require_int64(params, network, nodes)
    nodes = release_unbonding(network, nodes)
    network = network._replace(
        base_fee_micro=compute_base_fee(params, network.base_fee_micro, tasks_opened),
        exiting_micro=network.exiting_micro * 0,
        height=network.height + 1,
    )
    return network, nodes
