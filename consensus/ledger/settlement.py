"""What the end of a block does, in this order: open what was asked, close windows, settle, release, close the epoch."""

import numpy as np

from consensus.ledger import events
from consensus.ledger.auditing import CANARY, NONE, RANDOM, audit, is_true, overturn_audited, record_slashes
from consensus.ledger.draft import Draft, compute_stakes
from consensus.ledger.explain import describe_settlement
from consensus.ledger.hashing import next_beacon
from consensus.ledger.leaves import to_rows
from consensus.ledger.messages import Message, Task
from consensus.ledger.misconduct import end_epoch
from consensus.ledger.rounds import build_round, draw_once, draw_seats
from consensus.ledger.tasks import NOBODY, OpenTask, Phase, SettledTask, compute_candidates, replace
from consensus.rules.settle import end_block, open_task, release_escrow, settle_task, unlock_wagers
from consensus.state import Array, Outcome


def finish_block(draft: Draft, proposer: bytes) -> None:
    """Everything after the last transaction; `proposer` is paid for the tasks that settle, if it has an account."""
    draft.beacon = next_beacon(draft.beacon, draft.salts)
    opened = len(draft.asked)
    for message in draft.asked:
        _open(draft, message)
    for task in [task for task in draft.open.values() if task.deadlines[Phase.ANSWER_REVEAL] == draft.height]:
        equality = draft.genesis.classes[task.task_class].equality
        draft.open[task.id] = replace(task, candidates=compute_candidates(task.answers, equality))
    for task in [task for task in draft.open.values() if task.deadlines[-1] <= draft.height]:
        _settle(draft, task, draft.row.get(proposer, -1))
        del draft.open[task.id]
    for settled in [settled for settled in draft.pending.values() if settled.due() <= draft.height]:
        _close(draft, settled)
        del draft.pending[settled.id]
    end_epoch(draft)
    draft.network, draft.nodes = end_block(
        draft.params, draft.network, draft.nodes, tasks_opened=np.asarray(opened, np.int64)
    )


def _open(draft: Draft, message: Message) -> None:
    """R1, R2: charge the author, draw the seats with this block's beacon, fix the deadlines."""
    body, genesis, params = message.body, draft.genesis, draft.params
    assert isinstance(body, Task)
    base_fee_micro, before_N = int(draft.network.base_fee_micro), compute_stakes(draft.nodes)
    draft.network, draft.nodes, round = open_task(
        params=params,
        network=draft.network,
        nodes=draft.nodes,
        payer=draft.row[message.key],
        tip_micro=np.asarray(body.tip_micro, np.int64),
        task_class=np.asarray(body.task_class, np.int64),
        generator_draws_G16=draw_seats(draft.beacon, message.id, "generator", genesis.generator_seats),
        discriminator_draws_D16=draw_seats(draft.beacon, message.id, "discriminator", genesis.discriminator_seats),
    )
    deadlines = draft.height + np.cumsum(params.windows_blocks)
    task = OpenTask(
        id=message.id,
        author=message.key,
        nonce=message.nonce,
        task_class=body.task_class,
        prompt=body.prompt,
        truth_commitment=body.truth_commitment,
        tip_micro=body.tip_micro,
        fee_micro=int(round.fee_micro),
        emission_micro=int(round.emission_micro),
        flat_fee_micro=_pair(round.flat_fee_micro_R),
        wager_micro=_pair(round.wager_micro_R),
        opened=draft.height,
        deadlines=tuple(deadlines.tolist()),
        generators=_keys(draft, round.generator_G),
        discriminators=_keys(draft, round.discriminator_D),
    )
    draft.open[task.id] = task
    payments = draft.payments(compute_stakes(draft.nodes) - before_N, events.TASK_FEE)
    draft.events.append(
        events.TaskOpened(
            draft.height,
            task.id,
            task.author,
            task.nonce,
            task.task_class,
            task.prompt,
            task.tip_micro,
            base_fee_micro,
            task.emission_micro,
            task.flat_fee_micro,
            task.wager_micro,
            task.generators,
            task.discriminators,
            tuple(payments),
        )
    )


