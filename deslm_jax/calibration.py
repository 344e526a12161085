"""From how sure a model sounds to how often it is right: two numbers, and how to measure the result.

A raw confidence goes through `sigmoid(logit / temperature + bias)`, cut to [1 - cap, cap]. Temperature alone leaves
these models 16-25 points off; with a bias they are within a few. Fit on questions and subjects never trained on.
NumPy in float64 throughout.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

_LOGIT_LIMIT = 15.0  # beyond it float32 log-probabilities say nothing
_FLATTEST, _STEEPEST = 0.01, 100.0  # range of 1 / temperature


class Calibration(NamedTuple):
    """How a node turns a model's logit into the probability it reports.

    >>> Calibration(temperature=2.0, bias=-0.5, cap=0.95)(np.array([0.0, 9.0])).round(3)
    array([0.378, 0.95 ])
    """

    temperature: float = 1.0
    bias: float = 0.0  # added after the division
    cap: float = 0.95  # one node alone never claims more, nor less than 1 - cap

    def __call__(self, logits: ArrayLike) -> np.ndarray:
        """Returns calibrated probabilities, float64, of the shape of `logits`."""
        scaled = np.asarray(logits, np.float64) / self.temperature + self.bias
        return np.clip(_sigmoid(scaled), 1.0 - self.cap, self.cap)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the calibration stored as `_asdict()`; a missing, unknown or impossible value is a ValueError."""
        if set(values) != set(cls._fields):
            raise ValueError(f"A calibration has the fields {', '.join(cls._fields)}, not {', '.join(sorted(values))}.")
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in values.values()):
            raise ValueError("A calibration's temperature, bias and cap must be finite numbers.")
        if not values["temperature"] > 0 or not 0.5 <= values["cap"] < 1:
            raise ValueError("A calibration needs a temperature above 0 and a cap in [0.5, 1).")
        return cls(**{name: float(value) for name, value in values.items()})


def confidence_logit(log_probability: ArrayLike) -> np.ndarray:
    """Returns log(p / (1 - p)) of p = exp(log_probability), float64, cut to +-15: the raw confidence of an answer."""
    log_p = np.minimum(np.asarray(log_probability, np.float64), -np.exp(-_LOGIT_LIMIT))
    return np.clip(log_p - np.log(-np.expm1(log_p)), -_LOGIT_LIMIT, _LOGIT_LIMIT)


def fit_calibration(logits: ArrayLike, correct: ArrayLike, cap: float = 0.95) -> Calibration:
    """Returns the temperature and bias of greatest likelihood (Platt 1999: Newton, smoothed targets).

    `logits` [N]: raw confidence logits, or a verifier's logits; `correct` [N] bool: whether the answer was right (for a
    verifier: whether it was fake). Where confidence says nothing, or the contrary of the truth, the temperature ends at
    its greatest, 100, and the bias says the base rate. Empty, unequal or non-finite input is a ValueError.
    """
    x, y = np.asarray(logits, np.float64), np.asarray(correct, bool)
    if x.ndim != 1 or x.shape != y.shape or x.size == 0 or not np.isfinite(x).all():
        raise ValueError("Calibration needs equally many finite logits and outcomes, at least one.")
    n_right, n_wrong = int(y.sum()), int((~y).sum())
    # Smoothed targets keep perfectly separated data from asking for an infinite slope.
    target = np.where(y, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    slope, bias = _maximise(x, target)
    if not _FLATTEST <= slope <= _STEEPEST:
        slope = min(max(slope, _FLATTEST), _STEEPEST)
        bias = _maximise(x, target, slope)[1]
    return Calibration(1.0 / slope, bias, cap)


def _maximise(x: np.ndarray, target: np.ndarray, fixed_slope: float | None = None) -> tuple[float, float]:
    """Newton with step halving on the concave log-likelihood of sigmoid(slope * x + bias)."""
    free = np.array([fixed_slope is None, True])
    point = np.array([1.0 if fixed_slope is None else fixed_slope, 0.0])
    columns_N2 = np.stack([x, np.ones_like(x)], axis=1)
    loss = lambda p: float(np.mean(np.logaddexp(0.0, columns_N2 @ p) - target * (columns_N2 @ p)))
    for _ in range(100):
        p = _sigmoid(columns_N2 @ point)
        gradient = (columns_N2 * (p - target)[:, None]).mean(axis=0) * free
        curvature = (columns_N2 * (p * (1 - p))[:, None]).T @ columns_N2 / len(x) + 1e-9 * np.eye(2)
        curvature[np.ix_(~free, free)] = curvature[np.ix_(free, ~free)] = 0.0
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while loss(point - size * step) > loss(point) and size > 1e-8:
            size /= 2
        point = point - size * step
        if np.abs(gradient).max() < 1e-10:
            break
    return float(point[0]), float(point[1])


def expected_calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> float:
    """Returns the mean distance between probability and frequency over `bins` equal-width bins, weighted by size.

    Guo et al. 2017, for the probability of the event itself (not of the predicted class). 0 is perfect.
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    if p.shape != y.shape or p.size == 0:
        raise ValueError("The calibration error needs equally many probabilities and outcomes, at least one.")
    bin_N = np.minimum((p * bins).astype(int), bins - 1)
    gap = np.bincount(bin_N, p - y, minlength=bins)  # size of the bin x (mean probability - frequency)
    return float(np.abs(gap).sum() / p.size)


def auroc(scores: ArrayLike, outcomes: ArrayLike) -> float:
    """Returns how often a positive scores above a negative, ties counted half (Mann-Whitney); NaN without both."""
    s, y = np.asarray(scores, np.float64), np.asarray(outcomes, bool)
    if s.shape != y.shape:
        raise ValueError("AUROC needs equally many scores and outcomes.")
    n_positive, n_negative = int(y.sum()), int((~y).sum())
    if not n_positive or not n_negative:
        return math.nan
    _, inverse, counts = np.unique(s, return_inverse=True, return_counts=True)
    rank_N = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((rank_N[y].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
