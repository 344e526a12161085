"""`settle_recorded`: what a real network revealed, through the rules once more: what would another law have made of it?

Under the parameters of the run the same payments and the same state come out, to the micro-token. Under others the
same nodes sit on the same seats and say the same, at the same heights; fees, wagers, tally, threshold, audits, scores,
slashes, voices and reputations are those of the new law. So what it cannot show is what nodes would have done
otherwise, or whom other reputations would have seated.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from consensus.limits import check_arithmetic
from consensus.recorded import END, SETTLE, Recorded, RecordedTasks
from consensus.rules import settle
from consensus.rules.emission import draw_emission
from consensus.rules.fee import charge_fee
from consensus.rules.pot import compute_flat_fees
from consensus.rules.wager import compute_nominal_wagers, lock_wagers, reserve_wagers
from consensus.simulator.committee import put_rows
from consensus.simulator.loops import is_numpy, map_leaves, scan
from consensus.simulator.run import COMPILER_OPTIONS, call
from consensus.state import DISCRIMINATOR, GENERATOR, Array, Network, Nodes, Outcome, Params, Payments, Round
from consensus.units import as_int64, namespace

BACKENDS = ("jit", "numpy")


class Resettled(NamedTuple):
    """What the law makes of a recorded run."""

    network: Network  # after the last block
    nodes: Nodes
    accepted_T: Array  # candidate, -1 if the network abstained
    reason_T: Array  # of R5, codes of consensus.state
    margin_q12_T: Array
    tau_q12_T: Array
    is_audited_T: Array
    is_right_T: Array  # 1 if the accepted candidate is true; -1 if nobody knows, or nothing was accepted
    paid_TN: Payments  # by task and node, over all its steps
    moved_micro_TN: Array  # every change of what a node owns: fees paid and refunded, escrow taken, and all of paid_TN


class _Book(NamedTuple):
    """What is kept of a task between its steps."""

    fee_micro_T: Array
    emission_micro_T: Array
    flat_fee_micro_TR: Array
    wager_micro_TR: Array
    escrow_micro_TN: Array
    accepted_T: Array
    drawn_T: Array
    is_waiting_T: Array  # 1 while a random audit waits for its truth


class _Entry(NamedTuple):
    """What one step leaves."""

    paid: Payments
    moved_micro_N: Array
    outcome_4: Array  # accepted, reason, margin, tau
    is_audited: Array
    least_micro: Array  # the smallest liquid and the smallest free stake of any node: negative if it could not pay


_State = tuple[Network, Nodes, _Book]


def settle_recorded(params: Params, recorded: Recorded, backend: str = "jit") -> Resettled:
    """Settle a recorded run under `params`; NumPy int64 in and out. `backend` is "jit" or "numpy": the same bits.

    Compiles once for all parameters of one run. Raises ValueError with one sentence if the law cannot bear the
    parameters, or if a node of the run could not have paid what they ask of it.
    """
    tasks = recorded.tasks
    check_arithmetic(params, tasks.generator_TG.shape[1], tasks.discriminator_TD.shape[1])
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend}: choose one of {', '.join(BACKENDS)}")
    played = _play(params, recorded) if backend == "numpy" else call(_compiled(), params, recorded)
    (network, nodes, _), entries = played
    if int(np.min(entries.least_micro)) < 0:
        raise ValueError("under these parameters a node of the run could not have paid its fees or wagers: lower them")
    return _collect(recorded, network, nodes, entries)


@cache
def _compiled() -> Callable[..., Any]:
    import jax

    return jax.jit(_play, compiler_options=COMPILER_OPTIONS)


def _play(params: Params, recorded: Recorded) -> tuple[_State, _Entry]:
    """All steps; the last state, and an entry a step."""
    network, nodes, tasks = recorded.network, recorded.nodes, recorded.tasks
    xp = namespace(recorded.step_S)
    T, N = tasks.generator_TG.shape[0], nodes.bonded_micro_N.shape[0]
    zeros = lambda *shape: xp.zeros((T, *shape), xp.int64)
    book = _Book(zeros(), zeros(), zeros(2), zeros(2), zeros(N), zeros() - 1, zeros() - 1, zeros())
    nodes = nodes._replace(beta_q16_NR=nodes.beta_q16_NR * 0 + params.beta_start_q16)
    network = network._replace(base_rate_q16=network.base_rate_q16 * 0 + params.base_rate_start_q16)
    body = lambda state, row: _step(params, tasks, state, row)
    return scan(body, (network, nodes, book), (recorded.step_S, recorded.subject_S))


def _step(params: Params, tasks: RecordedTasks, state: _State, row: tuple[Array, Array]) -> tuple[_State, _Entry]:
    """One step by its kind; what it moved is the difference of what every node owns."""
    kind, subject = row
    before = state[1]
    branches: list[Callable[..., tuple]] = [partial(act, params, tasks) for act in (_open, _settle, _audit, _close)]
    branches.append(partial(_end, params))
    if is_numpy(kind):
        state, paid, outcome_4, is_audited = branches[int(kind)](state, subject)
    else:
        import jax

        state, paid, outcome_4, is_audited = jax.lax.switch(kind, branches, state, subject)
    nodes = state[1]
    xp = namespace(nodes.bonded_micro_N)
    free_micro_N = nodes.bonded_micro_N - nodes.locked_micro_N
    least_micro = xp.minimum(xp.min(free_micro_N), xp.min(nodes.liquid_micro_N))
    return state, _Entry(paid, _owned(nodes) - _owned(before), outcome_4, is_audited, least_micro)


def _open(params: Params, tasks: RecordedTasks, state: _State, t: Array) -> tuple:
    """R1, R11, R7: the law's `open_task` with the seats as they were."""
    network, nodes, book = state
    tip_micro = tasks.tip_micro_T[t]
    fee_micro = network.base_fee_micro + tip_micro
    network, nodes = charge_fee(network, nodes, tasks.payer_T[t], tip_micro)
    network, emission_micro = draw_emission(params, network)
    seats = tasks.generator_TG[t], tasks.discriminator_TD[t]
    flat_fee_micro_R = compute_flat_fees(params, tip_micro + emission_micro, *(seat_S.shape[0] for seat_S in seats))
    nominal_micro_R = compute_nominal_wagers(params, flat_fee_micro_R)
    wagers = []
    for role in (GENERATOR, DISCRIMINATOR):
        network, wager_micro = reserve_wagers(network, seats[role], nominal_micro_R[role])
        nodes = lock_wagers(nodes, seats[role], wager_micro, 1)
        wagers.append(wager_micro)
    book = _write(
        book,
        t,
        fee_micro_T=fee_micro,
        emission_micro_T=emission_micro,
        flat_fee_micro_TR=flat_fee_micro_R,
        wager_micro_TR=namespace(fee_micro).stack(wagers),
    )
    return (network, nodes, book), *_nothing(nodes)


