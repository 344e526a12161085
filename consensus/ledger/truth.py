"""Transactions that bring the truth to the ledger, or doubt an answer: canaries, audits, challenges (R6)."""

import msgspec

from consensus.ledger import events
from consensus.ledger.auditing import RANDOM, audit, is_true, overturn_audited
from consensus.ledger.draft import Draft, compute_stakes
from consensus.ledger.hashing import truth_commitment
from consensus.ledger.leaves import from_rows
from consensus.ledger.limits import ANSWER_BYTES
from consensus.ledger.messages import AuditTruth, CanaryReveal, Challenge, Message
from consensus.ledger.tasks import Bond, Phase, SettledTask, replace
from consensus.ledger.validation import ACCEPT, Ignore, Reject, Verdict, check_text
from consensus.rules.challenge import compute_challenge_bond
from consensus.rules.settle import open_challenge, overturn, uphold
from consensus.state import Outcome


def check_canary_reveal(draft: Draft, message: Message, body: CanaryReveal) -> Verdict:
    """Opens the task's commitment, in its window, once."""
    task = draft.open.get(body.task_id)
    if task is None:
        return Ignore("no open task has this id")
    if task.phase(draft.height) != Phase.CANARY_REVEAL:
        first, last = task.deadlines[Phase.VERDICT_REVEAL] + 1, task.deadlines[Phase.CANARY_REVEAL]
        return Ignore(f"a canary of this task is opened in blocks {first} to {last}")
    if task.canary:
        return Ignore("this canary has been opened already")
    if truth_commitment(body.salt, body.truths) != task.truth_commitment:
        return Reject("this is not what the task committed to")
    return _check_truths(body.truths)


def apply_canary_reveal(draft: Draft, message: Message, body: CanaryReveal) -> None:
    """The task is audited with these truths when it settles."""
    draft.open[body.task_id] = replace(draft.open[body.task_id], canary=(body.truths,))
    draft.salts.append(body.salt)


def check_audit_truth(draft: Draft, message: Message, body: AuditTruth) -> Verdict:
    """By the auditor, on a settled task that waits for its truth."""
    if message.key != draft.genesis.auditor:
        return Reject("only the auditor named in the genesis may say what is true")
    settled = draft.pending.get(body.task_id)
    if settled is None or not (settled.audit or settled.challenge):
        return Ignore("no task with this id waits for its truth")
    return _check_truths(body.truths)


def apply_audit_truth(draft: Draft, message: Message, body: AuditTruth) -> None:
    """Close the audit or the challenge; a task whose answer stands keeps its escrow until the release height."""
    settled = draft.pending[body.task_id]
    if settled.audit:
        (task,) = settled.audit
        outcome = from_rows(Outcome, settled.outcome, columns=len(task.generators))
        audit(draft, task, outcome, body.truths, RANDOM)
    is_false = bool(settled.accepted) and not is_true(draft, settled.task_class, settled.accepted[0], body.truths)
    if settled.challenge:
        _close_challenge(draft, settled, body.truths, is_false)
    elif is_false:
        overturn_audited(draft, settled, body.truths)
    if is_false or not settled.escrow:
        del draft.pending[settled.id]
    else:
        draft.pending[settled.id] = msgspec.structs.replace(settled, known=1, audit=(), outcome=(), challenge=())


def check_challenge(draft: Draft, message: Message, body: Challenge) -> Verdict:
    """Within W blocks of an acceptance that nobody else looks into, against a bond."""
    settled = draft.pending.get(body.task_id)
    if settled is None or draft.height > settled.release:
        return Ignore("no task with this id can be challenged now")
    if not settled.accepted:
        return Reject("the network abstained, there is no answer to challenge")
    if settled.audit or settled.challenge:
        return Ignore("the truth of this task is on its way already")
    if settled.known:
        return Reject("the truth of this task is known")
    if draft.spendable_micro(message.key) < int(compute_challenge_bond(draft.params, settled.fee_micro)):
        return Reject("the account cannot pay the bond")
    return ACCEPT


def apply_challenge(draft: Draft, message: Message, body: Challenge) -> None:
    """Take the bond; the auditor has W blocks from here."""
    settled = draft.pending[body.task_id]
    bond_micro = int(compute_challenge_bond(draft.params, settled.fee_micro))
    draft.network, draft.nodes = open_challenge(draft.network, draft.nodes, draft.row[message.key], bond_micro)
    deadline = draft.height + int(draft.params.challenge_window_blocks)
    bond = Bond(message.key, bond_micro, deadline)
    draft.pending[settled.id] = msgspec.structs.replace(settled, challenge=(bond,))
    paid = events.Payment(message.key, -bond_micro, events.CHALLENGE_BOND)
    draft.events.append(events.Challenged(draft.height, settled.id, message.key, bond_micro, (paid,)))


def _close_challenge(draft: Draft, settled: SettledTask, truths: tuple[str, ...], is_false: bool) -> None:
    """Pay whoever was right."""
    (bond,) = settled.challenge
    challenger, amount_N = draft.row[bond.challenger], draft.amounts_of(settled.escrow)
    before_N = compute_stakes(draft.nodes)
    close = overturn if is_false else uphold
    draft.network, draft.nodes = close(draft.params, draft.network, draft.nodes, amount_N, challenger, bond.bond_micro)
    moved_N = compute_stakes(draft.nodes) - before_N
    if is_false:
        lost = draft.payments(-amount_N, events.OVERTURNED)
        won = draft.payments(moved_N + amount_N, events.CHALLENGE_WON)
        row = events.Overturned(draft.height, settled.id, truths, bond.challenger, (*lost, *won))
        draft.events.append(row)
    else:
        shared = draft.payments(moved_N, events.CHALLENGE_SHARED)
        draft.events.append(events.ChallengeClosed(draft.height, settled.id, 1, tuple(shared)))


def _check_truths(truths: tuple[str, ...]) -> Verdict:
    for truth in truths:
        text = check_text(truth, "truth", ANSWER_BYTES)
        if text != ACCEPT:
            return text
    return ACCEPT
