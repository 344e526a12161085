"""The state of a simulated network: the ledger's own state, the tasks in flight, and running sums.

`start` makes the first state of a `Setting`; `step.play_round` moves it on by one round. What an experiment needs to
keep between rounds belongs into `State`; what is drawn afresh belongs into `agents.Stream`.
"""

from typing import Any, NamedTuple

from consensus.simulator.metrics import Metrics, start_metrics
from consensus.simulator.setting import Setting, Static
from consensus.state import Array, Network, Nodes, Round
from consensus.units import SUPPLY_CAP_MICRO, namespace, total

ASKER = 0  # the row that asks and pays


class Pending(NamedTuple):
    """Tasks in flight that opened in one round; every leaf has a leading axis T."""

    round: Round  # with what its seats will reveal
    is_open_T: Array  # 0: the place stayed empty
    is_canary_T: Array
    kind_T: Array
    truth_TC: Array  # 1 for each candidate that is true
    candidate_draw_T16: Array  # beacon bytes of R7 and R6
    audit_draw_T16: Array
    effort_micro_TG: Array  # what each seat's work cost, on the first seat of a node; not in the books
    effort_micro_TD: Array


class State(NamedTuple):
    """Everything that goes from one round to the next."""

    network: Network
    nodes: Nodes
    waiting: tuple[Pending, ...]  # `lag` of them, the oldest first
    round: Array  # [] number of the next round
    metrics: Metrics


def start(static: Static, setting: Setting) -> State:
    """The first state: stakes bonded, the rest of the supply in the reserve, nothing asked yet.

    Shapes come from `setting.conduct`; works on NumPy and JAX, so a sweep may vary stakes and purse.
    """
    conduct = setting.conduct
    xp = namespace(conduct.stake_micro_N)
    zero, zeros_N, zeros_NR = xp.zeros((), xp.int64), xp.zeros_like(conduct.group_N), xp.zeros_like(conduct.role_NR)
    given_micro = (
        total(conduct.stake_micro_N) + total(conduct.liquid_micro_N) + conduct.treasury_micro + conduct.purse_micro
    )
    network = Network(
        treasury_micro=conduct.treasury_micro + zero,
        reserve_micro=SUPPLY_CAP_MICRO - given_micro,
        burned_micro=zero,
        purse_micro=conduct.purse_micro + zero,
        purse_reserved_micro=zero,
        task_escrow_micro=zero,
        challenge_bonds_micro=zero,
        base_fee_micro=conduct.base_fee_micro + zero,
        integral_q12=zero,
        base_rate_q16=setting.law.base_rate_start_q16 + zero,
        height=zero + 1,
        exiting_micro=zero,
    )
    nodes = Nodes(
        liquid_micro_N=conduct.liquid_micro_N,
        bonded_micro_N=conduct.stake_micro_N,
        locked_micro_N=zeros_N,
        unbonding_micro_N=zeros_N,
        unbonding_release_N=zeros_N,
        escrow_micro_N=zeros_N,
        role_NR=conduct.role_NR,
        good_q8_NR=zeros_NR,
        bad_q8_NR=zeros_NR,
        beta_q16_NR=zeros_NR + setting.law.beta_start_q16,
        cusum_q16_NR=zeros_NR,
        jailed_until_N=zeros_N,
    )
    waiting = (empty_pending(xp, static),) * static.lag
    return State(network, nodes, waiting, zero, start_metrics(xp, static))


def empty_pending(xp: Any, static: Static) -> Pending:
    """T places in which nothing was asked."""
    T, G, D = static.tasks, static.generator_seats, static.discriminator_seats
    zeros = lambda *shape: xp.zeros((T, *shape), dtype=xp.int64)
    seats = (zeros(G) - 1, zeros(D) - 1, zeros(G) - 1, zeros(G), zeros(D), zeros(D, G), zeros(D, G))
    round = Round(zeros(), zeros(), zeros(), zeros(), zeros(2), zeros(2), *seats)
    return Pending(round, zeros(), zeros(), zeros(), zeros(G), zeros(16), zeros(16), zeros(G), zeros(D))


def compute_wealth_micro(nodes: Nodes) -> Array:
    """What each node owns [N]: liquid, bonded, unbonding and in escrow."""
    return nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N