def _settle(draft: Draft, task: OpenTask, proposer: int) -> None:
    """R4-R8; a canary is audited at once, a random audit and an accepted answer's escrow stay pending."""
    round = build_round(draft, task)
    network, nodes = draft.network, draft.nodes
    draft.network, draft.nodes, outcome, payments = settle_task(
        params=draft.params,
        network=network,
        nodes=nodes,
        round=round,
        candidate_draw_16=draw_once(draft.beacon, task.id, "candidate"),
        audit_draw_16=draw_once(draft.beacon, task.id, "audit"),
        proposer=np.asarray(proposer, np.int64),
        payer=np.asarray(draft.row[task.author], np.int64),
        is_canary=np.asarray(len(task.canary), np.int64),
    )
    kind = CANARY if task.canary else RANDOM if int(outcome.is_random_audit) else NONE
    draft.events.append(describe_settlement(draft, task, network, nodes, outcome, payments, kind))
    record_slashes(draft, draft.payments(payments.slash_micro_N, events.NON_REVEAL))

    accepted = int(outcome.accepted)
    escrow_N = draft.nodes.escrow_micro_N - nodes.escrow_micro_N
    settled = SettledTask(
        id=task.id,
        task_class=task.task_class,
        prompt=task.prompt,
        accepted=() if accepted < 0 else (task.candidates[accepted],),
        fee_micro=task.fee_micro,
        release=draft.height + int(draft.params.challenge_window_blocks),
        escrow=tuple((draft.keys[i], int(escrow_N[i])) for i in np.flatnonzero(escrow_N)),
        known=int(kind == CANARY),
        audit=(task,) if kind == RANDOM else (),
        outcome=_rows(outcome) if kind == RANDOM else (),
    )
    if kind == CANARY:
        (truths,) = task.canary
        audit(draft, task, outcome, truths, CANARY)
        if settled.accepted and not is_true(draft, task.task_class, settled.accepted[0], truths):
            overturn_audited(draft, settled, truths)
            return
    if settled.escrow or settled.audit:
        draft.pending[task.id] = settled


def _close(draft: Draft, settled: SettledTask) -> None:
    """R6: no truth came in time. Wagers unlock, a bond goes back, escrow becomes liquid."""
    if settled.audit:
        round = build_round(draft, settled.audit[0])
        draft.network, draft.nodes = unlock_wagers(draft.params, draft.network, draft.nodes, round)
        draft.events.append(events.AuditExpired(draft.height, settled.id))
    for bond in settled.challenge:
        draft.nodes = draft.nodes._replace(
            liquid_micro_N=draft.nodes.liquid_micro_N + draft.amounts_of([(bond.challenger, bond.bond_micro)])
        )
        bonds_micro = draft.network.challenge_bonds_micro - bond.bond_micro
        draft.network = draft.network._replace(challenge_bonds_micro=bonds_micro)
        back = events.Payment(bond.challenger, bond.bond_micro, events.CHALLENGE_VOID)
        draft.events.append(events.ChallengeClosed(draft.height, settled.id, 0, (back,)))
    if settled.escrow:
        amount_N = draft.amounts_of(settled.escrow)
        draft.network, draft.nodes = release_escrow(draft.network, draft.nodes, amount_N)
        draft.events.append(events.Released(draft.height, settled.id, settled.escrow))


def _keys(draft: Draft, seat_S: Array) -> tuple[bytes, ...]:
    return tuple(NOBODY if i < 0 else draft.keys[i] for i in seat_S.tolist())


def _pair(value_R: Array) -> tuple[int, int]:
    generator, discriminator = value_R.tolist()
    return generator, discriminator


def _rows(outcome: Outcome) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in to_rows(outcome))
