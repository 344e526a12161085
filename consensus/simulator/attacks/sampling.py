"""Rounds as the simulator's agents fill them in, one by one and with their truth, for rules that are tried on them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from consensus.simulator.attacks.cast import STATIC
from consensus.simulator.loops import map_leaves
from consensus.simulator.setting import Setting
from consensus.simulator.step import play_round
from consensus.simulator.world import start
from consensus.state import Array, Network, Nodes, Round


class Sample(NamedTuple):
    """One task as it stands before it settles."""

    network: Network
    nodes: Nodes
    round: Round
    truth_C: Array


def draw_samples(setting: Setting, seed: int, rounds: int) -> Iterator[Sample]:
    """The tasks of so many rounds, in order, on NumPy; the network lives on between them, under the law."""
    state = start(STATIC, setting)
    for _ in range(rounds):
        state = play_round(STATIC, setting, np.int64(seed), state)
        opened = state.waiting[-1]
        for t in np.flatnonzero(opened.is_open_T):
            task = map_leaves(lambda leaf, t=t: leaf[t], opened)
            yield Sample(state.network, state.nodes, task.round, task.truth_TC)
