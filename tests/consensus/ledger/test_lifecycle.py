"""One task from its opening to its last trace, through the App."""

import numpy as np
import pytest

from consensus import presets
from consensus.ledger import events as ev
from consensus.ledger.messages import AnswerReveal, CanaryReveal
from consensus.ledger.tasks import Phase
from consensus.state import REASON_NO_ANSWER, REASON_QUORUM
from tests.consensus.ledger.network import (
    DISCRIMINATORS,
    GENERATORS,
    NAMES,
    RIGHT,
    SALT,
    TIP,
    WRONG,
    Chain,
    answer_commit,
    key,
    small_genesis,
)


def last(chain: Chain, kind: type) -> object:
    return next(event for event in reversed(chain.events) if isinstance(event, kind))


def some(chain: Chain, kind: type) -> list:
    return [event for event in chain.events if isinstance(event, kind)]


def with_params(**leaves: int) -> Chain:
    """A chain whose parameters are the minimal ones but for these."""
    arrays = {name: np.asarray(value, np.int64) for name, value in leaves.items()}
    return Chain(small_genesis(presets.minimal()._replace(**arrays)))


def no_audits(**leaves: int) -> Chain:
    """Nothing but canaries is audited."""
    return with_params(random_audit_rate_q16=0, **leaves)


def all_audited() -> Chain:
    """The beacon picks every task."""
    return with_params(random_audit_rate_q16=65_536, canary_rate_q16=0)


def test_opening_draws_seats_and_takes_the_fee() -> None:
    chain = no_audits()
    task_id = chain.ask("What is the capital of Peru?")
    task, event = chain.task(task_id), last(chain, ev.TaskOpened)
    assert {NAMES[k] for k in task.generators} <= set(GENERATORS) and len(task.generators) == 5
    assert {NAMES[k] for k in task.discriminators} <= set(DISCRIMINATORS) and len(task.discriminators) == 6
    assert task.deadlines == (2, 3, 4, 5, 6)
    assert [task.phase(height) for height in range(2, 8)] == list(Phase)
    assert (event.task_id, event.prompt, event.tip_micro) == (task_id, "What is the capital of Peru?", TIP)
    fee_micro = TIP + event.base_fee_micro
    assert event.payments == (ev.Payment(key("asker").public, -fee_micro, ev.TASK_FEE),)
    assert (event.generators, event.discriminators) == (task.generators, task.discriminators)


def test_accepted_pays_and_releases_after_the_window() -> None:
    chain = no_audits()
    task_id = chain.ask()
    chain.answer(task_id)
    chain.judge(task_id)
    assert chain.app.state.open
    chain.block()
    event = last(chain, ev.Settled)
    assert (event.accepted_text, event.audit, event.candidates, event.height) == (RIGHT, "none", (RIGHT,), 6)
    assert event.margin_q12 >= event.tau_q12 and event.reason == "accepted"
    seats = {line.key: line.seats for line in event.answers}
    assert sum(seats.values()) == 5 and sum(line.seats for line in event.verdicts) == 6
    escrowed = {p.key: p.amount_micro for p in event.payments if p.reason == ev.GENERATOR_FEE}
    assert escrowed == {k: count * event.flat_fee_micro[0] for k, count in seats.items()}
    judged = {p.key: p.amount_micro for p in event.payments if p.reason == ev.DISCRIMINATOR_FEE}
    assert judged == {line.key: line.seats * event.flat_fee_micro[1] for line in event.verdicts}
    (proposer,) = [p for p in event.payments if p.reason == ev.PROPOSER_SHARE]
    assert proposer.key == key("sequencer").public and proposer.amount_micro > 0

    assert not chain.app.state.open and task_id in chain.app.state.pending
    chain.block()
    assert not some(chain, ev.Released)
    chain.block()
    released = last(chain, ev.Released)
    assert released.height == 8 and dict(released.amounts) == escrowed
    assert not chain.app.state.pending
    assert all(line.escrow_micro == 0 for line in last(chain, ev.BlockEnded).nodes)


def test_abstention_refunds_and_leaves_no_trace() -> None:
    chain = no_audits()
    before = chain.app.state.network
    task_id = chain.ask()
    chain.answer(task_id, (RIGHT, WRONG, "other"), confidence_q16=2_000)
    chain.judge(task_id, right="none of these")
    chain.block()
    event = last(chain, ev.Settled)
    assert event.accepted == -1 and event.accepted_text == ""
    assert ev.Payment(key("asker").public, TIP, ev.TIP_REFUND) in event.payments
    assert int(chain.app.state.network.reserve_micro) == int(before.reserve_micro)
    assert not chain.app.state.open and not chain.app.state.pending


