"""One round of a simulated network: tasks open, nodes act, the tasks of `lag` rounds ago settle, the block ends.

Every rule is the ledger's own (`consensus.rules`). A round is one block. Its tasks open one after the other, since each
locks stake that the next cannot have; then all seated nodes act, on what they may see; then the oldest tasks in flight
settle one after the other, and those that are canaries or picked by the beacon are audited at once.
"""

from consensus.rules import settle
from consensus.rules.supply import compute_supply_micro
from consensus.simulator.acting import act
from consensus.simulator.agents import Dice, Questions, Stream, draw_questions, make_dice
from consensus.simulator.committee import gather, scatter
from consensus.simulator.draws import draw_bytes
from consensus.simulator.loops import scan
from consensus.simulator.metrics import Metrics, Settled, count_round, count_task
from consensus.simulator.opening import open_round
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import ASKER, Pending, State
from consensus.state import Array, Network, Nodes, Round
from consensus.units import namespace, total


def play_round(static: Static, setting: Setting, seed: Array, state: State) -> State:
    """The state one round later. Pure; NumPy or, in `jax.enable_x64`, JAX arrays."""
    law, network, nodes = setting.law, state.network, state.nodes
    dice = make_dice(seed, state.round, static.tasks)
    questions = draw_questions(setting.demand, law.canary_rate_q16, dice)
    network, nodes, rounds, is_open_T = open_round(
        static, setting, network, nodes, questions, draw_beacon(static, dice)
    )
    pending = fill_in(static, setting, dice, network, nodes, questions._replace(is_open_T=is_open_T), rounds)

    oldest, *younger = (*state.waiting, pending)
    settle_one = lambda carry, task: (settle_pending(setting, carry, task), carry[2].rounds)
    (network, nodes, metrics), _ = scan(settle_one, (network, nodes, state.metrics), oldest)
    network, nodes = settle.end_block(law, network, nodes, total(is_open_T))
    metrics = metrics._replace(
        opened=metrics.opened + total(is_open_T),
        refused=metrics.refused + total(questions.is_open_T - is_open_T),
    )
    metrics = count_round(metrics, law, network, nodes, compute_supply_micro(network, nodes))
    return State(network, nodes, tuple(younger), state.round + 1, metrics)


def draw_beacon(static: Static, dice: Dice) -> tuple[Array, Array]:
    """The beacon bytes of a round's seats: [T,G,16] and [T,D,16]."""
    shapes = (Stream.GENERATOR_SEATS, static.generator_seats), (Stream.DISCRIMINATOR_SEATS, static.discriminator_seats)
    xp = namespace(dice.round)
    bytes_R = []
    for stream, seats in shapes:
        row_S = xp.arange(static.tasks * seats, dtype=xp.int64)
        drawn = draw_bytes(dice.key(stream), row_S)
        bytes_R.append(xp.reshape(drawn, (static.tasks, seats, 16)))
    return bytes_R[0], bytes_R[1]


def fill_in(
    static: Static, setting: Setting, dice: Dice, network: Network, nodes: Nodes, questions: Questions, rounds: Round
) -> Pending:
    """The opened tasks with what their seats will reveal."""
    acted = act(setting, dice, network, nodes, questions, rounds)
    draw = lambda stream: draw_bytes(dice.key(stream), questions.place_T)
    return Pending(
        round=acted.round,
        is_open_T=questions.is_open_T,
        is_canary_T=questions.is_canary_T,
        kind_T=questions.kind_T,
        truth_TC=acted.truth_TC,
        candidate_draw_T16=draw(Stream.CANDIDATE),
        audit_draw_T16=draw(Stream.AUDIT),
        effort_micro_TG=acted.effort_micro_TG,
        effort_micro_TD=acted.effort_micro_TD,
    )


def settle_pending(
    setting: Setting, carry: tuple[Network, Nodes, Metrics], task: Pending
) -> tuple[Network, Nodes, Metrics]:
    """Settle one task (leaves without the axis T) on its committee's rows: the law's steps, in its order.

    The place of a task that never opened holds an empty round, which moves nothing.
    """
    network, nodes, metrics = carry
    committee = gather(nodes, task.round, ASKER)
    network, rows, settled = settle_rows(setting, network, committee.nodes, committee.round, task)
    outcome, is_audited, is_overturned, paid = settled
    xp = namespace(network.height)
    group_B = xp.where(committee.index_B >= 0, setting.conduct.group_N[xp.maximum(committee.index_B, 0)], 0)
    counts = Settled(
        is_open=task.is_open_T,
        is_canary=task.is_canary_T,
        kind=task.kind_T,
        truth_C=task.truth_TC,
        round=committee.round,
        outcome=outcome,
        is_audited=is_audited,
        is_overturned=is_overturned,
        paid=paid,
        jailed_B=rows.jailed_until_N != committee.nodes.jailed_until_N,
        group_B=group_B,
        effort_micro_G=task.effort_micro_TG,
        effort_micro_D=task.effort_micro_TD,
    )
    nodes = scatter(nodes, committee.index_B, committee.nodes, rows)
    return network, nodes, count_task(metrics, setting.law, counts)


def settle_rows(
    setting: Setting, network: Network, nodes: Nodes, round: Round, task: Pending
) -> tuple[Network, Nodes, tuple]:
    """The rules of one settlement on any rows, all N or a committee's; the payer is row ASKER of them.

    Returns the network, the rows, and (outcome, audited?, overturned?, what both steps paid).
    """
    law = setting.law
    xp = namespace(network.height)
    draws = task.candidate_draw_T16, task.audit_draw_T16
    network, nodes, outcome, paid = settle.settle_task(law, network, nodes, round, *draws, -1, task.is_canary_T, ASKER)
    is_audited = (task.is_canary_T == 1) | (outcome.is_random_audit == 1)
    is_false = task.truth_TC[xp.maximum(outcome.accepted, 0)] == 0
    is_overturned = is_audited & (outcome.accepted >= 0) & is_false
    audited = settle.settle_audit(law, network, nodes, round, outcome, task.truth_TC, outcome.is_random_audit)
    network, nodes = _select(is_audited, audited[:2], (network, nodes))
    paid_audit = type(paid)(*(xp.where(is_audited, leaf, 0) for leaf in audited[2]))
    # What this task paid into escrow is all there is: the challenge window is not simulated.
    escrow = nodes.escrow_micro_N
    taken = settle.overturn(law, network, nodes, escrow)
    network, nodes = _select(is_overturned, taken, settle.release_escrow(network, nodes, escrow))
    return network, nodes, (outcome, is_audited, is_overturned, (paid, paid_audit))


def _select(condition: Array, then: tuple, otherwise: tuple) -> tuple:
    """`then` or `otherwise`, leaf by leaf; a leaf that is the same in both stays as it is."""
    xp = namespace(condition)
    pick = lambda a, b: a if a is b else xp.where(condition, a, b)
    return tuple(
        type(a)(*(pick(x, y) for x, y in zip(a, b, strict=True))) for a, b in zip(then, otherwise, strict=True)
    )
