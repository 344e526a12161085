"""How a run's opinions become the few numbers of an agent: signals that a cap cuts off, and errors that correlate.

Floats, and only here: what comes out is rounded to the integers of a `Skill` before anything is simulated.
"""

from collections.abc import Callable, Sequence
from math import erf, pi, sqrt
from typing import NamedTuple

import numpy as np

_ERF = np.vectorize(erf, otypes=[float])
_STEPS, _SLOW = 300, 1e-3  # of a search, which ends when a step gains less log-likelihood
_STARTS = (0.02, 0.2)  # shares of the blind from which the search begins
_BORROWED = 3.0  # log-odds: deviation between kinds that is expected before anything was seen
_DRAWS = 20_000
_TINY = 1e-12
_TRAPPED = np.linspace(0, 1, 101)
_SHARES = np.concatenate([np.linspace(0, 0.05, 51), np.linspace(0.055, 0.6, 110)])


class Signal(NamedTuple):
    """Log-odds that follow mean + side x difference / 2 and one deviation, side +1 or -1.

    A share of the rows of side `wrong` are blind: they follow mean + `blind_at` x difference / 2.
    """

    means: tuple[float, ...]  # by label: the middle between the two sides
    differences: tuple[float, ...]  # by label
    deviation: float
    blind: tuple[float, ...]  # by label: share of the rows of side `wrong`
    wrong: int
    blind_at: float

    def expect(self, label: np.ndarray, side: np.ndarray) -> np.ndarray:
        """The mean of rows of these labels and sides."""
        return np.asarray(self.means)[label] + side * np.asarray(self.differences)[label] / 2

    def weigh(self, log_odds: np.ndarray, label: np.ndarray, cap: float) -> tuple[np.ndarray, np.ndarray]:
        """How likely rows of side `wrong` are if they are not blind, and if they are."""
        sides = np.full(len(log_odds), self.wrong), np.full(len(log_odds), self.blind_at)
        return tuple(_likely(log_odds, self.expect(label, side), self.deviation, cap) for side in sides)  # type: ignore[return-value]


def fit_signal(
    log_odds: np.ndarray,
    side: np.ndarray,
    label: np.ndarray,
    labels: int,
    cap: float,
    wrong: int = -1,
    blind_at: float = 1.0,
) -> Signal:
    """The likeliest `Signal` of log-odds [n] that were cut off at +-cap, by expectation and maximisation.

    `side` [n] is +1 or -1, `label` [n] of 0 to labels - 1. Labels borrow from each other: that one departs from their
    mean counts like an opinion or two against it, so one that hardly occurs, or only beyond the cap, is like the rest.
    """
    fits = [_fit_from(start, log_odds, side, label, labels, cap, (wrong, blind_at)) for start in _STARTS]
    return max(fits, key=lambda fit: fit[1])[0]


def _fit_from(
    start: float,
    log_odds: np.ndarray,
    side: np.ndarray,
    label: np.ndarray,
    labels: int,
    cap: float,
    blindness: tuple[int, float],
) -> tuple[Signal, float]:
    """The signal at which the search from this share of blind rows ends, and its log-likelihood."""
    wrong, blind_at = blindness
    is_wrong = side == wrong
    sides = np.concatenate([side, np.where(is_wrong, blind_at, side)])  # every row twice: as it seems, and as blind
    stated, labels_2 = np.tile(log_odds, 2).astype(float), np.tile(label, 2)
    one_hot = (labels_2[:, None] == np.arange(labels)).astype(float)
    columns = np.column_stack([np.ones(len(stated)), one_hot, sides / 2, one_hot * sides[:, None] / 2])
    pooled = np.array([0.0, *[1.0] * labels, 0.0, *[1.0] * labels])  # departures of a label
    share = np.full(labels, start)
    weights, deviation = np.linalg.lstsq(columns, stated, rcond=None)[0], 2.0
    likelihood, before = 0.0, -np.inf
    for _ in range(_STEPS):
        mean = columns @ weights
        likely = _likely(stated, mean, deviation, cap).reshape(2, -1)
        prior = np.where(is_wrong, share[label], 0.0)
        both = np.stack([(1 - prior) * likely[0], prior * likely[1]])
        likelihood = float(np.sum(np.log(both.sum(0) + _TINY)))
        if likelihood - before < _SLOW:
            break
        before = likelihood
        belongs = both / (both.sum(0) + _TINY)
        share = np.array([_mean(belongs[1][is_wrong & (label == k)], share[k]) for k in range(labels)])
        expected, spread = _look_behind(stated, mean, deviation, cap)
        weight = belongs.reshape(-1)
        penalty = np.diag(pooled * (deviation / _BORROWED) ** 2 + _TINY)
        square = columns.T @ (columns * weight[:, None]) + penalty
        weights = np.linalg.solve(square, columns.T @ (weight * expected))
        error = np.sum(weight * ((expected - columns @ weights) ** 2 + spread)) / np.sum(weight)
        deviation = max(sqrt(float(error)), 1e-1)
    means, differences = weights[0] + weights[1 : labels + 1], weights[labels + 1] + weights[labels + 2 :]
    plain = lambda row: tuple(float(x) for x in row)
    return Signal(plain(means), plain(differences), deviation, plain(share), wrong, blind_at), likelihood


