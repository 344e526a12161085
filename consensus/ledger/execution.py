"""One transaction: checked, then applied, or refused with a reason and no effect."""

from collections.abc import Callable
from typing import Any, NamedTuple

from consensus.ledger import accounts, misconduct, participation, truth
from consensus.ledger.draft import Draft
from consensus.ledger.messages import Kind, Message
from consensus.ledger.validation import Accept, Ignore, Reject, Verdict

Check = Callable[[Draft, Message, Any], Verdict]
Apply = Callable[[Draft, Message, Any], None]

TRANSACTIONS: dict[Kind, tuple[Check, Apply]] = {
    Kind.REGISTER: (accounts.check_register, accounts.apply_register),
    Kind.BOND: (accounts.check_bond, accounts.apply_bond),
    Kind.UNBOND: (accounts.check_unbond, accounts.apply_unbond),
    Kind.TRANSFER: (accounts.check_transfer, accounts.apply_transfer),
    Kind.TASK: (participation.check_task, participation.apply_task),
    Kind.ANSWER_COMMIT: (participation.check_answer_commit, participation.apply_answer_commit),
    Kind.ANSWER_REVEAL: (participation.check_answer_reveal, participation.apply_answer_reveal),
    Kind.VERDICT_COMMIT: (participation.check_verdict_commit, participation.apply_verdict_commit),
    Kind.VERDICT_REVEAL: (participation.check_verdict_reveal, participation.apply_verdict_reveal),
    Kind.CANARY_REVEAL: (truth.check_canary_reveal, truth.apply_canary_reveal),
    Kind.AUDIT_TRUTH: (truth.check_audit_truth, truth.apply_audit_truth),
    Kind.CHALLENGE: (truth.check_challenge, truth.apply_challenge),
    Kind.EVIDENCE: (misconduct.check_evidence, misconduct.apply_evidence),
    Kind.UNJAIL: (misconduct.check_unjail, misconduct.apply_unjail),
    Kind.PARAMETER_CHANGE: (accounts.check_parameter_change, accounts.apply_parameter_change),
}


class Receipt(NamedTuple):
    """What became of one transaction: 0 applied, 1 ignored, 2 rejected; `message_id` is b"" if it was no message."""

    code: int
    reason: str
    message_id: bytes


def check(draft: Draft, data: bytes) -> tuple[Verdict, Message | None]:
    """Whether `data` could be applied to `draft` now, and the message it holds, if any."""
    message = draft.admission.admit(data)
    if isinstance(message, Reject):
        return message, None
    if message.key not in draft.row:
        return Reject("the key has no account"), message
    if message.nonce <= draft.nonces[draft.row[message.key]]:
        return Ignore(f"nonce {message.nonce} of this key is used or passed; a message counts once"), message
    if message.valid_until < draft.height:
        return Ignore(f"valid until block {message.valid_until}, this is block {draft.height}"), message
    check_kind, _ = TRANSACTIONS[message.kind]
    return check_kind(draft, message, message.body), message


def execute(draft: Draft, data: bytes) -> Receipt:
    """Apply one transaction to `draft`, or leave it exactly as it was and say why."""
    verdict, message = check(draft, data)
    if message is None or not isinstance(verdict, Accept):
        assert not isinstance(verdict, Accept)
        return Receipt(1 if isinstance(verdict, Ignore) else 2, verdict.reason, message.id if message else b"")
    draft.nonces[draft.row[message.key]] = message.nonce
    _, apply = TRANSACTIONS[message.kind]
    apply(draft, message, message.body)
    return Receipt(0, "", message.id)
