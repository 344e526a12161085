"""The law's own vote (R4) on the same votes, so that it stands beside the rules it is compared with.

Only its generators' half: nobody judges the answers here, and R5's threshold does not abstain. What the network really
accepts also needs the discriminators' verdicts and enough margin. `learn_voices` is what audits add.
"""

from typing import Any

import numpy as np

from consensus import presets
from consensus.aggregation.loops import map_tasks
from consensus.aggregation.votes import Decision, Votes, choose_best
from consensus.rules.tally import compute_confidence_x, tally_round
from consensus.rules.voice import update_voice
from consensus.state import GENERATOR, Network, Nodes, Params, Round
from consensus.units import Q12, Q16, Array, namespace, require_int64

GENERATOR_RHO = 0.3  # R4: until measured


def law(
    votes: Votes, candidates: int, kappa: Array | None = None, rho: Array = GENERATOR_RHO, beta: Array = 0.5
) -> Decision:
    """The candidate that the tally of `consensus.rules` puts first. The score is s in nats; nobody voted: -1.

    `kappa` is how much a coincidence proves (None: the law's, 0 for two answers, else 1.5), `rho` the published error
    correlation, `beta` the voice of every node, or one for each [N]. Weights are not read: stake chose the seats. The
    rules are integer, so JAX callers wrap the call in `jax.enable_x64(True)`; TypeError says so otherwise. NumPy goes
    through the tasks one by one, about a millisecond each; JAX takes them at once.
    """
    require_int64(votes.answer_TN)
    xp = namespace(votes.answer_TN)
    nodes = votes.answer_TN.shape[1]
    kappa = (0.0 if candidates == 2 else 1.5) if kappa is None else kappa
    params, network, state = _make_state(xp, nodes, kappa, rho)
    state = state._replace(beta_q16_NR=_repeat_voices(xp, beta, nodes))

    # The law numbers at most one candidate a seat, so seats that nobody holds make room for further ones.
    padding = ((0, 0), (0, max(candidates - nodes, 0)))
    answer_TG = xp.pad(votes.answer_TN, padding, constant_values=-1)
    confidence_TG = xp.pad(_to_integer(xp, votes.confidence_TN, Q16), padding)

    def score(answer_G: Array, confidence_q16_G: Array) -> Array:
        return tally_round(params, network, state, _make_round(answer_G, confidence_q16_G, nodes)).score_q12_C

    score_TC = map_tasks(score, answer_TG, confidence_TG)[:, :candidates]
    proposed_TC = xp.any(answer_TG[:, :, None] == xp.arange(candidates)[None, None, :], axis=1)
    score_TC = xp.where(proposed_TC, score_TC / Q12, -xp.inf)
    return choose_best(score_TC, xp.any(proposed_TC, axis=1))


def learn_voices(votes: Votes, truth_T: Array, beta: Array = 0.5) -> np.ndarray:
    """The voices [N] after audits of these tasks, one after the other (R4): who exaggerates loses its own. NumPy."""
    nodes = votes.answer_TN.shape[1]
    params, _, state = _make_state(np, nodes, 0.0, 0.0)
    state = state._replace(beta_q16_NR=_repeat_voices(np, beta, nodes))
    for answer_N, confidence_q16_N, truth in zip(
        votes.answer_TN, _to_integer(np, votes.confidence_TN, Q16), truth_T, strict=True
    ):
        round = _make_round(answer_N, confidence_q16_N, nodes)
        x_G, is_true_G = compute_confidence_x(params, round), (answer_N == truth).astype(np.int64)
        state = update_voice(params, state, GENERATOR, round.generator_G, answer_N >= 0, x_G, is_true_G)
    return np.asarray(state.beta_q16_NR[:, GENERATOR] / Q16)


def _make_state(xp: Any, nodes: int, kappa: Array, rho: Array) -> tuple[Params, Network, Nodes]:
    """The reference parameters with one kappa and rho, and a network of unproven nodes without money."""
    params = presets.reference()
    zeros_N, zeros_NR = np.zeros(nodes, dtype=np.int64), np.zeros((nodes, 2), dtype=np.int64)
    network, state = presets.genesis(params, zeros_N, zeros_N, zeros_NR + 1, 0, 0, 0)
    move = lambda leaves: type(leaves)(*(xp.asarray(leaf, dtype=xp.int64) for leaf in leaves))
    params = move(params)
    params = params._replace(
        kappa_q12_K=xp.zeros_like(params.kappa_q12_K) + _to_integer(xp, kappa, Q12),
        rho_q16_KR=xp.zeros_like(params.rho_q16_KR) + _to_integer(xp, rho, Q16),
    )
    return params, move(network), move(state)


def _make_round(answer_G: Array, confidence_q16_G: Array, nodes: int) -> Round:
    """A round of one task in which node g holds seat g, without discriminators or money."""
    xp = namespace(answer_G)
    zero, seats = xp.zeros((), dtype=xp.int64), answer_G.shape[0]
    none_D, none_DC = xp.zeros(0, dtype=xp.int64), xp.zeros((0, seats), dtype=xp.int64)
    return Round(
        task_class=zero,
        fee_micro=zero,
        tip_micro=zero,
        emission_micro=zero,
        flat_fee_micro_R=xp.zeros(2, dtype=xp.int64),
        wager_micro_R=xp.zeros(2, dtype=xp.int64),
        generator_G=xp.minimum(xp.arange(seats, dtype=xp.int64), nodes - 1),
        discriminator_D=none_D,
        answer_G=answer_G,
        confidence_q16_G=confidence_q16_G,
        revealed_D=none_D,
        verdict_q16_DC=none_DC,
        evidence_DC=none_DC,
    )


def _repeat_voices(xp: Any, beta: Array, nodes: int) -> Array:
    """beta [N,R] in Q16 from one number, or one a node, for both roles."""
    return xp.stack([xp.broadcast_to(_to_integer(xp, beta, Q16), (nodes,))] * 2, axis=1)


def _to_integer(xp: Any, value: Array, one: int) -> Array:
    """The nearest int64 of a fraction in units of 1/`one`."""
    return xp.rint(xp.asarray(value, dtype=float) * one).astype(xp.int64)
