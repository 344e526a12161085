"""Random audits and challenges: the auditor's word, its absence, and who pays whom."""

from consensus.ledger import events as ev
from consensus.ledger.messages import AuditTruth, Challenge
from tests.consensus.ledger.network import NAMES, RIGHT, TIP, WRONG, Chain, key
from tests.consensus.ledger.test_lifecycle import all_audited, last, no_audits, some


def settle(chain: Chain) -> bytes:
    """A task on which all agree on RIGHT, settled."""
    task_id = chain.ask()
    chain.answer(task_id)
    chain.judge(task_id)
    chain.block()
    return task_id


def liquid(chain: Chain, name: str) -> int:
    return int(chain.app.state.nodes.liquid_micro_N[chain.app.state.row[key(name).public]])


def test_a_random_audit_that_confirms() -> None:
    chain = all_audited()
    task_id = settle(chain)
    assert last(chain, ev.Settled).audit == "random"
    assert chain.app.state.nodes.locked_micro_N.any()
    chain.refuse("g0", AuditTruth(task_id, (RIGHT,)), "only the auditor")
    chain.accept(("auditor", AuditTruth(task_id, (RIGHT,))))
    audited = last(chain, ev.Audited)
    assert (audited.kind, audited.accepted_is_true) == ("random", 1)
    assert audited.integral_q12[1] < audited.integral_q12[0]
    assert not chain.app.state.nodes.locked_micro_N.any()
    assert sum(p.amount_micro for p in audited.payments if p.reason == ev.WAGER) != 0
    chain.refuse("auditor", AuditTruth(task_id, (RIGHT,)), "no task with this id waits")
    chain.refuse("asker", Challenge(task_id), "the truth of this task is known")
    chain.block()
    assert last(chain, ev.Released).task_id == task_id


def test_a_random_audit_that_refutes() -> None:
    chain = all_audited()
    task_id = settle(chain)
    chain.accept(("auditor", AuditTruth(task_id, (WRONG,))))
    audited, overturned = last(chain, ev.Audited), last(chain, ev.Overturned)
    assert audited.accepted_is_true == 0 and audited.integral_q12[1] > audited.integral_q12[0]
    assert overturned.challenger == b"" and sum(p.amount_micro for p in overturned.payments) < 0
    assert not chain.app.state.nodes.escrow_micro_N.any() and not chain.app.state.pending


def test_an_audit_of_an_abstention() -> None:
    chain = all_audited()
    task_id = chain.ask()
    chain.answer(task_id, (RIGHT, WRONG, "other"), confidence_q16=2_000)
    chain.judge(task_id, right="none")
    chain.block()
    chain.accept(("auditor", AuditTruth(task_id, ())))
    audited = last(chain, ev.Audited)
    assert audited.accepted_is_true == -1 and audited.integral_q12[0] == audited.integral_q12[1]
    assert audited.payments and not chain.app.state.pending


def test_an_audit_whose_truth_never_comes() -> None:
    chain = all_audited()
    stakes = {line.key: line.stake_micro for line in chain.block().events[-1].nodes}
    task_id = settle(chain)
    chain.block()
    chain.block()
    assert last(chain, ev.AuditExpired).task_id == task_id == last(chain, ev.Released).task_id
    assert not chain.app.state.pending and not chain.app.state.nodes.locked_micro_N.any()
    assert int(chain.app.state.network.purse_reserved_micro) == 0
    after = {line.key: line.stake_micro for line in last(chain, ev.BlockEnded).nodes}
    assert all(after[k] >= stakes[k] for k in after if NAMES[k] != "asker")
    chain.refuse("auditor", AuditTruth(task_id, (RIGHT,)), "no task with this id waits")


def test_a_challenge_that_is_right() -> None:
    chain = no_audits()
    task_id = settle(chain)
    escrow = sum(amount for _, amount in chain.app.state.pending[task_id].escrow)
    fee_micro = TIP + some(chain, ev.TaskOpened)[0].base_fee_micro
    before = liquid(chain, "asker")
    chain.accept(("asker", Challenge(task_id)))
    assert liquid(chain, "asker") == before - 2 * fee_micro
    chain.refuse("g0", Challenge(task_id), "on its way already")
    chain.accept(("auditor", AuditTruth(task_id, (WRONG,))))
    won = liquid(chain, "asker") - before
    assert 0.79 * escrow < won <= 0.8 * escrow
    overturned = last(chain, ev.Overturned)
    assert overturned.challenger == key("asker").public
    lost = [p for p in overturned.payments if p.reason == ev.OVERTURNED]
    assert sum(p.amount_micro for p in lost) == -escrow and all(p.amount_micro < 0 for p in lost)
    (paid,) = [p for p in overturned.payments if p.reason == ev.CHALLENGE_WON]
    assert paid.amount_micro == won + 2 * fee_micro
    assert not chain.app.state.pending


def test_a_challenge_that_is_wrong() -> None:
    chain = no_audits(challenge_window_blocks=3)
    task_id = settle(chain)
    chain.accept(("asker", Challenge(task_id)))
    bond = last(chain, ev.Challenged).bond_micro
    chain.accept(("auditor", AuditTruth(task_id, (RIGHT,))))
    closed = last(chain, ev.ChallengeClosed)
    assert closed.upheld == 1
    shared = sum(p.amount_micro for p in closed.payments)
    assert 0.79 * bond < shared <= 0.8 * bond
    assert {p.key for p in closed.payments} == {k for k, _ in chain.app.state.pending[task_id].escrow}
    assert int(chain.app.state.network.challenge_bonds_micro) == 0
    chain.refuse("asker", Challenge(task_id), "truth of this task is known")
    chain.block()
    assert last(chain, ev.Released).task_id == task_id and not chain.app.state.pending


def test_a_challenge_nobody_decides() -> None:
    """The answer stands, and the bond comes back."""
    chain = no_audits()
    task_id, before = settle(chain), liquid(chain, "asker")
    chain.block()
    chain.accept(("asker", Challenge(task_id)))
    assert not some(chain, ev.Released)  # the release height is this block: the challenge holds the escrow back
    chain.block()
    chain.block()
    closed = last(chain, ev.ChallengeClosed)
    assert (closed.upheld, closed.payments[0].reason) == (0, ev.CHALLENGE_VOID)
    assert liquid(chain, "asker") == before and last(chain, ev.Released).task_id == task_id
    assert not chain.app.state.pending


def test_what_cannot_be_challenged() -> None:
    chain = no_audits()
    task_id = settle(chain)
    chain.refuse("canary", Challenge(task_id), "cannot pay the bond")
    chain.block()
    chain.block()
    chain.refuse("asker", Challenge(task_id), "can be challenged now")
    audited = all_audited()
    task_id = audited.ask()
    audited.answer(task_id, (RIGHT, WRONG, "other"), confidence_q16=2_000)
    audited.judge(task_id, right="none")
    audited.block()
    audited.refuse("asker", Challenge(task_id), "abstained")
