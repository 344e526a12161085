"""I6: at equal reputation, a stake split over several keys gets the same seats and the same pay.

Seats are counted exactly: one task with as many seats as the total weight V, whose draws are 0 .. V-1, visits every
outcome of one draw once. Pay is compared on recorded rounds: a node's second seat is given to a new key that says the
same, and both together must be paid what the node was paid.
"""

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Params, Round
from tests.consensus import bridge
from tests.consensus.histories import History, make_world
from tests.consensus.strategies import LAW, ONE
from tests.consensus.twin import STEPS, RecordingTwin, Twin, call_rule

ROLES = {GENERATOR: "generator_G", DISCRIMINATOR: "discriminator_D"}


def tiny_world(bonded: list[int], reputation: tuple[int, int], floor_q16: int) -> dict[str, Any]:
    """Nodes with these stakes, all of one reputation (good, bad), and nothing that a wager could lock."""
    changes = {"stake_min_micro": 1, "reputation_floor_q16": floor_q16, "emission_rate_q32": 0, "wager_fees": [0, 0]}
    world = make_world(random.Random(0), len(bonded) + 1, changes)
    for row, stake in zip(world["nodes"], bonded, strict=False):
        world["network"]["reserve_micro"] += row["bonded_micro"] - stake
        row |= {"bonded_micro": stake, "good_q8": [reputation[0]] * 2, "bad_q8": [reputation[1]] * 2}
    return world


def count_seats(bonded: list[int], reputation: tuple[int, int], floor_q16: int) -> list[int]:
    """How many of all possible draws each node wins."""
    twin = Twin(tiny_world(bonded, reputation, floor_q16))
    good, bad = reputation
    factor = max(floor_q16, min(ONE, good * ONE // (good + bad + LAW["reputation_prior_q8"])))
    weight = sum(stake * factor // ONE for stake in bonded)
    draws = [list(point.to_bytes(16, "big")) for point in range(weight)]
    opened = twin.step(
        "open_task",
        payer=len(bonded),
        tip_micro=0,
        task_class=0,
        generator_draws_G16=draws,
        discriminator_draws_D16=[[0] * 16],
    )
    return [opened["generator"].count(i) for i in range(len(bonded))]


stakes = st.lists(st.integers(1, 60), min_size=2, max_size=4)


@given(stakes, st.lists(st.integers(0, 60), max_size=3), st.integers(0, 12))
def test_splitting_a_stake_leaves_expected_seats(bonded: list[int], cuts: list[int], good: int) -> None:
    whole = count_seats(bonded, (0, 0), ONE)
    edges = sorted({0, bonded[0], *(cut % bonded[0] for cut in cuts)})
    pieces = [right - left for left, right in pairwise(edges)]
    split = count_seats([*pieces, *bonded[1:]], (0, 0), ONE)
    assert sum(split[: len(pieces)]) == whole[0] == bonded[0]
    assert split[len(pieces) :] == whole[1:]


@given(st.lists(st.integers(2, 40), min_size=2, max_size=4), st.integers(2, 4), *[st.integers(0, 16000)] * 2)
def test_below_full_reputation_a_split_loses_only_floors(bonded: list[int], k: int, good: int, bad: int) -> None:
    bonded[0] *= k
    whole = count_seats(bonded, (good, bad), ONE // 2)
    split = count_seats([bonded[0] // k] * k + bonded[1:], (good, bad), ONE // 2)
    assert split[k:] == whole[1:]
    assert whole[0] - k < sum(split[:k]) <= whole[0]


@pytest.fixture(scope="module")
def recorded() -> list[tuple[Params, Any]]:
    """Settlements and audits of some histories."""
    steps = []
    for seed in range(4):
        twin = RecordingTwin(make_world(random.Random(seed), 6))
        history = History(twin, seed, 5, 7)
        for _ in range(20):
            history.play_block()
        steps += [(twin.params, step) for step in twin.recorded if step[0] in ("settle_task", "settle_audit")]
    return steps


def split_node(nodes: Nodes, round: Round, node: int, role: int) -> tuple[Nodes, Round]:
    """Give the last seat of `node`, its wager, and half its free stake to a new key of equal reputation."""
    seats = getattr(round, ROLES[role]).copy()
    seats[np.flatnonzero(seats == node)[-1]] = len(nodes.liquid_micro_N)
    wager = round.wager_micro_R[role]
    free = nodes.bonded_micro_N[node] - nodes.locked_micro_N[node]
    rows = bridge.nodes_to_rows(nodes)
    new = {**rows[node], "liquid_micro": 0, "unbonding_micro": 0, "escrow_micro": 0}
    new |= {"locked_micro": int(wager), "bonded_micro": int(wager + free // 2)}
    rows[node]["locked_micro"] -= new["locked_micro"]
    rows[node]["bonded_micro"] -= new["bonded_micro"]
    return bridge.rows_to_nodes([*rows, new]), round._replace(**{ROLES[role]: seats})


def join(leaf: np.ndarray, node: int) -> np.ndarray:
    """The amounts of a split node and its new key added up."""
    joined = leaf[:-1].copy()
    joined[node] += leaf[-1]
    return joined


def test_splitting_a_node_leaves_its_pay(recorded: list[tuple[Params, Any]]) -> None:
    compared, slashed = 0, 0
    for params, (name, network, nodes, arguments, results) in recorded:
        round = arguments["round"]
        if len(set(round.generator_G[round.answer_G >= 0].tolist())) < 2:
            continue  # one node's answers do not count as two nodes', however it is split
        for role, seats_name in ROLES.items():
            sitting, counts = np.unique(getattr(round, seats_name), return_counts=True)
            for node in sitting[(counts > 1) & (sitting >= 0)].tolist():
                split_nodes, split_round = split_node(nodes, round, node, role)
                split = call_rule(STEPS[name], params, network, split_nodes, {**arguments, "round": split_round})
                assert_same_pay(split, results, node)
                slashed += int(results[-1].slash_micro_N[node] < 0)
                compared += 1
    assert compared > 100
    assert slashed > 3


def assert_same_pay(split: tuple, whole: tuple, node: int) -> None:
    """Equal but for the floors of slashing two accounts instead of one."""
    payments, expected = split[-1], whole[-1]
    for name in ("fee_micro_N", "wager_micro_N", "forfeit_micro_N"):
        np.testing.assert_array_equal(join(getattr(payments, name), node), getattr(expected, name))
    difference = join(payments.slash_micro_N, node) - expected.slash_micro_N
    assert 0 <= difference[node] <= 1
    assert np.count_nonzero(difference) <= 1
    for mine, theirs in zip(split[0], whole[0], strict=True):
        assert abs(mine - theirs) <= 2
    exact = Network(*(leaf for leaf in whole[0]))._replace(treasury_micro=split[0].treasury_micro)
    bridge.assert_same(split[0], exact._replace(burned_micro=split[0].burned_micro))
    if len(whole) == 4:
        bridge.assert_same(split[2], whole[2])
