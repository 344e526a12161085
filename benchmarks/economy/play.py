"""Plays a run's tasks through the law: one `step` a task, on NumPy in a loop or on JAX under jit(vmap(scan))."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.economy.world import CANARY, UNIVERSE, Tasks
from consensus import presets
from consensus.rules import settle
from consensus.rules.supply import compute_supply_micro
from consensus.state import Network, Nodes, Params
from consensus.units import MICRO, SUPPLY_CAP_MICRO, add_at, as_int64, namespace

ASKER = 0  # row 0 asks; generators follow, then discriminators
TIP_MICRO = MICRO


class Log(NamedTuple):
    """What one task left behind."""

    accepted: Any  # universe index, -1 if abstained
    seat_answer_G: Any  # universe index of each seat
    seat_confidence_q16_G: Any
    is_audited: Any
    reason: Any
    margin_q12: Any
    tau_q12: Any
    supply_error_micro: Any
    stake_micro_N: Any  # liquid + bonded + unbonding + escrow after the task
    beta_q16_NR: Any
    wager_micro_R: Any
    base_rate_q16: Any
    purse_micro: Any


def start(params: Params, generators: int, discriminators: int, stake_pots: float) -> tuple[Network, Nodes]:
    """The first state: every node bonds so many pots; the purse is seeded with 60 pots."""
    pot_micro = get_pot_micro(params)
    N = 1 + generators + discriminators
    bonded_N = np.full(N, round(stake_pots * pot_micro))
    bonded_N[ASKER] = 0
    liquid_N = np.where(np.arange(N) == ASKER, 10**6 * MICRO, 0)
    role_NR = np.zeros((N, 2), dtype=np.int64)
    role_NR[1 : 1 + generators, 0] = 1
    role_NR[1 + generators :, 1] = 1
    return presets.genesis(params, liquid_N, bonded_N, role_NR, 10**6 * MICRO, 60 * pot_micro, MICRO)


def get_pot_micro(params: Params) -> int:
    """The pot of the first task, near enough."""
    return (9 * 10**8 * MICRO * int(params.emission_rate_q32) >> 32) + TIP_MICRO


def step(
    params: Params, state: tuple[Network, Nodes], task: Tasks, choose: Callable[..., Any]
) -> tuple[tuple[Network, Nodes], Log]:
    """One task through open, settle, audit and end of block. `task` holds one row of each array."""
    network, nodes = state
    xp = namespace(nodes.bonded_micro_N)
    A = task.answer_TA.shape[0]
    network, nodes, round = settle.open_task(
        params, network, nodes, ASKER, TIP_MICRO, 0, task.generator_draws_TG16, task.discriminator_draws_TD16
    )
    agent_G = xp.clip(round.generator_G - 1, 0, A - 1)
    agent_D = xp.maximum(round.discriminator_D - 1 - A, 0)
    answer_G = task.answer_TA[agent_G]
    seats_U = add_at(xp.zeros(UNIVERSE, dtype=xp.int64), answer_G, as_int64(round.generator_G >= 0))
    number_U = xp.cumsum(as_int64(seats_U > 0)) - 1  # candidates are numbered in the order of the universe
    G = answer_G.shape[0]
    is_candidate_CU = (xp.arange(G)[:, None] == number_U[None, :]) & (seats_U > 0)[None, :]
    universe_C = xp.sum(as_int64(is_candidate_CU) * xp.arange(UNIVERSE, dtype=xp.int64)[None, :], axis=1)
    truth_C = as_int64((universe_C == task.truth_T) & xp.any(is_candidate_CU, axis=1))
    round = round._replace(
        answer_G=xp.where(round.generator_G >= 0, number_U[answer_G], -1),
        confidence_q16_G=task.confidence_q16_TA[agent_G],
        revealed_D=task.reveals_TB[agent_D] * as_int64(round.discriminator_D >= 0),
        verdict_q16_DC=task.verdict_q16_TBU[agent_D][:, universe_C],
        evidence_DC=task.evidence_TBU[agent_D][:, universe_C],
    )
    is_canary = as_int64(task.kind_T >= CANARY)
    network, nodes, outcome, _ = settle.settle_task(
        params, network, nodes, round, task.candidate_draw_T16, task.audit_draw_T16, -1, is_canary, ASKER
    )
    is_audited = (is_canary == 1) | (outcome.is_random_audit == 1)
    accepted = xp.maximum(outcome.accepted, 0)
    is_false = is_audited & (outcome.accepted >= 0) & (truth_C[accepted] == 0)

    def audit(network: Network, nodes: Nodes) -> tuple[Network, Nodes]:
        return settle.settle_audit(params, network, nodes, round, outcome, truth_C, outcome.is_random_audit)[:2]

    network, nodes = choose(is_audited, audit, network, nodes)
    escrow_N = nodes.escrow_micro_N
    release = lambda network, nodes: settle.release_escrow(network, nodes, escrow_N)
    overturn = lambda network, nodes: settle.overturn(params, network, nodes, escrow_N)
    network, nodes = choose(is_false, overturn, network, nodes)
    network, nodes = choose(~is_false, release, network, nodes)
    network, nodes = settle.end_block(params, network, nodes, params.target_tasks)
    stake_N = nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N
    log = Log(
        accepted=xp.where(outcome.accepted >= 0, universe_C[accepted], -1),
        seat_answer_G=xp.where(round.generator_G >= 0, answer_G, -1),
        seat_confidence_q16_G=round.confidence_q16_G,
        is_audited=is_audited,
        reason=outcome.reason,
        margin_q12=outcome.margin_q12,
        tau_q12=outcome.tau_q12,
        supply_error_micro=compute_supply_micro(network, nodes) - SUPPLY_CAP_MICRO,
        stake_micro_N=stake_N,
        beta_q16_NR=nodes.beta_q16_NR,
        wager_micro_R=round.wager_micro_R,
        base_rate_q16=network.base_rate_q16,
        purse_micro=network.purse_micro,
    )
    return (network, nodes), log


def play_numpy(params: Params, state: tuple[Network, Nodes], tasks: Tasks) -> tuple[tuple[Network, Nodes], Log]:
    """The ledger's way: NumPy, task after task."""
    choose = lambda condition, then, network, nodes: then(network, nodes) if condition else (network, nodes)
    logs = []
    for row in zip(*tasks, strict=True):
        state, log = step(params, state, Tasks(*row), choose)
        logs.append(log)
    return state, Log(*(np.stack(leaf) for leaf in zip(*logs, strict=True)))


def play_jax(params: Params, state: tuple[Network, Nodes], runs: Tasks) -> tuple[tuple[Network, Nodes], Log]:
    """The simulator's way: all runs [S,T,...] at once; NumPy in, NumPy out."""
    import jax
    import jax.numpy as jnp

    def choose(condition: Any, then: Callable[..., Any], network: Network, nodes: Nodes) -> tuple[Network, Nodes]:
        return jax.tree.map(lambda a, b: jnp.where(condition, a, b), then(network, nodes), (network, nodes))

    with jax.enable_x64(True):
        key = tuple(x.shape for x in runs)
        if key not in _compiled:
            one = lambda p, s, t: jax.lax.scan(lambda carry, row: step(p, carry, row, choose), s, t)
            _compiled[key] = jax.jit(jax.vmap(one, in_axes=(None, None, 0)))
        out = _compiled[key](*jax.tree.map(jnp.asarray, (params, state, runs)))
        return jax.tree.map(np.asarray, out)


_compiled: dict[Any, Any] = {}
