"""Plays a run's tasks through the law: one `step` a task, on NumPy in a loop or on JAX under jit(vmap(scan))."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.economy.world import UNIVERSE, Tasks
from consensus import presets
from consensus.rules import settle
from consensus.rules.supply import compute_supply_micro
from consensus.state import Network, Nodes, Params, Round
from consensus.units import MICRO, SUPPLY_CAP_MICRO, add_at, as_int64, namespace

ASKER = 0  # row 0 asks; generators follow, then discriminators
TIP_MICRO = MICRO


class Log(NamedTuple):
    """What one task left behind."""

    accepted: Any  # universe index, -1 if abstained
    seat_answer_G: Any  # universe index of each seat
    seat_confidence_q16_G: Any
    is_audited: Any
    supply_error_micro: Any
    stake_micro_N: Any  # liquid + bonded + unbonding + escrow after the task
    beta_q16_NR: Any
    wager_micro_R: Any
    base_rate_q16: Any
    purse_micro: Any


State = tuple[Network, Nodes, tuple[Round, ...]]  # and the rounds in flight
Row = tuple[Tasks, Tasks, Any]  # one step's task to open, task that is due, and whether anything opens


def start(
    params: Params, generators: int, discriminators: int, stake_pots: float, purse_pots: int
) -> tuple[Network, Nodes]:
    """The first state: every node bonds so many pots, and the purse is seeded with some."""
    pot_micro = get_pot_micro(params)
    N = 1 + generators + discriminators
    bonded_N = np.full(N, round(stake_pots * pot_micro))
    bonded_N[ASKER] = 0
    liquid_N = np.where(np.arange(N) == ASKER, 10**6 * MICRO, 0)
    role_NR = np.zeros((N, 2), dtype=np.int64)
    role_NR[1 : 1 + generators, 0] = 1
    role_NR[1 + generators :, 1] = 1
    return presets.genesis(params, liquid_N, bonded_N, role_NR, 10**6 * MICRO, purse_pots * pot_micro, MICRO)


def get_pot_micro(params: Params) -> int:
    """The pot of the first task, near enough."""
    return (9 * 10**8 * MICRO * int(params.emission_rate_q32) >> 32) + TIP_MICRO


def step(params: Params, state: State, row: Row, choose: Callable[..., Any]) -> tuple[State, Log]:
    """Opens a task, settles the one that was opened first of those in flight, and closes a block."""
    network, nodes, waiting = state
    opened, due, is_open = row
    xp = namespace(nodes.bonded_micro_N)
    G, D = opened.generator_draws_TG16.shape[0], opened.discriminator_draws_TD16.shape[0]

    def ask(network: Network, nodes: Nodes, _: Round) -> tuple[Network, Nodes, Round]:
        draws = opened.generator_draws_TG16, opened.discriminator_draws_TD16
        network, nodes, round = settle.open_task(params, network, nodes, ASKER, TIP_MICRO, 0, *draws)
        return network, nodes, round

    network, nodes, asked = choose(is_open == 1, ask, network, nodes, empty_round(xp, G, D))
    round, *waiting = (*waiting, asked)
    round, universe_C, answer_G = reveal(round, due)
    is_candidate_C = xp.arange(G) < xp.max(round.answer_G) + 1
    truth_C = as_int64((universe_C == due.truth_T) & is_candidate_C)
    draws = due.candidate_draw_T16, due.audit_draw_T16
    network, nodes, outcome, _ = settle.settle_task(params, network, nodes, round, *draws, -1, due.is_canary_T, ASKER)
    is_audited = (due.is_canary_T == 1) | (outcome.is_random_audit == 1)
    accepted = xp.maximum(outcome.accepted, 0)
    is_false = is_audited & (outcome.accepted >= 0) & (truth_C[accepted] == 0)
    escrow_N = nodes.escrow_micro_N

    def audit(network: Network, nodes: Nodes) -> tuple[Network, Nodes]:
        return settle.settle_audit(params, network, nodes, round, outcome, truth_C, outcome.is_random_audit)[:2]

    network, nodes = choose(is_audited, audit, network, nodes)
    network, nodes = choose(is_false, lambda *s: settle.overturn(params, *s, escrow_N), network, nodes)
    network, nodes = choose(~is_false, lambda *s: settle.release_escrow(*s, escrow_N), network, nodes)
    network, nodes = settle.end_block(params, network, nodes, params.target_tasks)
    log = Log(
        accepted=xp.where(outcome.accepted >= 0, universe_C[accepted], -1),
        seat_answer_G=xp.where(round.generator_G >= 0, answer_G, -1),
        seat_confidence_q16_G=round.confidence_q16_G,
        is_audited=is_audited,
        supply_error_micro=compute_supply_micro(network, nodes) - SUPPLY_CAP_MICRO,
        stake_micro_N=nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N,
        beta_q16_NR=nodes.beta_q16_NR,
        wager_micro_R=round.wager_micro_R,
        base_rate_q16=network.base_rate_q16,
        purse_micro=network.purse_micro,
    )
    return (network, nodes, tuple(waiting)), log


def reveal(round: Round, task: Tasks) -> tuple[Round, Any, Any]:
    """The round as the agents reveal it, the universe index of each candidate [C], and of each seat's answer [G]."""
    xp = namespace(round.generator_G)
    A, G = task.answer_TA.shape[0], round.generator_G.shape[0]
    agent_G = xp.clip(round.generator_G - 1, 0, A - 1)
    agent_D = xp.maximum(round.discriminator_D - 1 - A, 0)
    answer_G = task.answer_TA[agent_G]
    seats_U = add_at(xp.zeros(UNIVERSE, dtype=xp.int64), answer_G, as_int64(round.generator_G >= 0))
    number_U = xp.cumsum(as_int64(seats_U > 0)) - 1  # candidates are numbered in the order of the universe
    is_candidate_CU = (xp.arange(G)[:, None] == number_U[None, :]) & (seats_U > 0)[None, :]
    universe_C = xp.sum(as_int64(is_candidate_CU) * xp.arange(UNIVERSE, dtype=xp.int64)[None, :], axis=1)
    revealed = round._replace(
        answer_G=xp.where(round.generator_G >= 0, number_U[answer_G], -1),
        confidence_q16_G=task.confidence_q16_TA[agent_G],
        revealed_D=task.reveals_TB[agent_D] * as_int64(round.discriminator_D >= 0),
        verdict_q16_DC=task.verdict_q16_TBU[agent_D][:, universe_C],
        evidence_DC=task.evidence_TBU[agent_D][:, universe_C],
    )
    return revealed, universe_C, answer_G


