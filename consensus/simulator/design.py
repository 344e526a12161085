"""Which points a sweep visits: a grid, random points, or a Latin hypercube, over any plain values of a scenario.

design([Axis("law.theta0_q16", values=(0.7, 0.9)), Axis("network.load", low=0.2, high=1.0)], "latin", 16, seed=0)
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.loops import map_leaves
from consensus.simulator.networks import LARGEST
from consensus.simulator.scenario import Plain, Scenario, make_scenario, replace_at
from consensus.simulator.setting import Setting, count_settings

DESIGNS = ("grid", "random", "latin")
GRID_STEPS = 5  # of a range in a grid
MOST_POINTS = 100_000


class Axis(NamedTuple):
    """What varies: a list of values, or a range; of whole numbers if both ends are."""

    path: str
    values: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False  # spread evenly in the logarithm

    def at(self, share: float) -> Any:
        """The value at a share of 0 to 1 of the axis."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        ends = np.log([self.low, self.high]) if self.log else np.asarray([self.low, self.high])
        value = float(np.exp(np.interp(share, [0, 1], ends)) if self.log else np.interp(share, [0, 1], ends))
        return round(value) if isinstance(self.low, int) and isinstance(self.high, int) else value


def read_axes(vary: Plain) -> list[Axis]:
    """The axes of a scenario's [vary] table. Raises ValueError with one sentence."""
    if not isinstance(vary, dict):
        raise ValueError(f"vary is {vary!r}: it must be a table, [vary]")
    axes = []
    for path, spec in vary.items():
        if isinstance(spec, list) and spec:
            axes.append(Axis(path, values=tuple(spec)))
        elif isinstance(spec, dict) and {"low", "high"} <= set(spec) <= {"low", "high", "log"}:
            if not all(type(spec[end]) in (int, float) and abs(spec[end]) <= LARGEST for end in ("low", "high")):
                raise ValueError(f"vary {path}: low and high must be numbers within +-10^15, not {spec!r}")
            axes.append(Axis(path, **spec))
        else:
            raise ValueError(f"vary {path}: give a list of values, or low and high (and log = true), not {spec!r}")
        axis = axes[-1]
        if not axis.values and not (axis.low < axis.high and (axis.low > 0 or not axis.log)):
            raise ValueError(
                f"vary {path}: low must be below high, and above 0 with log, got {axis.low} to {axis.high}"
            )
    return axes


def design(axes: Sequence[Axis], kind: str, points: int, seed: int = 0) -> list[dict[str, Any]]:
    """The points, each as {path: value}. A grid visits all combinations, a range at five values; `points` is for the
    others. A Latin hypercube visits each of `points` slices of every axis once."""
    if kind not in DESIGNS:
        raise ValueError(f"the design is {kind!r}: choose one of {', '.join(DESIGNS)}")
    if not axes:
        raise ValueError("nothing varies: give the scenario a [vary] table, or --vary path=value,value")
    if kind == "grid":
        steps = [axis.values or tuple(axis.at(i / (GRID_STEPS - 1)) for i in range(GRID_STEPS)) for axis in axes]
        count = int(np.prod([len(values) for values in steps], dtype=float))
        _check_points(count)
        return [dict(zip([axis.path for axis in axes], point, strict=True)) for point in product(*steps)]
    _check_points(points)
    rng = np.random.default_rng(seed)
    if kind == "random":
        share_AP = rng.random((len(axes), points))
    else:
        slices = np.stack([rng.permutation(points) for _ in axes])
        share_AP = (slices + rng.random(slices.shape)) / points
    return [{axis.path: axis.at(float(s)) for axis, s in zip(axes, share_AP[:, i], strict=True)} for i in range(points)]


def _check_points(count: int) -> None:
    if type(count) is not int or not 1 <= count <= MOST_POINTS:
        raise ValueError(f"the sweep has {count!r} points: choose 1 to {MOST_POINTS}")


def stack_points(plain: Plain, points: Sequence[dict[str, Any]]) -> tuple[Scenario, Setting]:
    """The scenario of the first point, and the settings of all points: only leaves that differ get an axis of settings
    (the load, if none does).

    Raises ValueError if a point is refused, or changes the sizes of the network.
    """
    scenarios = []
    for point in points:
        changed = plain
        for path, value in point.items():
            changed = replace_at(changed, path, value)
        try:
            scenarios.append(make_scenario(changed))
        except ValueError as error:
            where = ", ".join(f"{path} = {value}" for path, value in point.items())
            raise ValueError(f"at {where}: {error}" if where else str(error)) from None
        if (scenarios[-1].rounds, scenarios[-1].seeds) != (scenarios[0].rounds, scenarios[0].seeds):
            raise ValueError(f"{', '.join(point)}: rounds and seeds are the same for all points; use --rounds, --seeds")
        if scenarios[-1].static != scenarios[0].static:
            raise ValueError(f"{', '.join(point)} changes the sizes of the network: make one sweep for each size")
    merge = lambda *leaves: leaves[0] if all(np.array_equal(leaves[0], leaf) for leaf in leaves) else np.stack(leaves)
    settings = map_leaves(merge, *(scenario.setting for scenario in scenarios))
    if len(points) > 1 and count_settings(settings) == 1:  # points that round to the same integers
        load_q16 = np.repeat(settings.demand.load_q16[None], len(points))
        settings = settings._replace(demand=settings.demand._replace(load_q16=load_q16))
    return scenarios[0], settings