def _settle(params: Params, tasks: RecordedTasks, state: _State, t: Array) -> tuple:
    """R4 to R8; a canary is audited at once."""
    network, nodes, book = state
    round, is_canary, truth_C = _get_round(tasks, book, t), tasks.is_canary_T[t], tasks.truth_TC[t]
    escrow_micro_N = nodes.escrow_micro_N
    draws = tasks.candidate_draw_T16[t], tasks.audit_draw_T16[t]
    payees = tasks.proposer_T[t], is_canary, tasks.payer_T[t]
    network, nodes, outcome, paid = settle.settle_task(params, network, nodes, round, *draws, *payees)
    escrow_micro_N = nodes.escrow_micro_N - escrow_micro_N
    audited = settle.settle_audit(params, network, nodes, round, outcome, truth_C, is_canary * 0)
    network, nodes = _pick(is_canary == 1, audited[:2], (network, nodes))
    paid = _add(paid, audited[2], is_canary)
    is_false = (is_canary == 1) & _is_false(outcome.accepted, truth_C)
    network, nodes, escrow_micro_N = _overturn(params, network, nodes, escrow_micro_N, is_false)
    book = _write(
        book,
        t,
        escrow_micro_TN=escrow_micro_N,
        accepted_T=outcome.accepted,
        drawn_T=outcome.drawn,
        is_waiting_T=outcome.is_random_audit,
    )
    told = namespace(is_canary).stack([outcome.accepted, outcome.reason, outcome.margin_q12, outcome.tau_q12])
    return (network, nodes, book), paid, told, is_canary


def _audit(params: Params, tasks: RecordedTasks, state: _State, t: Array) -> tuple:
    """R6 to R9, if the beacon has picked the task; else nothing."""
    network, nodes, book = state
    is_waiting, truth_C = book.is_waiting_T[t], tasks.truth_TC[t]
    outcome = _get_outcome(tasks, book, t)
    audited = settle.settle_audit(
        params, network, nodes, _get_round(tasks, book, t), outcome, truth_C, outcome.is_random_audit
    )
    network, nodes = _pick(is_waiting == 1, audited[:2], (network, nodes))
    is_false = (is_waiting == 1) & _is_false(outcome.accepted, truth_C)
    network, nodes, escrow_micro_N = _overturn(params, network, nodes, book.escrow_micro_TN[t], is_false)
    book = _write(book, t, escrow_micro_TN=escrow_micro_N, is_waiting_T=is_waiting * 0)
    empty, told, _ = _nothing(nodes)
    return (network, nodes, book), _add(empty, audited[2], is_waiting), told, is_waiting


def _close(params: Params, tasks: RecordedTasks, state: _State, t: Array) -> tuple:
    """R6, R7: W blocks later escrow is released, and wagers whose truth did not come are given back."""
    network, nodes, book = state
    unlocked = settle.unlock_wagers(params, network, nodes, _get_round(tasks, book, t))
    network, nodes = _pick(book.is_waiting_T[t] == 1, unlocked, (network, nodes))
    network, nodes = settle.release_escrow(network, nodes, book.escrow_micro_TN[t])
    book = _write(book, t, escrow_micro_TN=book.escrow_micro_TN[t] * 0, is_waiting_T=t * 0)
    return (network, nodes, book), *_nothing(nodes)