def empty_round(xp: Any, G: int, D: int) -> Round:
    """A round without seats and money: settling it moves nothing."""
    zero, zeros_R = xp.zeros((), dtype=xp.int64), xp.zeros(2, dtype=xp.int64)
    zeros_G, zeros_D, zeros_DC = (xp.zeros(shape, dtype=xp.int64) for shape in (G, D, (D, G)))
    seats = (zeros_G - 1, zeros_D - 1, zeros_G - 1, zeros_G, zeros_D, zeros_DC, zeros_DC)
    return Round(zero, zero, zero, zero, zeros_R, zeros_R, *seats)


def line_up(tasks: Tasks, in_flight: int) -> Row:
    """Which task opens and which is due at each step; the first steps settle, the last open, nothing real."""
    lag = in_flight - 1
    T = len(tasks.truth_T)
    order = np.arange(T + lag)
    opened = Tasks(*(leaf[np.minimum(order, T - 1)] for leaf in tasks))
    due = Tasks(*(leaf[np.maximum(order - lag, 0)] for leaf in tasks))
    return opened, due, (order < T).astype(np.int64)


def play_numpy(params: Params, start: tuple[Network, Nodes], tasks: Tasks, in_flight: int) -> Log:
    """The ledger's way: NumPy, task after task."""
    choose = lambda condition, then, *state: then(*state) if condition else state
    opened, due, is_open = line_up(tasks, in_flight)
    G, D = opened.generator_draws_TG16.shape[1], opened.discriminator_draws_TD16.shape[1]
    state: State = (*start, (empty_round(np, G, D),) * (in_flight - 1))
    logs = []
    for i in range(len(is_open)):
        row = Tasks(*(leaf[i] for leaf in opened)), Tasks(*(leaf[i] for leaf in due)), is_open[i]
        state, log = step(params, state, row, choose)
        logs.append(log)
    return Log(*(np.stack(leaf)[in_flight - 1 :] for leaf in zip(*logs, strict=True)))


def play_jax(params: Params, start: tuple[Network, Nodes], runs: list[Tasks], in_flight: int) -> list[Log]:
    """The simulator's way: all runs at once under jit(vmap(scan)); NumPy in, NumPy out."""
    import jax
    import jax.numpy as jnp

    def choose(condition: Any, then: Callable[..., Any], *state: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(condition, a, b), tuple(then(*state)), state)

    G, D = runs[0].generator_draws_TG16.shape[1], runs[0].discriminator_draws_TD16.shape[1]
    state = (*start, (empty_round(np, G, D),) * (in_flight - 1))
    rows = jax.tree.map(lambda *leaves: np.stack(leaves), *(line_up(tasks, in_flight) for tasks in runs))
    with jax.enable_x64(True):
        key = tuple(leaf.shape for leaf in jax.tree.leaves((params, state, rows)))
        if key not in _compiled:
            one = lambda p, s, r: jax.lax.scan(lambda carry, row: step(p, carry, row, choose), s, r)[1]
            _compiled[key] = jax.jit(jax.vmap(one, in_axes=(None, None, 0)))
        log = jax.tree.map(np.asarray, _compiled[key](*jax.tree.map(jnp.asarray, (params, state, rows))))
    return [Log(*(leaf[i, in_flight - 1 :] for leaf in log)) for i in range(len(runs))]


_compiled: dict[Any, Any] = {}
