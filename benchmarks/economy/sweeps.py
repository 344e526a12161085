"""Sweeps for looking at: many points of a scenario in one compiled program, and the front of two figures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.checks import select
from consensus.simulator.design import stack_points
from consensus.simulator.loops import map_leaves
from consensus.simulator.networks import get_pot_micro
from consensus.simulator.scenario import Plain, read_scenario
from consensus.simulator.summary import summarise
from consensus.simulator.sweep import sweep

Point = dict[str, Any]
CHEATS = {"generator": ("inflator", "copycat"), "discriminator": ("flag-all", "withholder")}  # of the demo


class Table(NamedTuple):
    """Figures of every run, by the names that `deslm sweep` gives them."""

    points: list[Point]
    names: tuple[str, ...]
    figures_SEF: np.ndarray  # [settings, seeds, figures]


def sweep_points(plain: Plain, points: Sequence[Point], rounds: int, seeds: int) -> Table:
    """Every point with every seed; amounts in pots of the point's own law and tip."""
    scenario, settings = stack_points({**plain, "rounds": rounds, "seeds": seeds}, points)
    swept = sweep(scenario.static, settings, scenario.seeds, rounds)
    rows = []
    for index in range(len(points)):
        setting = select(settings, index)
        pot_micro = get_pot_micro(setting.law, int(setting.demand.tip_micro))
        for seed in range(seeds):
            one = map_leaves(lambda leaf, at=(index, seed): leaf[at], swept)
            rows.append(summarise(one.metrics, one.ending, setting, pot_micro, scenario.kinds, scenario.groups))
    figures_SEF = np.array([list(row.values()) for row in rows]).reshape(len(points), seeds, -1)
    return Table(list(points), tuple(rows[0]), figures_SEF)


def demo_network() -> Plain:
    """The bundled scenario: the demo's network with its four dishonest nodes."""
    return {name: value for name, value in read_scenario(None).items() if name != "vary"}


def list_changes(changes: Mapping[str, tuple[Any, Any]]) -> list[Point]:
    """The network as it is, and with one value at a time lower and higher: point 2 i + 1 and 2 i + 2 are change i's."""
    return [{}, *({path: value} for path, pair in changes.items() for value in pair)]


def make_fair(large_pots: float) -> Point:
    """The demo's network with its cheats turned honest, and with stakes of this size; the others keep theirs."""
    names = [name for pair in CHEATS.values() for name in pair]
    return {f"groups.{name}.policy": "honest" for name in names} | {
        f"groups.{name}.stake_pots": float(large_pots) for name in names
    }


def get_returns(table: Table, setting: int) -> dict[str, np.ndarray]:
    """Of a fair network: gain over stake, one entry a seed, of small and large nodes of both roles."""
    column = lambda name: table.figures_SEF[setting, :, table.names.index(f"return.{name}")]
    returns = {}
    for role, large in CHEATS.items():
        returns[f"small {role}s"] = column(f"{role}s")
        returns[f"large {role}s"] = np.mean([column(name) for name in large], axis=0)
    return returns


def find_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Indices of the points that none beats in both (less is better), by ascending x.

    >>> find_front(np.array([1, 2, 3]), np.array([5, 7, 1])).tolist()
    [0, 2]
    """
    order = np.lexsort((y, x))
    best = np.minimum.accumulate(np.concatenate([[np.inf], y[order][:-1]]))
    return order[y[order] < best]
