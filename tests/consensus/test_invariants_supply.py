"""I1 to I4 and I9 on the rules alone, step by step: supply, signs, burning, the pot, wagers, slashes.

`Twin` compares the rules with the oracle; here neither is trusted, only the sums are.
"""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules.pot import split_pot
from consensus.rules.supply import compute_supply_micro
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Params, Payments
from tests.consensus import bridge
from tests.consensus.histories import History, make_world
from tests.consensus.strategies import LAW, SUPPLY_CAP, TIP_MAX
from tests.consensus.twin import RecordingTwin

Move = tuple[str, dict[str, Any], Network, Nodes, Network, Nodes, tuple]


@pytest.fixture(scope="module")
def moves() -> list[Move]:
    """Every step of some histories: (rule, arguments, state before, state after, what else it returned)."""
    found = []
    for seed in range(10, 16):
        twin = RecordingTwin(make_world(random.Random(seed), 8))
        history = History(twin, seed, 5, 7)
        for _ in range(25):
            history.play_block()
        for name, network, nodes, arguments, results in twin.recorded:
            after = {type(value): value for value in results}
            found.append(
                (name, arguments, network, nodes, after.get(Network, network), after.get(Nodes, nodes), results)
            )
    return found


def select(moves: list[Move], name: str) -> Iterator[Move]:
    """The steps of one rule."""
    return (move for move in moves if move[0] == name)


def test_supply_is_conserved_by_every_step(moves: list[Move]) -> None:
    for name, _, before, nodes_before, after, nodes_after, _ in moves:
        assert int(compute_supply_micro(before, nodes_before)) == SUPPLY_CAP
        assert int(compute_supply_micro(after, nodes_after)) == SUPPLY_CAP, f"I1: {name} changed the supply"


def test_nothing_becomes_negative_and_burned_only_grows(moves: list[Move]) -> None:
    for name, _, before, _, after, nodes, _ in moves:
        for field, leaf in (*nodes._asdict().items(), *after._asdict().items()):
            assert field == "integral_q12" or np.min(leaf) >= 0, f"I2: {name} left {field} at {leaf}"
        assert np.all(nodes.locked_micro_N <= nodes.bonded_micro_N), f"{name} locked more than is bonded"
        assert after.purse_reserved_micro <= after.purse_micro, f"{name} reserved more than the purse holds"
        assert after.burned_micro >= before.burned_micro, f"I3: {name} took back what was burned"


def test_every_lock_and_reserve_is_given_back(moves: list[Move]) -> None:
    """Once nothing is in flight, nothing is locked: a wager unlocked twice or never would show here."""
    world = make_world(random.Random(99), 8)
    twin = RecordingTwin(world)
    history = History(twin, 99, 5, 7)
    for _ in range(25):
        history.play_block()
    history.open_task = lambda: 0  # type: ignore[method-assign]
    while history.tasks:
        history.play_block()
    assert int(twin.network.purse_reserved_micro) == int(twin.network.task_escrow_micro) == 0
    assert int(twin.network.challenge_bonds_micro) == 0
    assert not np.any(twin.nodes.locked_micro_N)
    assert not np.any(twin.nodes.escrow_micro_N)


shares = st.lists(st.integers(0, 800), min_size=5, max_size=5).filter(any)


@given(st.integers(0, 2 * TIP_MAX), shares)
def test_the_parts_of_a_pot_are_the_pot(pot: int, parts: list[int]) -> None:
    names = [f"pot_share_{name}" for name in ("generators", "discriminators", "purse", "proposer", "treasury")]
    params = bridge.from_dict(Params, {**LAW, **dict(zip(names, parts, strict=True))})
    got = split_pot(params, np.asarray(pot)).tolist()
    assert sum(got) == pot
    assert all(abs(part * sum(parts) - pot * share) < sum(parts) for part, share in zip(got, parts, strict=True))