def test_nobody_answers() -> None:
    """Generators are slashed for silence; discriminators owed nothing."""
    chain = no_audits()
    seats = chain.task(chain.ask()).generators
    for _ in range(5):
        chain.block()
    event = last(chain, ev.Settled)
    assert event.reason_code == REASON_NO_ANSWER and event.drawn == -1
    slashed = {event.key: event.amount_micro for event in some(chain, ev.Slashed)}
    assert set(slashed) == set(seats)
    assert {p.key: -p.amount_micro for p in event.payments if p.reason == ev.NON_REVEAL} == slashed


def test_a_silent_discriminator_is_slashed_once_and_unpaid() -> None:
    chain = no_audits()
    task_id = chain.ask()
    chain.answer(task_id)
    silent = NAMES[chain.task(task_id).discriminators[0]]
    chain.judge(task_id, silent=(silent,))
    chain.block()
    event = last(chain, ev.Settled)
    (line,) = [line for line in event.verdicts if NAMES[line.key] == silent]
    assert line.p_false_q16 == () and line.seats >= 1
    mine = [p for p in event.payments if NAMES[p.key] == silent]
    assert [p.reason for p in mine] == [ev.NON_REVEAL]
    if line.seats > 2:
        assert event.reason_code == REASON_QUORUM
    assert [event.key for event in some(chain, ev.Slashed)] == [key(silent).public]


def test_commit_without_reveal_is_silence() -> None:
    chain = no_audits()
    task_id = chain.ask()
    names = sorted({NAMES[k] for k in chain.task(task_id).generators})
    chain.accept(*((name, answer_commit(name, task_id, RIGHT)) for name in names))
    chain.accept((names[0], AnswerReveal(task_id, SALT, RIGHT, 60_000)))
    chain.judge(task_id)
    chain.block()
    silent = {NAMES[p.key] for p in last(chain, ev.Settled).payments if p.reason == ev.NON_REVEAL}
    assert silent == set(names[1:])


@pytest.mark.parametrize(
    ("truths", "is_right"), [((RIGHT,), True), (("else", "RIGHT. "), True), ((WRONG,), False), ((), False)]
)
def test_a_canary_is_audited_when_it_settles(truths: tuple[str, ...], is_right: bool) -> None:
    chain = no_audits()
    task_id = chain.ask(truths=truths)
    chain.answer(task_id)
    chain.refuse("canary", CanaryReveal(task_id, SALT, truths), "opened in blocks 6 to 6")
    chain.judge(task_id)
    chain.refuse("canary", CanaryReveal(task_id, b"x" * 32, truths), "not what the task committed to")
    chain.refuse("canary", CanaryReveal(task_id, SALT, (*truths, "more")), "not what the task committed to")
    chain.accept(("canary", CanaryReveal(task_id, SALT, truths)))
    settled, audited = last(chain, ev.Settled), last(chain, ev.Audited)
    assert (settled.audit, audited.kind, audited.truths) == ("canary", "canary", truths)
    assert audited.candidate_is_true == (int(is_right),) and audited.accepted_is_true == int(is_right)
    generators = [learned for learned in audited.learned if learned.role == 0]
    assert all((line.good_q8[1] > line.good_q8[0]) == is_right for line in generators)
    assert all((line.bad_q8[1] > line.bad_q8[0]) == (not is_right) for line in generators)
    assert audited.integral_q12[0] == audited.integral_q12[1]  # canaries do not move I
    if is_right:
        assert task_id in chain.app.state.pending and not some(chain, ev.Overturned)
    else:
        overturned = last(chain, ev.Overturned)
        fees = [p for p in settled.payments if p.reason == ev.GENERATOR_FEE]
        assert [(p.key, -p.amount_micro) for p in overturned.payments] == [(p.key, p.amount_micro) for p in fees]
        assert task_id not in chain.app.state.pending


def test_wagers_lock_and_unlock() -> None:
    chain = no_audits()
    task_id = chain.ask()
    state, wager = chain.app.state, chain.task(task_id).wager_micro
    for role, seats in enumerate((chain.task(task_id).generators, chain.task(task_id).discriminators)):
        for k in set(seats):
            assert int(state.nodes.locked_micro_N[state.row[k]]) == seats.count(k) * wager[role]
    chain.answer(task_id)
    chain.judge(task_id)
    chain.block()
    assert not chain.app.state.nodes.locked_micro_N.any()
    assert int(chain.app.state.network.purse_reserved_micro) == 0


def test_the_state_forgets_settled_tasks() -> None:
    """Fifty tasks later the state is as small as after five."""
    chain = no_audits()
    sizes = []
    for number in range(50):
        task_id = chain.ask(f"question {number}")
        chain.answer(task_id)
        chain.judge(task_id)
        for _ in range(3):
            chain.block()
        sizes.append(len(chain.app.state.encode()))
    assert max(sizes[5:]) - sizes[5] < 200  # counters grow by digits, nothing else
    assert not chain.app.state.open and not chain.app.state.pending
