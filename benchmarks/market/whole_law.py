"""The whole law as a contestant: the simulator's own rounds, honest nodes, tasks of 5 + 15 seats."""

import jax
import numpy as np

from consensus import presets
from consensus.simulator.networks import Group, make_network
from consensus.simulator.run import compiled
from consensus.simulator.world import start


class LawPlayer:
    """Plays rounds on and on; `tasks` is how many the last call opened."""

    def __init__(self, nodes: int, rounds: int) -> None:
        groups = [Group(f"{role}s", nodes // 2, role, stake_pots=50.0) for role in ("generator", "discriminator")]
        self.static, setting = make_network(presets.reference(), groups, tasks=8, lag=4)
        with jax.enable_x64(True):
            arguments = (setting, start(self.static, setting), np.int64(1), np.int64(rounds))
            self.setting, self.state, *self.rest = jax.tree.map(jax.numpy.asarray, arguments)
        self.tasks = 0

    def __call__(self) -> None:
        before = int(self.state.metrics.opened)
        with jax.enable_x64(True):
            self.state = jax.block_until_ready(compiled(self.static)(self.setting, self.state, *self.rest))
        self.tasks = int(self.state.metrics.opened) - before
