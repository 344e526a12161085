"""Yuma consensus, Bittensor's rule: validators weigh servers, the stake's quantile clips who stands out.

Every epoch a validator gives each server a share of its weight. What exceeds the kappa quantile of stake is clipped;
servers earn by the clipped, stake-weighted sum; validators earn through bonds, a moving average of what they said, so
that who recognised a good server early holds more of it ("Yuma 3": a bond grows by itself, not in competition with the
others'). With liquid alpha the average moves faster where a validator runs ahead of the consensus or sells. It pays
for agreement, late or early, which the law never does (R7).
"""

from typing import NamedTuple

from consensus.aggregation.loops import map_tasks
from consensus.aggregation.votes import Decision, Votes, choose_best, spread_beliefs
from consensus.units import Array, namespace


class YumaParams(NamedTuple):
    """Everything a sweep may vary, as numbers or float arrays; the defaults are those of the published scenarios."""

    kappa: Array = 32767 / 65535  # the share of stake that must support a weight; subtensor stores it in 16 bits
    bond_rate: Array = 0.025  # weight of the newest epoch in a bond without liquid alpha: 1 - bonds_moving_average
    is_liquid: Array = 1.0  # 1: liquid alpha, 0: the fixed bond_rate
    alpha_low: Array = 0.1  # slowest and fastest liquid alpha
    alpha_high: Array = 0.3
    steepness: Array = 10.0  # of the sigmoid between them; subtensor stores 100 times it
    bonds_penalty: Array = 0.0  # 0: bonds follow the weights, 1: the clipped weights


class Epoch(NamedTuple):
    """One epoch's results. V validators, S servers."""

    consensus_S: Array  # the greatest weight that enough stake supports
    incentive_S: Array  # share of the servers' pay, sums to 1 (0 without any weight)
    trust_V: Array  # how much of a validator's weight the clipping left
    bond_VS: Array  # 0 to 1, the state for the next epoch
    dividend_V: Array  # share of the validators' pay, sums to 1 (0 without any bond)


def compute_consensus(stake_V: Array, weight_VS: Array, kappa: Array) -> Array:
    """The greatest weight [S] that at least a share kappa of the stake gives the server, or more: a weighted quantile.

    In ascending order it is the first weight at which the stake so far exceeds 1 - kappa of all stake.
    """
    xp = namespace(weight_VS)
    order_VS = xp.argsort(weight_VS, axis=0)
    cumulative_VS = xp.cumsum(stake_V[order_VS], axis=0)
    minority = (1 - kappa) * xp.sum(stake_V)
    crossing_1S = xp.argmax(cumulative_VS > minority, axis=0)[None, :]
    return xp.take_along_axis(xp.take_along_axis(weight_VS, order_VS, axis=0), crossing_1S, axis=0)[0]


def compute_liquid_alpha(params: YumaParams, weight_VS: Array, bond_VS: Array, consensus_S: Array) -> Array:
    """The rate [V,S] at which a bond moves: fast for who buys above consensus, or sells a bond it holds."""
    xp = namespace(weight_VS)
    bought_VS = xp.clip(weight_VS - consensus_S[None, :], 0, 1)
    sold_VS = xp.clip(bond_VS - weight_VS, 0, 1)
    change_VS = xp.where(weight_VS >= bond_VS, bought_VS, sold_VS)
    share_VS = 1 / (1 + xp.exp(-params.steepness * (change_VS - 0.5)))
    return params.alpha_low + share_VS * (params.alpha_high - params.alpha_low)


def settle_epoch(params: YumaParams, stake_V: Array, weight_VS: Array, bond_VS: Array) -> Epoch:
    """Consensus, pay and next bonds of one epoch of Yuma 3, as subtensor's `epoch` computes them.

    Stakes and weights are >= 0 and are scaled to sum to 1 here (a row without weight stays 0); bonds start at 0.
    subtensor keeps bonds in 16 bits between epochs, we keep the float: the results agree to 1e-4. Validators without
    a permit, self-weights and deregistered servers are the caller's to set to 0.

    Source: opentensor/subtensor, pallets/subtensor/src/epoch/run_epoch.rs (`epoch_dense`, `compute_bonds`,
    `alpha_sigmoid`) and math.rs (`weighted_median`), read in 2026.
    """
    xp = namespace(weight_VS)
    stake_V = _share(stake_V, axis=0)
    weight_VS = _share(weight_VS, axis=1)
    consensus_S = compute_consensus(stake_V, weight_VS, params.kappa)
    clipped_VS = xp.minimum(weight_VS, consensus_S[None, :])
    incentive_S = _share(xp.sum(clipped_VS * stake_V[:, None], axis=0), axis=0)

    bought_VS = (1 - params.bonds_penalty) * weight_VS + params.bonds_penalty * clipped_VS
    liquid_VS = compute_liquid_alpha(params, bought_VS, bond_VS, consensus_S)
    use_liquid = (params.is_liquid > 0) & xp.any(consensus_S > 0)
    alpha_VS = xp.where(use_liquid, liquid_VS, params.bond_rate)
    bond_VS = xp.clip((1 - alpha_VS) * bond_VS + alpha_VS * bought_VS, 0, 1)
    earned_V = xp.sum(_share(bond_VS, axis=0) * incentive_S[None, :], axis=1)
    return Epoch(
        consensus_S=consensus_S,
        incentive_S=incentive_S,
        trust_V=xp.sum(clipped_VS, axis=1),
        bond_VS=bond_VS,
        dividend_V=_share(earned_V * stake_V, axis=0),
    )


def yuma(votes: Votes, candidates: int, kappa: float = 0.5, clip: float = 1e-3) -> Decision:
    """The candidate with the greatest incentive, when nodes are validators and candidates are servers.

    A node weighs candidates by its belief: its confidence p on its choice, the rest shared equally, p held within
    `clip` to 1 - `clip`. The score is the incentive. Only the clipping decides an answer; bonds pay validators over
    epochs with lasting servers, and candidates do not last. Nobody with stake voted: -1.
    """
    xp = namespace(votes.answer_TN)
    belief_TNC = spread_beliefs(votes, candidates, clip)

    def rank(belief_NC: Array) -> Array:
        stake_N = xp.where(xp.sum(belief_NC, axis=1) > 0, votes.weight_N, 0)
        clipped_NC = xp.minimum(belief_NC, compute_consensus(stake_N, belief_NC, kappa)[None, :])
        return _share(xp.sum(clipped_NC * stake_N[:, None], axis=0), axis=0)

    score_TC = map_tasks(rank, belief_TNC)
    return choose_best(score_TC, xp.max(score_TC, axis=1) > 0)


def _share(x: Array, axis: int) -> Array:
    """x divided by its sum along the axis; 0 where the sum is 0."""
    xp = namespace(x)
    total = xp.sum(x, axis=axis, keepdims=True)
    return xp.where(total > 0, x / xp.where(total > 0, total, 1), 0)