def _likely(log_odds: np.ndarray, mean: np.ndarray, deviation: float, cap: float) -> np.ndarray:
    """The density of what lies within the cap, the chance of what lies beyond."""
    over = _beyond(log_odds, cap)
    inside = np.exp(-(((log_odds - mean) / deviation) ** 2) / 2) / deviation / sqrt(2 * pi)
    is_over = over != 0
    inside[is_over] = _tail((cap - over * mean)[is_over] / deviation)
    return np.maximum(inside, _TINY)


def _look_behind(log_odds: np.ndarray, mean: np.ndarray, deviation: float, cap: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of what was said: known within the cap, a Gaussian's tail beyond."""
    over = _beyond(log_odds, cap)
    is_over = over != 0
    distance = np.clip((cap - over * mean)[is_over] / deviation, -8, 8)
    mills = np.exp(-(distance**2) / 2) / sqrt(2 * pi) / np.maximum(_tail(distance), 1e-15)
    expected, spread = log_odds.copy(), np.zeros(len(log_odds))
    expected[is_over] = mean[is_over] + over[is_over] * deviation * mills
    spread[is_over] = deviation**2 * np.maximum(1 + distance * mills - mills**2, 0)
    return expected, spread


def _tail(distance: np.ndarray) -> np.ndarray:
    """The chance that a standard normal number is larger; many are equal, so each value is computed once."""
    values, where = np.unique(np.round(distance, 9), return_inverse=True)
    return (0.5 * (1 - _ERF(values / sqrt(2))))[where] if len(values) else distance


def _beyond(log_odds: np.ndarray, cap: float) -> np.ndarray:
    """+1 or -1 where the cap has cut off, else 0."""
    return np.sign(log_odds) * (np.abs(log_odds) >= cap - 1e-3)


def _mean(values: np.ndarray, otherwise: float) -> float:
    return float(np.mean(values)) if len(values) else otherwise


def split_blindness(answers: Sequence[tuple[float, Sequence[tuple[float, float]]]]) -> tuple[float, float]:
    """(share of traps to which all models are blind, share of other wrong answers to which a model is), the likeliest.

    A row is a wrong answer: the chance that it is a trap's, and for each model how likely it is that this was stated by
    one that is not blind, and by one that is.
    """
    if not answers:
        return 0.0, 0.0
    trap_A = np.array([trap for trap, _ in answers])
    likely_AM2 = np.ones((len(answers), max(len(models) for _, models in answers), 2))  # 1 where a model said nothing
    for row, (_, models) in zip(likely_AM2, answers, strict=True):
        row[: len(models)] = models
    blind_A = np.prod(likely_AM2[..., 1], axis=1)
    best, most = (0.0, 0.0), -np.inf
    for alone in _SHARES:
        mixed_A = np.prod(likely_AM2 @ [1 - alone, alone], axis=1)
        caught_XA = _TRAPPED[:, None] * trap_A
        likely_X = np.sum(np.log(caught_XA * blind_A + (1 - caught_XA) * mixed_A + _TINY**4), axis=1)
        x = int(np.argmax(likely_X))
        if likely_X[x] > most + 1e-9:
            best, most = (float(_TRAPPED[x]), float(alone)), float(likely_X[x])
    return best


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
