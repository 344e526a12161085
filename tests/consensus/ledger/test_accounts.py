"""Roles, stake, transfers, new accounts, parameters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import presets
from consensus.ledger import events as ev
from consensus.ledger.messages import Bond, ParameterChange, Register, Task, Transfer, Unbond
from consensus.ledger.state import decode_state
from consensus.state import Params
from consensus.units import MICRO
from tests.consensus.ledger.network import GENERATORS, RIGHT, TIP, Chain, key
from tests.consensus.ledger.test_lifecycle import last, no_audits, some


def value(chain: Chain, leaf: str, name: str) -> int:
    return int(getattr(chain.app.state.nodes, leaf)[chain.app.state.row[key(name).public]])


def test_bond_and_unbond(chain: Chain) -> None:
    chain.accept(("asker", Bond(1_000 * MICRO)))
    assert value(chain, "bonded_micro_N", "asker") == 1_000 * MICRO
    chain.accept(("asker", Unbond(400 * MICRO)))
    assert value(chain, "unbonding_micro_N", "asker") == 400 * MICRO
    for _ in range(int(presets.minimal().unbonding_blocks) - 1):
        chain.block()
    assert value(chain, "liquid_micro_N", "asker") == 99_000 * MICRO
    chain.block()
    assert value(chain, "liquid_micro_N", "asker") == 99_400 * MICRO
    assert value(chain, "unbonding_micro_N", "asker") == 0


def test_exits_are_limited_a_block(chain: Chain) -> None:
    """A quarter of all bonded stake may begin to leave: two of eight equal nodes, not three."""
    stake = value(chain, "bonded_micro_N", "g0")
    leaving = [chain.tx(name, Unbond(stake)) for name in GENERATORS]
    assert [receipt.code for receipt in chain.block(*leaving).receipts] == [0, 0, 2, 2]
    assert "too much stake leaves" in chain.app.finalize_block([chain.tx("asker", Unbond(1))]).receipts[0].reason


def test_what_backs_a_wager_cannot_leave() -> None:
    chain = no_audits(exit_churn_q16=65_536)
    task_id = chain.ask()
    name = next(n for n in GENERATORS if key(n).public in chain.task(task_id).generators)
    stake, locked = value(chain, "bonded_micro_N", name), value(chain, "locked_micro_N", name)
    assert locked > 0
    chain.refuse(name, Unbond(stake - locked + 1), "not bonded and free")
    chain.accept((name, Unbond(stake - locked)))


def test_the_tip_of_a_task_cannot_be_spent_in_the_same_block(chain: Chain) -> None:
    """The fee is taken at the end of the block; nothing before it may touch the money."""
    everything = 100_000 * MICRO
    spend = (Transfer(key("g0").public, everything - MICRO), Bond(everything - MICRO), Task(0, "q", TIP, bytes(32)))
    for body in spend[:2]:
        result = chain.app.finalize_block([chain.tx("asker", Task(0, "q", TIP, bytes(32))), chain.tx("asker", body)])
        assert [receipt.code for receipt in result.receipts] == [0, 2]
    tip = everything // 2
    greedy = [chain.tx("asker", Task(0, f"q{i}", tip, bytes(32))) for i in range(3)]
    result = chain.block(*greedy)
    assert [receipt.code for receipt in result.receipts] == [0, 2, 2]
    assert "all tasks it asks in this block" in result.receipts[1].reason


def test_a_transfer_opens_an_account_and_moves_no_other() -> None:
    """Rows shift while a task is open; seats, commitments and wagers stay with their keys."""
    reference, chain = no_audits(), no_audits()
    strangers = ["x0", "x1", "x2", "x3", "x4", "x5"]
    places = sorted(key(name).public for name in strangers)
    assert places[0] < min(chain.app.state.keys) or places[-1] > chain.app.state.keys[0]
    task_ids = [reference.ask(), chain.ask()]
    assert task_ids[0] == task_ids[1]
    for network in (reference, chain):
        network.answer(task_ids[0])
    chain.accept(*(("asker", Transfer(key(name).public, 10 * MICRO)) for name in strangers))
    reference.block()
    assert list(chain.app.state.keys) == sorted(chain.app.state.keys) and len(chain.app.state.keys) == 18
    for network in (reference, chain):
        network.block()  # verdict reveals: nobody
        network.block()
    one, two = last(reference, ev.Settled), last(chain, ev.Settled)
    assert one.answers == two.answers and one.payments == two.payments
    row = chain.app.state.row[key("x0").public]
    assert chain.app.state.nodes.beta_q16_NR[row].tolist() == [32_768, 32_768]
    chain.accept(("x0", Register(1)), ("x1", Bond(MICRO)))
    assert chain.app.state.nodes.role_NR[row].tolist() == [1, 0]


def test_a_new_account_costs_the_least_stake(chain: Chain) -> None:
    least = int(chain.app.state.params.stake_min_micro)
    chain.refuse("asker", Transfer(key("new").public, least - 1), "at least the least stake")
    base_fee, burned = int(chain.app.state.network.base_fee_micro), int(chain.app.state.network.burned_micro)
    assert base_fee > 0
    chain.accept(("asker", Transfer(key("new").public, least)), ("asker", Transfer(key("g0").public, 1)))
    paid = [p.amount_micro for e in some(chain, ev.Transferred) for p in e.payments]
    assert paid == [-least, -base_fee, least, -1, 1]
    assert int(chain.app.state.network.burned_micro) == burned + base_fee


def test_the_same_tokens_do_not_open_accounts_for_ever(chain: Chain) -> None:
    """Without the fee an attacker hands one stake on from key to key and grows the state for nothing."""
    least = int(chain.app.state.params.stake_min_micro)
    chain.accept(("asker", Transfer(key("hop").public, least)))
    chain.refuse("hop", Transfer(key("hop2").public, least), "with the base fee")


def test_parameters_change_for_what_is_opened_later() -> None:
    chain = no_audits()
    first = chain.ask()
    chain.accept(("sequencer", ParameterChange((("answer_commit_blocks", (3,)), ("wager_fees_R", (12, 120))))))
    second = chain.ask()
    assert chain.task(first).deadlines == (2, 3, 4, 5, 6)
    assert chain.task(second).deadlines == (6, 7, 8, 9, 10)
    one, two = chain.task(first).wager_micro[0], chain.task(second).wager_micro[0]
    assert abs(two - 2 * one) < one // 1_000  # twice, but for what emission has shrunk
    assert last(chain, ev.ParametersChanged).changes[0] == ("answer_commit_blocks", (3,))
    assert decode_state(chain.app.state.encode()).params.answer_commit_blocks == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ((("no_such", (1,)),), "no parameter is named 'no_such'"),
        ((("wager_fees_R", (1,)),), "wager_fees_R takes 2 values"),
        ((("epsilon_q16", (1, 2)),), "epsilon_q16 takes 1 values"),
        ((("base_fee_denominator", (0,)),), "refused"),
        ((("kappa_q12_K", (1,)),), "kappa_q12_K takes 4 values"),
    ],
)
def test_parameters_that_are_refused(chain: Chain, changes: tuple, reason: str) -> None:
    chain.refuse("sequencer", ParameterChange(changes), reason)


@given(
    st.sampled_from(Params._fields),
    st.lists(st.integers(-(2**62) + 1, 2**62 - 1) | st.integers(-5, 70_000), min_size=8, max_size=8),
)
def test_no_parameter_the_law_accepts_breaks_a_task(name: str, values: list[int]) -> None:
    """Governance may set anything the check lets through; then a task still runs to its end and the supply holds."""
    chain = no_audits()
    size = np.asarray(getattr(chain.app.state.params, name)).size
    data = chain.tx("sequencer", ParameterChange(((name, tuple(values[:size])),)))
    if chain.block(data).receipts[0].code:
        return
    result = chain.block(chain.tx("asker", Task(0, "q", TIP, bytes(32))))
    if chain.app.state.open and max(next(iter(chain.app.state.open.values())).deadlines) < 100:
        task_id = result.receipts[0].message_id
        if chain.task(task_id).deadlines[:4] == (3, 4, 5, 6):
            chain.answer(task_id, (RIGHT, "wrong"))
            chain.judge(task_id)
    for _ in range(4):
        chain.block()