def test_what_is_paid_equals_the_pot(moves: list[Move]) -> None:
    accepted = 0
    for _, arguments, before, nodes_before, after, nodes_after, results in select(moves, "settle_task"):
        round, outcome, payments = arguments["round"], results[2], results[3]
        pot = int(round.tip_micro + round.emission_micro)
        assert before.task_escrow_micro - after.task_escrow_micro == pot
        slashed = -int(np.sum(payments.slash_micro_N))
        gained = {name: int(getattr(after, name) - getattr(before, name)) for name in Network._fields}
        to_nodes = sum(
            int(np.sum(getattr(nodes_after, name) - getattr(nodes_before, name)))
            for name in ("liquid_micro_N", "bonded_micro_N", "unbonding_micro_N", "escrow_micro_N")
        )
        pools = sum(gained[name] for name in ("treasury_micro", "purse_micro", "reserve_micro", "burned_micro"))
        assert to_nodes + pools == pot, "I4: the pot went elsewhere"
        if outcome.accepted < 0:
            assert gained["reserve_micro"] == round.emission_micro
            assert gained["purse_micro"] == 0
            assert to_nodes + slashed == round.tip_micro
            assert not np.any(payments.fee_micro_N)
            continue
        accepted += 1
        paid_G = int(np.sum(round.answer_G == outcome.accepted)) * round.flat_fee_micro_R[GENERATOR]
        paid_D = int(np.sum(round.revealed_D)) * round.flat_fee_micro_R[DISCRIMINATOR]
        assert int(np.sum(payments.fee_micro_N)) == paid_G + paid_D
        assert gained["purse_micro"] == pot * 85 // 100 - pot * 35 // 100
        assert int(np.sum(nodes_after.escrow_micro_N - nodes_before.escrow_micro_N)) == paid_G
    assert accepted > 10


def test_wagers_move_money_only_between_nodes_and_the_house(moves: list[Move]) -> None:
    audited = 0
    for _, arguments, before, _, after, _, results in select(moves, "settle_audit"):
        round, payments = arguments["round"], results[2]
        assert isinstance(payments, Payments)
        won = int(np.sum(payments.wager_micro_N))
        assert after.purse_micro - before.purse_micro == -won
        drawn = [int(np.sum(seats >= 0)) for seats in (round.generator_G, round.discriminator_D)]
        reserved = sum((n * int(m) + 1) // 2 for n, m in zip(drawn, round.wager_micro_R, strict=True))
        assert before.purse_reserved_micro - after.purse_reserved_micro == reserved
        assert won <= reserved, "the house lost more than it had reserved"
        slashed = -int(np.sum(payments.slash_micro_N))
        burned = int(after.burned_micro - before.burned_micro)
        forfeited = -int(np.sum(payments.forfeit_micro_N))
        assert after.treasury_micro - before.treasury_micro == forfeited + slashed - burned
        audited += 1
    assert audited > 30


def test_a_slash_is_at_most_what_there_was(moves: list[Move]) -> None:
    slashes = 0
    for name in ("slash", "slash_equivocation", "equivocation_penalty"):
        for _, _, before, nodes_before, after, nodes_after, results in select(moves, name):
            lost = np.asarray(results[2])
            held = nodes_before.bonded_micro_N + nodes_before.unbonding_micro_N
            left = nodes_after.bonded_micro_N + nodes_after.unbonding_micro_N
            np.testing.assert_array_equal(held - left, lost)
            assert np.all((lost >= 0) & (lost <= held - nodes_before.locked_micro_N)), "I9: slashed more than it may"
            assert 0 <= 2 * int(np.sum(lost)) - 4 * int(after.burned_micro - before.burned_micro) <= 4 * len(lost)
            np.testing.assert_array_equal(nodes_after.locked_micro_N, nodes_before.locked_micro_N)
            slashes += int(np.any(lost > 0))
    assert slashes > 5
