"""Transactions about an account: roles, stake, transfers, parameters. Each has a check, and what it does."""

from bisect import bisect_left

from consensus.ledger import events
from consensus.ledger.draft import Draft
from consensus.ledger.errors import LedgerError
from consensus.ledger.events import Payment
from consensus.ledger.genesis import check_parameters
from consensus.ledger.leaves import from_rows, to_rows
from consensus.ledger.messages import Bond, Message, ParameterChange, Register, Transfer, Unbond
from consensus.ledger.state import index, insert_row
from consensus.ledger.validation import ACCEPT, Reject, Verdict
from consensus.rules import stake
from consensus.rules.fee import charge_fee
from consensus.state import DISCRIMINATOR, GENERATOR, Params


def check_register(draft: Draft, message: Message, body: Register) -> Verdict:
    """R2: a role the account does not have yet."""
    if body.roles & ~_get_roles(draft, message.key) == 0:
        return Reject("the account has these roles already")
    return ACCEPT


def apply_register(draft: Draft, message: Message, body: Register) -> None:
    """The account may be drawn for the roles from now on."""
    role_NR = draft.nodes.role_NR.copy()
    for role in (GENERATOR, DISCRIMINATOR):
        role_NR[draft.row[message.key], role] |= body.roles >> role & 1
    draft.nodes = draft.nodes._replace(role_NR=role_NR)


def check_bond(draft: Draft, message: Message, body: Bond) -> Verdict:
    """R10: covered by liquid."""
    if body.amount_micro > draft.spendable_micro(message.key):
        return Reject("the account has less liquid than it wants to bond")
    return ACCEPT


def apply_bond(draft: Draft, message: Message, body: Bond) -> None:
    """R10: liquid -> bonded."""
    draft.nodes = stake.bond(draft.nodes, draft.row[message.key], body.amount_micro)


def check_unbond(draft: Draft, message: Message, body: Unbond) -> Verdict:
    """R10: bonded, not locked, and within this block's churn."""
    row = draft.row[message.key]
    if not stake.can_unbond(draft.params, draft.network, draft.nodes, row, body.amount_micro):
        return Reject("the amount is not bonded and free, or too much stake leaves in this block")
    return ACCEPT


def apply_unbond(draft: Draft, message: Message, body: Unbond) -> None:
    """R10: bonded -> unbonding."""
    row = draft.row[message.key]
    draft.network, draft.nodes = stake.unbond(draft.params, draft.network, draft.nodes, row, body.amount_micro)


def check_transfer(draft: Draft, message: Message, body: Transfer) -> Verdict:
    """Covered by liquid. Opening an account burns the base fee of a task, so rows are never free (R10)."""
    if body.to == message.key:
        return Reject("sender and receiver are the same account")
    if body.amount_micro + _get_opening_fee_micro(draft, body) > draft.spendable_micro(message.key):
        return Reject("the account has less liquid than it wants to send, with the base fee if that opens an account")
    if body.to not in draft.row and body.amount_micro < int(draft.params.stake_min_micro):
        return Reject("a key without an account must be sent at least the least stake")
    return ACCEPT


def apply_transfer(draft: Draft, message: Message, body: Transfer) -> None:
    """Liquid -> liquid, opening the receiver's account if need be."""
    payments = [Payment(message.key, -body.amount_micro, events.TRANSFER)]
    opening_fee_micro = _get_opening_fee_micro(draft, body)
    if body.to not in draft.row:
        _open_account(draft, body.to)
        draft.network, draft.nodes = charge_fee(draft.network, draft.nodes, draft.row[message.key], 0)
        payments.append(Payment(message.key, -opening_fee_micro, events.OPENING_FEE))
    draft.nodes = stake.transfer(draft.nodes, draft.row[message.key], draft.row[body.to], body.amount_micro)
    payments.append(Payment(body.to, body.amount_micro, events.TRANSFER))
    draft.events.append(events.Transferred(draft.height, tuple(payments)))


def check_parameter_change(draft: Draft, message: Message, body: ParameterChange) -> Verdict:
    """By the governance key, and nothing the law cannot bear."""
    if message.key != draft.genesis.governance:
        return Reject("only the governance key may change parameters")
    try:
        check_parameters(_change(draft.params, body), draft.genesis)
    except ValueError as error:
        return Reject(f"these parameters are refused: {error}")
    return ACCEPT


def apply_parameter_change(draft: Draft, message: Message, body: ParameterChange) -> None:
    """The new values hold for what is opened from now on; open tasks keep their deadlines and wagers."""
    draft.params = _change(draft.params, body)
    draft.events.append(events.ParametersChanged(draft.height, body.changes))


def _change(params: Params, body: ParameterChange) -> Params:
    """`params` with the changes; LedgerError for an unknown name or another number of values."""
    rows = dict(zip(Params._fields, to_rows(params), strict=True))
    for name, values in body.changes:
        if name not in rows:
            raise LedgerError(f"no parameter is named {name!r}")
        if len(values) != len(rows[name]):
            raise LedgerError(f"{name} takes {len(rows[name])} values")
        rows[name] = list(values)
    return from_rows(Params, list(rows.values()))


def _get_roles(draft: Draft, key: bytes) -> int:
    generator, discriminator = draft.nodes.role_NR[draft.row[key]]
    return int(generator) | int(discriminator) << 1


def _get_opening_fee_micro(draft: Draft, body: Transfer) -> int:
    """What a transfer burns beside its amount: the base fee if it opens an account, else nothing."""
    return 0 if body.to in draft.row else int(draft.network.base_fee_micro)


def _open_account(draft: Draft, key: bytes) -> None:
    """Insert an empty row; keys stay ascending, so rows after it move by one."""
    row = bisect_left(draft.keys, key)
    draft.keys = (*draft.keys[:row], key, *draft.keys[row:])
    draft.nonces.insert(row, 0)
    draft.row = index(draft.keys)
    draft.nodes = insert_row(draft.nodes, row, draft.params)
