"""The Pareto front of a set of settings, and how strongly each parameter moves each figure."""

from collections.abc import Mapping, Sequence

import numpy as np


def find_front(low_PM: np.ndarray) -> np.ndarray:
    """Which of P points no other point dominates [P] bool; all M objectives are better low.

    A point dominates another if it is nowhere worse and somewhere better; equal points stay both.

    >>> find_front(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 4.0], [3.0, 1.0]])).tolist()
    [True, True, False, True]
    """
    return np.array([not dominators(low_PM, low_PM[p]).any() for p in range(len(low_PM))], dtype=bool)


def dominators(low_PM: np.ndarray, point_M: np.ndarray) -> np.ndarray:
    """Which of P points dominate this one [P] bool."""
    return np.asarray((low_PM <= point_M).all(axis=1) & (low_PM < point_M).any(axis=1))


def clear_dominators(low_PM: np.ndarray, error_PM: np.ndarray, point_M: np.ndarray, error_M: np.ndarray) -> np.ndarray:
    """Which points dominate this one by more than noise [P] bool: nowhere worse, somewhere better by two errors.

    >>> find = lambda x: clear_dominators(np.array([[x]]), np.array([[0.1]]), np.array([1.0]), np.array([0.0]))
    >>> find(0.7).tolist(), find(0.9).tolist()
    ([True], [False])
    """
    clear_PM = point_M - low_PM > 2 * np.hypot(error_PM, error_M)
    return (low_PM <= point_M).all(axis=1) & clear_PM.any(axis=1)


def rank_correlations(points: Sequence[Mapping[str, float]], figure_P: np.ndarray) -> dict[str, float]:
    """Spearman's rank correlation of each parameter with a figure, over a Latin hypercube; 0 for a constant figure.

    Its square is near the share of the figure's variance that this parameter alone explains, as far as the figure rises
    or falls with it throughout. By chance about 1 / sqrt(P).
    """
    if np.ptp(figure_P) == 0:
        return dict.fromkeys(points[0], 0.0)
    ranks_P = _rank(figure_P)
    correlate = lambda values: float(np.corrcoef(_rank(np.array(values)), ranks_P)[0, 1])
    return {name: correlate([point[name] for point in points]) for name in points[0]}


def _rank(values_P: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values sharing the mean of theirs."""
    ascending_P = np.sort(values_P)
    return (np.searchsorted(ascending_P, values_P, "left") + np.searchsorted(ascending_P, values_P, "right") - 1) / 2
