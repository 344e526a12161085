"""I7: every rule gives, to the bit, what the plain-Python oracle gives; with I1 and I2 after every step."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules import challenge, stake
from consensus.rules.fee import can_open
from consensus.state import Params
from tests.consensus import bridge, oracle
from tests.consensus.strategies import TIP_MAX, amounts, reveals, seat_draws, truths, worlds
from tests.consensus.twin import Twin, assert_sound

SHAPES = [(1, 1), (2, 3), (3, 2), (4, 4), (5, 7)]
tips = st.one_of(st.integers(0, 10**6), st.integers(0, TIP_MAX))


def open_for(draw: st.DrawFn, twin: Twin, seats_G: int, seats_D: int) -> tuple[int, dict[str, Any]] | None:
    """Open a task by somebody who can pay; None if the drawn payer cannot."""
    payer = draw(st.integers(0, len(twin.world["nodes"]) - 1))
    purchasing = twin.world["nodes"][payer]["liquid_micro"] - twin.world["network"]["base_fee_micro"]
    if purchasing < 0:
        return None
    opened = twin.step(
        "open_task",
        payer=payer,
        tip_micro=min(draw(tips), purchasing),
        task_class=draw(st.integers(0, 2)),
        generator_draws_G16=draw(seat_draws(seats_G)),
        discriminator_draws_D16=draw(seat_draws(seats_D)),
    )
    return payer, opened


@st.composite
def task_lives(draw: st.DrawFn, max_nodes: int = 9) -> Twin:
    """One task from opening to the end of its escrow, in a random world."""
    seats_G, seats_D = draw(st.sampled_from(SHAPES))
    twin = Twin(draw(worlds(seats_G, seats_D, max_nodes)))
    assert_sound(twin.world)
    opened = open_for(draw, twin, seats_G, seats_D)
    if opened is None:
        return twin
    assert_sound(twin.world)
    payer, round = opened[0], draw(reveals(opened[1]))
    last = len(twin.world["nodes"]) - 1
    is_canary = draw(st.integers(0, 1))
    outcome, payments = twin.step(
        "settle_task",
        round=round,
        payer=payer,
        candidate_draw_16=draw(seat_draws(1))[0],
        audit_draw_16=draw(seat_draws(1))[0],
        proposer=draw(st.integers(-1, last)),
        is_canary=is_canary,
    )
    assert_sound(twin.world)
    if is_canary or outcome["is_random_audit"]:
        truth = draw(truths(seats_G))
        if draw(st.integers(0, 5)):
            twin.step("settle_audit", round=round, outcome=outcome, truth_C=truth, is_random=outcome["is_random_audit"])
        else:
            twin.step("unlock_wagers", round=round)
        assert_sound(twin.world)
    if outcome["accepted"] >= 0:
        fees = [fee if (i in round["generator"]) else 0 for i, fee in enumerate(payments["fee_micro"])]
        twin.step(draw(st.sampled_from(["release_escrow", "overturn"])), amounts_micro_N=fees)
        assert_sound(twin.world)
    return twin


@given(task_lives())
def test_one_task_from_opening_to_payment(twin: Twin) -> None:
    assert twin.world["network"]["height"] >= 1  # every comparison happened while the life was played


@given(worlds(), st.data())
def test_slashes(world: dict[str, Any], data: st.DataObject) -> None:
    twin = Twin(world)
    count = len(world["nodes"])
    finders = st.integers(-1, count - 1)
    fractions = st.lists(st.one_of(st.just(0), st.integers(0, 65536)), min_size=count, max_size=count)
    before = [node["bonded_micro"] + node["unbonding_micro"] for node in world["nodes"]]
    slashed = twin.step("slash", fraction_q16_N=data.draw(fractions), finder=data.draw(finders))
    assert all(0 <= lost <= had for lost, had in zip(slashed, before, strict=True)), "I9: slash above the balance"
    assert_sound(twin.world)
    twin.step("slash_equivocation", offender=data.draw(st.integers(0, count - 1)), finder=data.draw(finders))
    twin.step(
        "equivocation_penalty",
        equivocator_N=data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)),
    )
    assert_sound(twin.world)


@given(worlds(), st.data())
def test_challenges(world: dict[str, Any], data: st.DataObject) -> None:
    twin = Twin(world)
    count = len(world["nodes"])
    challenger = data.draw(st.integers(0, count - 1))
    bond = data.draw(st.integers(0, world["nodes"][challenger]["liquid_micro"]))
    twin.step("open_challenge", challenger=challenger, bond_micro=bond)
    assert_sound(twin.world)
    held = [data.draw(st.integers(0, node["escrow_micro"])) for node in twin.world["nodes"]]
    rule = data.draw(st.sampled_from(["overturn", "uphold"]))
    twin.step(rule, amounts_micro_N=held, challenger=challenger, bond_micro=bond)
    assert_sound(twin.world)


@given(worlds(), st.data())
def test_the_questions_a_ledger_asks_first(world: dict[str, Any], data: st.DataObject) -> None:
    network, nodes = bridge.world_to_state(world)
    params = bridge.from_dict(Params, world["params"])
    i = data.draw(st.integers(0, len(world["nodes"]) - 1))
    row = world["nodes"][i]
    near = lambda edge: st.integers(edge - 1, edge + 1)

    tip = data.draw(st.one_of(near(0), near(TIP_MAX), near(row["liquid_micro"] - world["network"]["base_fee_micro"])))
    assert bool(can_open(network, nodes, np.asarray(i), np.asarray(tip))) == oracle.can_open(world, i, tip)

    exits = world["network"]["exiting_micro"]
    staked = sum(node["bonded_micro"] for node in world["nodes"]) + exits
    churn = staked * world["params"]["exit_churn_q16"] // 65536 - exits
    amount = data.draw(st.one_of(near(0), near(row["bonded_micro"] - row["locked_micro"]), near(churn)))
    may_leave = stake.can_unbond(params, network, nodes, np.asarray(i), np.asarray(amount))
    assert bool(may_leave) == oracle.can_unbond(world, i, amount)

    fee = np.asarray(data.draw(amounts))
    assert int(challenge.compute_challenge_bond(params, fee)) == oracle.compute_challenge_bond(world, int(fee))


@given(worlds(), st.data())
def test_stake_and_blocks(world: dict[str, Any], data: st.DataObject) -> None:
    twin = Twin(world)
    nodes = st.integers(0, len(world["nodes"]) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        i, j = data.draw(nodes), data.draw(nodes)
        twin.step("bond", node=i, amount_micro=data.draw(st.integers(0, twin.world["nodes"][i]["liquid_micro"])))
        free = twin.world["nodes"][j]["bonded_micro"] - twin.world["nodes"][j]["locked_micro"]
        twin.step("unbond", node=j, amount_micro=data.draw(st.integers(0, free)))
        held = twin.world["nodes"][i]["liquid_micro"]
        twin.step("transfer", sender=i, receiver=j, amount_micro=min(held, data.draw(amounts)))
        twin.step("end_block", tasks_opened=data.draw(st.integers(0, 70)))
        assert_sound(twin.world)
