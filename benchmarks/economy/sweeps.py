"""Sweeps for looking at: many points of a scenario in one compiled program, and the front of two figures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.parameters import pareto
from consensus.simulator.design import stack_points
from consensus.simulator.scenario import Plain, read_scenario
from consensus.simulator.summary import summarise_sweep
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
    summary = summarise_sweep(swept, settings, scenario.kinds, scenario.groups)
    return Table(list(points), summary.names, summary.figures_SEF)


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
    """Indices of the points that none beats in both (less is better), by ascending x; of equal points the first.

    >>> find_front(np.array([1, 2, 3]), np.array([5, 7, 1])).tolist()
    [0, 2]
    """
    low_P2, index_P = np.unique(np.column_stack([x, y]), axis=0, return_index=True)
    return index_P[pareto.find_front(low_P2)]
