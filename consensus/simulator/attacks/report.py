"""What an attack is, and what measuring it gives: readings beside their pass lines, and curves with break-evens."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

from consensus.state import Params

SIGMAS = 3.0  # a verdict must stand this many Monte-Carlo errors clear of its line


class Size(NamedTuple):
    """How much to play. Errors fall with the root of seeds x rounds."""

    law: Params
    seeds: int = 16
    rounds: int = 60  # of `cast.TASKS` tasks each
    is_study: bool = False  # with the curves; else only what the pass lines need


class Reading(NamedTuple):
    """One measured number and the line it must keep."""

    measure: str  # what, with its unit
    value: float
    error: float  # one standard error of the Monte Carlo; 0 where it is computed
    sense: str  # "<", ">": clear of the line; "<=", ">=", "=": not clear of it on the wrong side
    line: float

    @property
    def distance(self) -> float:
        """How many errors the value stands clear of its line; negative on the wrong side, infinite if it is exact."""
        below = self.line - self.value
        gap = {"<": below, ">": -below, "=": -abs(below)}[self.sense[0]]
        return gap / self.error if self.error > 0 else (inf if gap >= 0 else -inf)

    @property
    def passes(self) -> bool:
        """True if the value is SIGMAS errors on the right side; with a "=", if it is not so far on the wrong one."""
        return self.distance >= (-SIGMAS if "=" in self.sense else SIGMAS)

    @property
    def verdict(self) -> str:
        """ "pass", "fail", or "open" if more runs are needed to tell.

        >>> Reading("profit", -2.0, 0.1, "<", 0.0).verdict, Reading("profit", -0.1, 0.1, "<", 0.0).verdict
        ('pass', 'open')
        """
        if self.passes:
            return "pass"
        return "open" if abs(self.distance) < SIGMAS else "fail"


class Curve(NamedTuple):
    """One measured number over one dial of the attacker, and where it crosses the line."""

    name: str
    x_name: str
    y_name: str
    points: tuple[tuple[float, float, float], ...]  # x, y, standard error
    line: float = 0.0

    @property
    def break_even(self) -> float | None:
        """The smallest x at which y crosses the line, on a straight line between two points; None if it never does.

        Only points that stand SIGMAS errors clear of the line count.

        >>> Curve("", "f", "profit", ((0.1, -2.0, 0.1), (0.2, 0.2, 0.1), (0.3, 2.0, 0.1))).break_even
        0.2
        """
        clear = [(x, y - self.line) for x, y, error in self.points if abs(y - self.line) > SIGMAS * error]
        for (x0, y0), (x1, y1) in pairwise(clear):
            if y0 * y1 < 0:
                return round(x0 - (x1 - x0) * y0 / (y1 - y0), 9)
        return None


class Report(NamedTuple):
    """What one attack measured."""

    readings: tuple[Reading, ...]
    curves: tuple[Curve, ...] = ()
    note: str = ""  # what a reader of the figures must know

    @property
    def passes(self) -> bool:
        """True if every reading keeps its line."""
        return all(reading.passes for reading in self.readings)


Cases = Callable[[Size], dict[str, Any]]  # `cast.Case` by a name that no other attack uses
Judge = Callable[[Size, dict[str, Any]], Report]  # of `playing.Played` by the same names


class Attack(NamedTuple):
    """One row of the law's table. An attack that needs no network has no cases."""

    name: str
    does: str  # what the attacker does
    must_show: str  # the pass line, in words
    judge: Judge
    cases: Cases = lambda size: {}


def mean_and_error(samples: Sequence[float] | Any) -> tuple[float, float]:
    """The mean of independent samples and its standard error.

    >>> mean_and_error([1.0, 3.0])
    (2.0, 1.0)
    """
    count = len(samples)
    mean = float(sum(samples)) / count
    if count < 2:
        return mean, inf
    variance = float(sum((x - mean) ** 2 for x in samples)) / (count - 1)
    return mean, (variance / count) ** 0.5


def read(measure: str, samples: Any, sense: str, line: float) -> Reading:
    """A reading of independent samples."""
    return Reading(measure, *mean_and_error(samples), sense, line)


def exact(measure: str, value: float, sense: str, line: float) -> Reading:
    """A reading that was computed, not sampled."""
    return Reading(measure, float(value), 0.0, sense, line)
