"""How a run's opinions become the few numbers of an agent: signals that a cap cuts off, and errors that correlate.

Floats, and only here: what comes out is rounded to the integers of a `Skill` before anything is simulated.
"""

from collections.abc import Callable, Sequence
from math import erf, pi, sqrt
from typing import NamedTuple

import numpy as np

_ERF = np.vectorize(erf, otypes=[float])
_STEPS = 300
_DRAWS = 20_000


class Signal(NamedTuple):
    """Log-odds that follow mean + side x difference / 2 and one deviation, side +1 or -1."""

    means: tuple[float, ...]  # by label: the middle between the two sides
    difference: float
    deviation: float


def fit_signal(log_odds: np.ndarray, side: np.ndarray, label: np.ndarray, labels: int, cap: float) -> Signal:
    """The likeliest `Signal` of log-odds [n] that were cut off at +-cap, by expectation and maximisation.

    `side` [n] is +1 or -1, `label` [n] of 0 to labels - 1. A label that does not occur gets the mean of the others.
    """
    columns = np.column_stack([*(label == k for k in range(labels)), side / 2]).astype(float)
    over = np.sign(log_odds) * (np.abs(log_odds) >= cap - 1e-3)
    expected, spread = log_odds.astype(float), np.zeros(len(log_odds))
    weights, deviation = np.zeros(labels + 1), 1.0
    for _ in range(_STEPS):
        weights = np.linalg.lstsq(columns, expected, rcond=None)[0]
        mean = columns @ weights
        deviation = max(sqrt(float(np.mean((expected - mean) ** 2 + spread))), 1e-3)
        # Beyond the cap, what is known is that it is beyond: mean and spread of a Gaussian's tail.
        distance = np.clip((over * cap - mean) / deviation * over, -8, 8)
        tail = np.maximum(0.5 * (1 - _ERF(distance / sqrt(2))), 1e-15)
        mills = np.exp(-(distance**2) / 2) / sqrt(2 * pi) / tail
        expected = np.where(over != 0, mean + over * deviation * mills, log_odds)
        spread = np.where(over != 0, deviation**2 * np.maximum(1 + distance * mills - mills**2, 0), 0)
    present = [k for k in range(labels) if np.any(label == k)]
    means = [float(weights[k]) if k in present else float(np.mean(weights[present])) for k in range(labels)]
    return Signal(tuple(means), float(weights[-1]), deviation)


def correlate(pairs: Sequence[tuple[float, float]]) -> float:
    """The correlation of pairs whose means are 0; 0 where nothing varies."""
    x = np.asarray(pairs, dtype=float).reshape(-1, 2)
    size = sqrt(float(np.sum(x[:, 0] ** 2) * np.sum(x[:, 1] ** 2)))
    return float(np.sum(x[:, 0] * x[:, 1])) / size if size > 0 else 0.0


def find_latent(measured: float, show: Callable[[np.ndarray], np.ndarray]) -> float:
    """The correlation in [0, 1] of two Gaussians whose shown residuals correlate as measured.

    `show` turns standard normal draws [n] into what can be seen of them, less its mean: a threshold, a cut-off.
    """
    shared, one, other = np.random.default_rng(0).standard_normal((3, _DRAWS))
    low, high = 0.0, 1.0
    for _ in range(24):
        rho = (low + high) / 2
        shown = [show(sqrt(rho) * shared + sqrt(1 - rho) * own) for own in (one, other)]
        if correlate(list(zip(*shown, strict=True))) < measured:
            low = rho
        else:
            high = rho
    return 0.0 if low == 0.0 else (low + high) / 2
