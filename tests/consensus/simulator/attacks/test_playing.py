"""A played case is the run that `simulate` plays, its books are the ledger's, a later part goes on from the first."""

from functools import partial

import numpy as np
import pytest

from consensus import presets
from consensus.simulator.attacks.cast import (
    ATTACKER,
    HONEST,
    NODES,
    STATIC,
    Case,
    attackers,
    honest,
    make_setting,
)
from consensus.simulator.attacks.playing import Played, play_cases
from consensus.simulator.attacks.whitewashing import move, release
from consensus.simulator.loops import map_leaves
from consensus.simulator.run import simulate
from consensus.simulator.world import compute_wealth_micro, start
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus.simulator.small import assert_same_bits

LAW = presets.demo()
INFLATED = make_setting(LAW, attackers(3, "generator", "inflator", 0.3))
CALM = make_setting(LAW, attackers(3, "generator", "honest", 0.3))
OLD = int(np.flatnonzero(INFLATED.conduct.group_N == ATTACKER)[0])
NEW = NODES - 1
CASES = {
    "once": Case(INFLATED, 4),
    "twice": Case(INFLATED, 2, None, INFLATED, 2),
    "turned": Case(INFLATED, 2, None, CALM, 2),
    "moved": Case(INFLATED, 4, partial(move, old=OLD, new=NEW), CALM, 2),
}


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    return play_cases(CASES, 3)


def test_a_lane_is_the_run_that_simulate_plays(played: dict[str, Played]) -> None:
    alone = simulate(STATIC, INFLATED, start(STATIC, INFLATED), 2, 4, backend="numpy")
    assert_same_bits(map_leaves(lambda leaf: leaf[2], played["once"].state), alone)


def test_a_later_part_goes_on_from_the_first(played: dict[str, Played]) -> None:
    assert_same_bits(played["twice"].state, played["once"].state)
    assert (played["turned"].state.nodes.bonded_micro_N != played["once"].state.nodes.bonded_micro_N).any()
    whole, later = played["once"].added("asked_K"), played["twice"].added("asked_K")
    np.testing.assert_array_equal(later, whole - played["twice"].before.asked_K)
    assert 0 < later.sum() < whole.sum()


def test_the_gains_of_labels_are_what_the_ledger_moved(played: dict[str, Played]) -> None:
    run = played["once"]
    grown_SN = compute_wealth_micro(run.state.nodes) - compute_wealth_micro(start(STATIC, INFLATED).nodes)
    for label in (HONEST, ATTACKER):
        mine_S = grown_SN[:, INFLATED.conduct.group_N == label].sum(axis=1)
        np.testing.assert_allclose(run.gain(label), mine_S / run.pot_micro, rtol=1e-12)
        np.testing.assert_allclose(run.gain(label), run.gain(label, 0) + run.gain(label, 1), rtol=1e-9)
    assert (run.net(HONEST) < run.gain(HONEST)).all()
    assert (run.net(ATTACKER) == run.gain(ATTACKER)).all()  # who guesses does not work


def test_moving_to_a_fresh_key_moves_stake_and_leaves_wagers_behind(played: dict[str, Played]) -> None:
    state = played["once"].state
    moved = move(state, OLD, NEW).nodes
    np.testing.assert_array_equal(moved.bonded_micro_N[:, OLD], state.nodes.locked_micro_N[:, OLD])
    np.testing.assert_array_equal(moved.bonded_micro_N.sum(axis=1), state.nodes.bonded_micro_N.sum(axis=1))
    assert played["moved"].state.metrics.supply_error_max_micro.max() == 0
    jailed = state.nodes.jailed_until_N.copy()
    jailed[:, OLD] = 600
    freed = release(state._replace(nodes=state.nodes._replace(jailed_until_N=jailed)), OLD)
    assert freed.nodes.jailed_until_N[:, OLD].max() == 0


def test_a_cast_has_the_stakes_it_says() -> None:
    stake_N, group_N, role_NR = INFLATED.conduct.stake_micro_N, INFLATED.conduct.group_N, INFLATED.conduct.role_NR
    mine, generators = group_N == ATTACKER, role_NR[:, 0] == 1
    assert stake_N[mine].sum() / stake_N[generators].sum() == pytest.approx(0.3, abs=1e-6)
    assert stake_N.sum() < SUPPLY_CAP_MICRO
    assert start(STATIC, INFLATED).nodes.bonded_micro_N.shape == (NODES,)
    with pytest.raises(ValueError, match="a cast has at most 96 nodes, this one has 116"):
        make_setting(LAW, honest("generator", 100))
