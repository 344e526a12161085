"""Every contestant of the speed comparison plays the frozen market, to the bit: else it would compare nothing."""

import numpy as np
import pytest

from benchmarks import simulator
from benchmarks.market.timing import JaxPlayer, NumpyPlayer, copy_bandwidth
from benchmarks.turns import measure
from consensus.simulator import draws
from consensus.simulator import market as rules
from consensus.simulator.market import make_setting, open_market
from consensus.simulator.market_play import digest, play_numpy

SETTING = make_setting(seed=5)


@pytest.mark.parametrize("seats", [None, 9])
def test_numpy_at_its_best_and_jax_play_the_same_market(seats):
    want = digest(play_numpy(SETTING, open_market(70), 6, seats))
    for player in (NumpyPlayer, JaxPlayer):
        contestant = player(SETTING, open_market(70), 3, seats)
        contestant()
        contestant()
        assert digest(contestant.result()) == want


def test_what_numpy_is_spared_is_given_back():
    NumpyPlayer(SETTING, open_market(20), 1, 3)()
    assert rules.make_key is draws.make_key


def test_mesa_plays_the_same_market():
    peer = pytest.importorskip("benchmarks.market.mesa_peer", exc_type=ImportError)
    market = peer.MesaMarket(SETTING, open_market(40))
    for _ in range(4):
        market.step()
    assert digest(market.result()) == digest(play_numpy(SETTING, open_market(40), 4))


def test_radcad_plays_the_same_market():
    peer = pytest.importorskip("benchmarks.market.radcad_peer", exc_type=ImportError)
    assert digest(peer.play_radcad(SETTING, open_market(40), 4)) == digest(play_numpy(SETTING, open_market(40), 4))


def test_a_contestant_that_plays_something_else_stops_the_benchmark():
    market = open_market(10)
    with pytest.raises(SystemExit, match="Mesa did not play the frozen market"):
        simulator.check_bits(market._replace(round=np.int64(1)), market, "Mesa")


def test_measuring_takes_turns_and_leaves_the_first_out():
    turns = []
    seconds = measure({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 2)
    assert turns == ["a", "b"] * 3
    assert set(seconds) == {"a", "b"}
    assert 1e8 < copy_bandwidth(1000, 1) < 1e12
