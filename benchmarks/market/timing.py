"""CPU seconds, medians of turns taken by all contestants, and the players they are taken from."""

import contextlib
from collections.abc import Iterator
from unittest import mock

import jax
import numpy as np

from benchmarks.turns import measure
from consensus.simulator import draws, tree
from consensus.simulator import market as market_rules
from consensus.simulator.draws import Key
from consensus.simulator.market import Market, Setting
from consensus.simulator.market_play import play_numpy, program


class JaxPlayer:
    """Plays the market on and on, compiled once; the arrays stay on the device."""

    def __init__(self, setting: Setting, market: Market, rounds: int, seats: int | None = None) -> None:
        with jax.enable_x64(True):
            self.setting, self.market = jax.device_put((setting, market))
            self.compiled = program(rounds, seats, setting.seed.ndim == 1).lower(self.setting, self.market).compile()

    def __call__(self) -> None:
        self.market = jax.block_until_ready(self.compiled(self.setting, self.market))

    def result(self) -> Market:
        return Market(*(np.asarray(leaf) for leaf in self.market))


class NumpyPlayer:
    """The same lines on NumPy, spared what only JAX gets for nothing (`at_numpys_best`)."""

    def __init__(self, setting: Setting, market: Market, rounds: int, seats: int | None = None) -> None:
        self.setting, self.market, self.rounds, self.seats = setting, market, rounds, seats

    def __call__(self) -> None:
        with at_numpys_best():
            self.market = play_numpy(self.setting, self.market, self.rounds, self.seats)

    def result(self) -> Market:
        return self.market


@contextlib.contextmanager
def at_numpys_best() -> Iterator[None]:
    """Within it NumPy changes tables where they lie, makes keys of Python integers (a sixth of the time of its own
    scalars), and has the tree with 64 branches, its faster one. The bits stay the same."""
    with (
        mock.patch.object(tree, "add_rows", _add_rows_in_place),
        mock.patch.object(tree, "BRANCHES", 64),
        mock.patch.object(market_rules, "make_key", _make_plain_key),
    ):
        yield


def _add_rows_in_place(x_NB: np.ndarray, row_S: np.ndarray, change_SB: np.ndarray) -> np.ndarray:
    width = x_NB.shape[1]
    flat = row_S[:, None] * width + np.arange(width)  # one index an element is NumPy's fast path
    np.add.at(x_NB.reshape(-1), flat.reshape(-1), change_SB.reshape(-1))
    return x_NB


def _make_plain_key(seed: int, round: int, stream: int) -> Key:
    first, second = int(draws._ADD_FIRST), int(draws._ADD_SECOND)
    by, low = int(draws._MULTIPLY_1), 0xFFFFFFFF
    for value in (int(seed), int(round), int(stream)):
        for word in (value & low, value >> 32):
            first, second = _mix(first ^ word), _mix((second * by + word) & low)
    return Key(np.uint32(first), np.uint32(second))


def _mix(x: int) -> int:
    x = (x ^ x >> 16) * int(draws._MULTIPLY_1) & 0xFFFFFFFF
    x = (x ^ x >> 15) * int(draws._MULTIPLY_2) & 0xFFFFFFFF
    return x ^ x >> 15


def copy_bandwidth(nodes: int, repeats: int) -> float:
    """Bytes read and written a second when 22 bytes a node are copied: the least step's traffic in as much memory.

    What fits a cache is copied several times faster than memory: compare like with like.
    """
    source, target = np.ones(nodes * 22, np.int8), np.empty(nodes * 22, np.int8)
    times = max(1, 20_000_000 // source.size)

    def copy() -> None:
        for _ in range(times):
            np.copyto(target, source)

    return 2 * source.size * times / measure({"copy": copy}, repeats)["copy"]
