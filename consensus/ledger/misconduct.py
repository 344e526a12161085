"""Transactions about breaking the protocol: evidence of equivocation, and the end of a jail term (R8)."""

from consensus.ledger import events
from consensus.ledger.draft import Draft, compute_stakes
from consensus.ledger.messages import AnswerCommit, Evidence, Message, Unjail, VerdictCommit
from consensus.ledger.validation import ACCEPT, Ignore, Reject, Verdict
from consensus.rules.slash import equivocation_penalty, slash_equivocation
from consensus.units import FOREVER, Array


def check_evidence(draft: Draft, message: Message, body: Evidence) -> Verdict:
    """Two valid commitments of one key to one task that differ, young enough that the stake may still be there."""
    first, second = draft.admission.admit(body.first), draft.admission.admit(body.second)
    for name, found in (("first", first), ("second", second)):
        if isinstance(found, Reject):
            return Reject(f"the {name} message of the evidence is not valid: {found.reason}")
    assert isinstance(first, Message) and isinstance(second, Message)
    if first.key != second.key or first.kind != second.kind:
        return Reject("the two messages are not of one key and one kind")
    one, two = first.body, second.body
    if not isinstance(one, AnswerCommit | VerdictCommit) or not isinstance(two, AnswerCommit | VerdictCommit):
        return Reject("only commitments to answers or verdicts can contradict each other")
    if one.task_id != two.task_id or one.commitment == two.commitment:
        return Reject("the two messages do not contradict each other")
    offender = draft.row.get(first.key)
    if offender is None:
        return Reject("the accused key has no account")
    if int(draft.nodes.jailed_until_N[offender]) >= FOREVER:
        return Ignore("the accused is out for good already")
    if min(first.valid_until, second.valid_until) + int(draft.params.unbonding_blocks) < draft.height:
        return Ignore("the evidence is older than an unbonding")
    return ACCEPT


def apply_evidence(draft: Draft, message: Message, body: Evidence) -> None:
    """R8: 5 % of the offender's stake and never drawn again; the rest of the penalty follows with the epoch."""
    accused = draft.admission.admit(body.first)
    assert isinstance(accused, Message)
    draft.equivocators = tuple(sorted({*draft.equivocators, accused.key}))
    offender, finder = draft.row[accused.key], draft.row[message.key]
    before_N = compute_stakes(draft.nodes)
    draft.network, draft.nodes, taken_N = slash_equivocation(
        draft.params, draft.network, draft.nodes, offender, finder=finder
    )
    _record(draft, before_N, taken_N, events.EQUIVOCATION)


def end_epoch(draft: Draft) -> None:
    """R8: every W blocks, equivocators lose in proportion to how much stake equivocated with them."""
    if not draft.equivocators or draft.height % max(int(draft.params.challenge_window_blocks), 1):
        return
    before_N = compute_stakes(draft.nodes)
    guilty_N = (draft.amounts_of([(key, 1) for key in draft.equivocators]) > 0).astype("int64")
    draft.network, draft.nodes, taken_N = equivocation_penalty(draft.params, draft.network, draft.nodes, guilty_N)
    draft.equivocators = ()
    _record(draft, before_N, taken_N, events.EQUIVOCATION_EPOCH)


def check_unjail(draft: Draft, message: Message, body: Unjail) -> Verdict:
    """The jail term is over. (The law ends it by itself; this clears the mark.)"""
    until = int(draft.nodes.jailed_until_N[draft.row[message.key]])
    if until == 0:
        return Reject("the account is not jailed")
    if until >= FOREVER:
        return Reject("who equivocated never returns")
    if until > draft.height:
        return Ignore(f"jailed until block {until}")
    return ACCEPT


def apply_unjail(draft: Draft, message: Message, body: Unjail) -> None:
    """Clear the mark."""
    until_N = draft.nodes.jailed_until_N.copy()
    until_N[draft.row[message.key]] = 0
    draft.nodes = draft.nodes._replace(jailed_until_N=until_N)


def _record(draft: Draft, before_N: Array, taken_N: Array, reason: str) -> None:
    """A `Slashed` event for each offender, which pays for its slash; a finder's fee stands in the first."""
    moved_N = compute_stakes(draft.nodes) - before_N
    found = draft.payments(moved_N + taken_N, events.FINDER)
    for payment in draft.payments(-taken_N, reason):
        until = int(draft.nodes.jailed_until_N[draft.row[payment.key]])
        row = events.Slashed(draft.height, payment.key, -payment.amount_micro, reason, until, (payment, *found))
        draft.events.append(row)
        found = []
