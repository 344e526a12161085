"""R4: the confidence-weighted vote. Log-odds add up, deflated by correlation, against the best rival answer.

Stake does not appear here: it chose the seats, and using it twice would make influence go with its square.
"""

from typing import NamedTuple

from consensus.rules.log_odds import logit_q12
from consensus.rules.seats import first_seats
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Params, Round
from consensus.units import Q16, Array, namespace, total

NO_SCORE_Q12 = -(1 << 40)  # below any score that evidence can add up to


class Tally(NamedTuple):
    """One round counted. Scores are 0 for a candidate that nobody proposed."""

    score_q12_C: Array  # s
    generator_score_q12_C: Array
    discriminator_score_q12_C: Array
    generator_evidence_q12_G: Array  # e
    discriminator_evidence_q12_DC: Array
    best: Array  # [] candidate with the highest score, the lowest number among equals; -1 if nobody answered
    margin_q12: Array  # [] Lambda = s_best - max(0, s_second)
    support_q12: Array  # [] sum of the discriminators' e on the best candidate, before the division
    seats_on_C: Array  # revealed generator seats on each candidate
    generators: Array  # [] revealed seats
    discriminators: Array  # [] revealed seats
    distinct_generators: Array  # [] nodes among the revealed generator seats


def get_answered(round: Round) -> Array:
    """True [G] for generator seats whose answer was revealed in time."""
    return (round.generator_G >= 0) & (round.answer_G >= 0)


def get_judged(round: Round) -> Array:
    """True [D] for discriminator seats whose verdicts were revealed in time."""
    return (round.discriminator_D >= 0) & (round.revealed_D == 1)


def compute_confidence_x(params: Params, round: Round) -> Array:
    """x_G [G]: the clipped log-odds of each seat's confidence."""
    xp = namespace(round.confidence_q16_G)
    return xp.clip(logit_q12(round.confidence_q16_G), -params.evidence_clip_q12, params.evidence_clip_q12)


def compute_verdict_x(params: Params, network: Network, verdict_q16: Array, evidence: Array) -> Array:
    """x_D: minus the clipped log-odds that a candidate is false, relative to the base rate b; 0 without evidence.

    Of the shape of `verdict_q16`. The verdict's own log-odds are not clipped before b is taken off.
    """
    xp = namespace(verdict_q16)
    relative = logit_q12(verdict_q16) - logit_q12(network.base_rate_q16)
    return xp.where(evidence == 1, -xp.clip(relative, -params.evidence_clip_q12, params.evidence_clip_q12), 0)


def tally_round(params: Params, network: Network, nodes: Nodes, round: Round) -> Tally:
    """Evidence, scores and margin of one round (R4)."""
    xp = namespace(round.answer_G)
    answered_G, judged_D = get_answered(round), get_judged(round)
    kappa_q12 = params.kappa_q12_K[round.task_class]
    rho_q16_R = params.rho_q16_KR[round.task_class]
    candidate_C = xp.arange(round.answer_G.shape[0], dtype=xp.int64)
    proposed_GC = answered_G[:, None] & (round.answer_G[:, None] == candidate_C[None, :])
    seats_on_C = total(proposed_GC, axis=0)
    is_live_C = seats_on_C > 0

    beta_G = nodes.beta_q16_NR[xp.maximum(round.generator_G, 0), GENERATOR]
    e_G = xp.where(answered_G, (beta_G * (compute_confidence_x(params, round) + kappa_q12)) >> 16, 0)
    beta_D = nodes.beta_q16_NR[xp.maximum(round.discriminator_D, 0), DISCRIMINATOR]
    x_DC = compute_verdict_x(params, network, round.verdict_q16_DC, round.evidence_DC)
    e_DC = xp.where(judged_D[:, None] & is_live_C[None, :], (beta_D[:, None] * x_DC) >> 16, 0)

    generators, discriminators = total(answered_G), total(judged_D)
    sum_G_C = total(xp.where(proposed_GC, e_G[:, None], 0), axis=0)
    sum_D_C = total(e_DC, axis=0)
    part_G_C = (sum_G_C << 16) // _deflate(generators, rho_q16_R[GENERATOR])
    part_D_C = (sum_D_C << 16) // _deflate(discriminators, rho_q16_R[DISCRIMINATOR])
    score_C = xp.where(is_live_C, part_G_C + part_D_C - kappa_q12, 0)

    ranked_C = xp.where(is_live_C, score_C, NO_SCORE_Q12)
    best = xp.argmax(ranked_C)
    is_best_C = candidate_C == best
    rival_q12 = xp.max(xp.where(is_best_C, NO_SCORE_Q12, ranked_C))
    return Tally(
        score_q12_C=score_C,
        generator_score_q12_C=part_G_C,
        discriminator_score_q12_C=part_D_C,
        generator_evidence_q12_G=e_G,
        discriminator_evidence_q12_DC=e_DC,
        best=xp.where(generators > 0, best, -1).astype(xp.int64),
        margin_q12=xp.where(generators > 0, score_C[best] - xp.maximum(rival_q12, 0), 0),
        support_q12=sum_D_C[best],
        seats_on_C=seats_on_C,
        generators=generators,
        discriminators=discriminators,
        distinct_generators=total(first_seats(round.generator_G, answered_G)),
    )


def _deflate(revealed: Array, rho_q16: Array) -> Array:
    """1 + (n - 1) rho in Q16: n correlated voices count for n / (1 + (n - 1) rho) independent ones."""
    return Q16 + namespace(revealed).maximum(revealed - 1, 0) * rho_q16
