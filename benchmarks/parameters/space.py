"""The parameters that the study moves: what each is called, its range, and the law with some of them moved.

Values are as people write them (shares of 1, log-odds, flat fees, parts in a thousand of a pot); `make_law` turns a
point, {name: value}, into `Params`. What a point does not name stays as the preset has it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from consensus.simulator.design import Axis, design
from consensus.state import DISCRIMINATOR, GENERATOR, Params
from consensus.units import Q8, Q12, Q16, Array

Point = dict[str, float]


class Dial(NamedTuple):
    """One parameter of the study."""

    name: str
    low: float
    high: float
    log: bool
    set: Callable[[Params, float], dict[str, Array]]  # the leaves of a law that this value gives
    get: Callable[[Params], float]


def _leaf(name: str, unit: float, low: float, high: float, title: str, log: bool = False) -> Dial:
    """A dial that is one leaf, in units of so many."""
    return Dial(
        title,
        low,
        high,
        log,
        lambda law, value: {name: _int(value * unit)},
        lambda law: float(getattr(law, name)) / unit,
    )


def _entry(name: str, unit: float, role: int, low: float, high: float, title: str, log: bool = False) -> Dial:
    """A dial that is one role's column of a leaf."""

    def change(law: Params, value: float) -> dict[str, Array]:
        leaf = getattr(law, name).copy()
        leaf[..., role] = round(value * unit)
        return {name: leaf}

    return Dial(title, low, high, log, change, lambda law: float(getattr(law, name)[..., role].flat[0]) / unit)


def _share(name: str, low: float, high: float, title: str) -> Dial:
    """A part of the pot, in thousandths before all five are divided by their sum."""
    leaf = f"pot_share_{name}"

    def change(law: Params, value: float) -> dict[str, Array]:
        return {leaf: _int(round(value * 1_000))}

    return Dial(title, low, high, False, change, lambda law: float(getattr(law, leaf)) / _sum_shares(law))


DIALS = (
    _leaf("theta0_q16", Q16, 0.60, 0.97, "theta0"),
    _leaf("difficulty_slope_q12", Q12, 0.0, 2.5, "slope of tau"),
    _entry("rho_q16_KR", Q16, GENERATOR, 0.05, 0.8, "rho_G"),
    _entry("rho_q16_KR", Q16, DISCRIMINATOR, 0.2, 0.95, "rho_D"),
    _leaf("epsilon_q16", Q16, 0.005, 0.1, "epsilon", log=True),
    _leaf("integral_shift", 1, 0, 6, "integral_shift"),
    _leaf("base_rate_shift", 1, 3, 9, "base_rate_shift"),
    _leaf("beta_rate_shift", 1, 2, 7, "beta_rate_shift"),
    _leaf("canary_rate_q16", Q16, 0.03, 0.25, "canary rate", log=True),
    _leaf("random_audit_rate_q16", Q16, 0.01, 0.15, "random audit rate", log=True),
    _entry("wager_fees_R", 1, GENERATOR, 3, 24, "mu_G", log=True),
    _entry("wager_fees_R", 1, DISCRIMINATOR, 8, 90, "mu_D", log=True),
    _leaf("false_flag_threshold_q16", Q16, 0.5, 0.95, "false-flag t"),
    _share("generators", 0.20, 0.50, "share of generators"),
    _share("discriminators", 0.025, 0.15, "share of discriminators"),
    _share("purse", 0.25, 0.55, "share of the purse"),
    _leaf("cusum_delta_q16", Q16, 0.0, 0.15, "cusum_delta"),
    _leaf("cusum_limit_q16", Q16, 1.5, 10.0, "cusum_limit", log=True),
    _leaf("reputation_floor_q16", Q16, 1 / 64, 1 / 2, "reputation floor", log=True),
    _leaf("reputation_prior_q8", Q8, 0.5, 16.0, "reputation prior", log=True),
)
BY_NAME = {dial.name: dial for dial in DIALS}


def make_law(preset: Params, point: Mapping[str, float]) -> Params:
    """The preset with these values; proposer and treasury keep their parts, then all shares are divided by their sum.

    Raises ValueError for a name that is no dial.
    """
    unknown = set(point) - set(BY_NAME)
    if unknown:
        raise ValueError(f"no parameter of the study is named {min(unknown)}: choose among {', '.join(BY_NAME)}")
    law = preset
    if any(name.startswith("share of") for name in point):
        law = _in_thousandths(law)
    for name, value in point.items():
        law = law._replace(**BY_NAME[name].set(law, value))
    return law


def get_point(law: Params) -> Point:
    """The value of every dial in this law."""
    return {dial.name: dial.get(law) for dial in DIALS}


def sample(points: int, seed: int) -> list[Point]:
    """A Latin hypercube over all dials."""
    axes = [Axis(dial.name, low=dial.low, high=dial.high, log=dial.log) for dial in DIALS]
    return design(axes, "latin", points, seed)


def step_alone(steps: int) -> list[Point]:
    """Points that move one dial alone from its low to its high end, `steps` of them for each dial."""
    moved = []
    for dial in DIALS:
        axis = Axis(dial.name, low=dial.low, high=dial.high, log=dial.log)
        moved += [{dial.name: axis.at(i / (steps - 1))} for i in range(steps)]
    return moved


def _sum_shares(law: Params) -> int:
    return sum(int(leaf) for name, leaf in law._asdict().items() if name.startswith("pot_share_"))


def _in_thousandths(law: Params) -> Params:
    whole = _sum_shares(law)
    names = [name for name in law._fields if name.startswith("pot_share_")]
    return law._replace(**{name: _int(1_000 * int(getattr(law, name)) / whole) for name in names})


def _int(value: float) -> Array:
    return np.asarray(round(value), dtype=np.int64)