def _end(params: Params, state: _State, opened: Array) -> tuple:
    network, nodes, book = state
    network, nodes = settle.end_block(params, network, nodes, opened)
    return (network, nodes, book), *_nothing(nodes)


def _get_round(tasks: RecordedTasks, book: _Book, t: Array) -> Round:
    return Round(
        task_class=tasks.task_class_T[t],
        fee_micro=book.fee_micro_T[t],
        tip_micro=tasks.tip_micro_T[t],
        emission_micro=book.emission_micro_T[t],
        flat_fee_micro_R=book.flat_fee_micro_TR[t],
        wager_micro_R=book.wager_micro_TR[t],
        generator_G=tasks.generator_TG[t],
        discriminator_D=tasks.discriminator_TD[t],
        answer_G=tasks.answer_TG[t],
        confidence_q16_G=tasks.confidence_q16_TG[t],
        revealed_D=tasks.revealed_TD[t],
        verdict_q16_DC=tasks.verdict_q16_TDC[t],
        evidence_DC=tasks.evidence_TDC[t],
    )


def _get_outcome(tasks: RecordedTasks, book: _Book, t: Array) -> Outcome:
    """As much of a random audit's outcome as an audit reads: what was accepted and what was drawn."""
    zeros_G, zeros_DC = tasks.answer_TG[t] * 0, tasks.verdict_q16_TDC[t] * 0
    zero = t * 0
    scores = (zeros_G, zeros_G, zeros_G, zeros_G, zeros_DC, zero, zero, zero)
    return Outcome(book.accepted_T[t], zero, *scores, book.drawn_T[t], zero + 1)


def _overturn(params: Params, network: Network, nodes: Nodes, escrow_N: Array, is_false: Array) -> tuple:
    """R6: the escrow of a false answer is taken; returns what is left of it."""
    taken = settle.overturn(params, network, nodes, escrow_N)
    network, nodes = _pick(is_false, taken, (network, nodes))
    return network, nodes, namespace(escrow_N).where(is_false, 0, escrow_N)


def _is_false(accepted: Array, truth_C: Array) -> Array:
    return (accepted >= 0) & (truth_C[namespace(truth_C).maximum(accepted, 0)] == 0)


def _write(book: _Book, t: Array, **rows: Array) -> _Book:
    """The book with these rows of task t."""
    xp = namespace(book.fee_micro_T)
    index_1 = xp.zeros((1,), xp.int64) + t
    return book._replace(
        **{name: put_rows(getattr(book, name), index_1, xp.asarray(row)[None]) for name, row in rows.items()}
    )


def _pick(condition: Array, then: Any, otherwise: Any) -> Any:
    return map_leaves(lambda a, b: namespace(condition).where(condition, a, b), then, otherwise)


def _add(paid: Payments, more: Payments, times: Array) -> Payments:
    return Payments(*(one + times * other for one, other in zip(paid, more, strict=True)))


def _nothing(nodes: Nodes) -> tuple[Payments, Array, Array]:
    """No payment, no outcome, no audit."""
    xp = namespace(nodes.bonded_micro_N)
    zeros_N = xp.zeros_like(nodes.bonded_micro_N)
    return Payments(zeros_N, zeros_N, zeros_N, zeros_N), xp.zeros((4,), xp.int64), xp.zeros((), xp.int64)


def _owned(nodes: Nodes) -> Array:
    return nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N


def _collect(recorded: Recorded, network: Network, nodes: Nodes, entries: _Entry) -> Resettled:
    """Entries by step, added up by task; on NumPy."""
    tasks, is_task_S = recorded.tasks, recorded.step_S != END
    T = tasks.task_class_T.shape[0]

    def by_task(rows_S: np.ndarray) -> np.ndarray:
        sums = np.zeros((T, *rows_S.shape[1:]), np.int64)
        np.add.at(sums, recorded.subject_S[is_task_S], rows_S[is_task_S])
        return sums

    outcome_T4 = by_task(entries.outcome_4)
    was_settled_T = by_task(as_int64(recorded.step_S == SETTLE)) == 1
    accepted_T = np.where(was_settled_T, outcome_T4[:, 0], -1)
    is_true_T = np.take_along_axis(tasks.truth_TC, np.maximum(accepted_T, 0)[:, None], axis=1)[:, 0]
    return Resettled(
        network=network,
        nodes=nodes,
        accepted_T=accepted_T,
        reason_T=outcome_T4[:, 1],
        margin_q12_T=outcome_T4[:, 2],
        tau_q12_T=outcome_T4[:, 3],
        is_audited_T=by_task(entries.is_audited),
        is_right_T=np.where((accepted_T >= 0) & (tasks.is_known_T == 1), is_true_T, -1),
        paid_TN=Payments(*(by_task(leaf) for leaf in entries.paid)),
        moved_micro_TN=by_task(entries.moved_micro_N),
    )
