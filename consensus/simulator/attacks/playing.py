"""Plays the cases of attacks: every case with every seed, side by side in one compiled program of fixed width."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.attacks.cast import GROUPS, STATIC, TASKS, Case, get_tip_pot_micro
from consensus.simulator.checks import check_run
from consensus.simulator.loops import map_leaves
from consensus.simulator.metrics import Metrics
from consensus.simulator.run import COMPILER_OPTIONS, play, to_numpy
from consensus.simulator.setting import Setting
from consensus.simulator.world import State, start

LANES = 32  # runs side by side


class Played(NamedTuple):
    """One case, every leaf with a leading axis S of seeds. Money in pots of the first task."""

    state: State
    before: Metrics  # what had been counted when the later part began; zeros if there is none
    pot_micro: int

    def added(self, name: str) -> np.ndarray:
        """A running sum of `Metrics`, of the later part if there is one [S, ...]; columns OR as [S, O, R]."""
        sums = getattr(self.state.metrics, name) - getattr(self.before, name)
        return sums.reshape(-1, GROUPS, 2) if name.endswith("_OR") else sums

    def gain(self, label: int, role: int | None = None) -> np.ndarray:
        """What the nodes of a label won or lost, all together, in pots, before effort [S]."""
        parts = ("fee", "overturned", "wager", "forfeit", "slash")
        gain_SOR = np.sum([self.added(f"{part}_micro_OR") for part in parts], axis=0) / self.pot_micro
        return gain_SOR[:, label].sum(axis=-1) if role is None else gain_SOR[:, label, role]

    def net(self, label: int, role: int | None = None) -> np.ndarray:
        """The gain after effort [S]."""
        effort_SOR = self.added("effort_micro_OR") / self.pot_micro
        effort_S = effort_SOR[:, label].sum(axis=-1) if role is None else effort_SOR[:, label, role]
        return self.gain(label, role) - effort_S

    def seats(self, label: int, role: int) -> np.ndarray:
        """Seats taken [S]."""
        return self.added("seats_OR")[:, label, role].astype(float)

    def tasks(self) -> np.ndarray:
        """Tasks settled [S]."""
        return self.added("asked_K").sum(axis=-1).astype(float)

    def wrong(self) -> np.ndarray:
        """Share of the tasks that were accepted wrongly [S]."""
        return self.added("wrong_K").sum(axis=-1) / self.tasks()

    def coverage(self) -> np.ndarray:
        """Share of the tasks that were accepted, rightly or not [S]."""
        return (self.added("right_K") + self.added("wrong_K")).sum(axis=-1) / self.tasks()


def play_cases(
    cases: Mapping[str, Case], seeds: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, Played]:
    """`Played` of each case with seeds 0 to `seeds` - 1; the same seed asks the same questions of every case.

    `progress(done, all)` is called after every batch of runs. Raises ValueError as `simulate` does.
    """
    twice = {name: case for name, case in cases.items() if case.later_rounds}
    batches = sum(
        _count_batches(part, seeds) for part in (_by_rounds(cases, "rounds"), _by_rounds(twice, "later_rounds"))
    )
    done = iter(range(1, batches + 1))
    tick = lambda: progress(next(done), batches) if progress is not None else None

    starts = {name: _repeat(start(STATIC, case.setting), seeds) for name, case in cases.items()}
    settings = {name: case.setting for name, case in cases.items()}
    ends = _play_part(_by_rounds(cases, "rounds"), settings, starts, tick)
    before = {name: map_leaves(lambda leaf: leaf * 0, end.metrics) for name, end in ends.items()}
    before |= {name: ends[name].metrics for name in twice}
    altered = {name: case.alter(ends[name]) if case.alter else ends[name] for name, case in twice.items()}
    settings = {name: case.later or case.setting for name, case in twice.items()}
    ends |= _play_part(_by_rounds(twice, "later_rounds"), settings, altered, tick)
    pot_micro = {name: get_tip_pot_micro(case.setting.law) for name, case in cases.items()}
    return {name: Played(ends[name], before[name], pot_micro[name]) for name in cases}


def _play_part(
    groups: dict[int, list[str]], settings: dict[str, Setting], states: dict[str, State], tick: Callable[[], None]
) -> dict[str, State]:
    """The states after each case's rounds, [S, ...]; `tick` is called after every batch."""
    out = {}
    for rounds, names in groups.items():
        for name in names:
            check_run(STATIC, settings[name], 0, rounds)
        seeds = states[names[0]].round.shape[0]
        lanes = [(name, seed) for name in names for seed in range(seeds)]
        played = []
        for first in range(0, len(lanes), LANES):
            played.append(_play_lanes(settings, states, lanes[first : first + LANES], rounds))
            tick()
        whole = map_leaves(lambda *leaves: np.concatenate(leaves), *played)
        for i, name in enumerate(names):
            mine = slice(i * seeds, (i + 1) * seeds)
            out[name] = map_leaves(lambda leaf, mine=mine: leaf[mine], whole)
    return out


def _play_lanes(
    settings: dict[str, Setting], states: dict[str, State], lanes: list[tuple[str, int]], rounds: int
) -> State:
    """The states of at most LANES runs after so many rounds; short batches are filled up with their last run."""
    import jax

    full = [lanes[min(i, len(lanes) - 1)] for i in range(LANES)]
    setting = map_leaves(lambda *leaves: np.stack(leaves), *(settings[name] for name, _ in full))
    state = map_leaves(
        lambda *leaves: np.stack(leaves),
        *(map_leaves(lambda leaf, seed=seed: leaf[seed], states[name]) for name, seed in full),
    )
    seed_L = np.array([seed for _, seed in full], dtype=np.int64)
    with jax.enable_x64(True):
        out = _compiled()(setting, state, seed_L, np.int64(rounds))
        return map_leaves(lambda leaf: to_numpy(leaf)[: len(lanes)], out)


@cache
def _compiled() -> Callable[..., State]:
    """`play` of LANES runs; compiled once for all attacks."""
    import jax

    many = jax.vmap(lambda *arguments: play(STATIC, *arguments), in_axes=(0, 0, 0, None))
    return jax.jit(many, compiler_options=COMPILER_OPTIONS)


def _by_rounds(cases: Mapping[str, Case], field: str) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = {}
    for name, case in cases.items():
        if getattr(case, field):
            groups.setdefault(getattr(case, field), []).append(name)
    return groups


def _count_batches(groups: dict[int, list[str]], seeds: int) -> int:
    return sum(-(-seeds * len(names) // LANES) for names in groups.values())


def _repeat(state: Any, seeds: int) -> Any:
    return map_leaves(lambda leaf: np.broadcast_to(leaf, (seeds, *np.shape(leaf))).copy(), state)


def per_hundred(amount_S: np.ndarray, played: Played, nodes: int = 1) -> np.ndarray:
    """An amount a node and 100 tasks [S]."""
    return 100 * amount_S / played.tasks() / nodes


__all__ = ["LANES", "TASKS", "Played", "per_hundred", "play_cases"]
