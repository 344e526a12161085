"""What is read off a setting: the figures of the study, each with one value a setting and seed [P, S].

Money is in pots, what one task pays out. Two prices are stated, not measured: `AUDIT_POTS`, what the truth about one
audited task costs, and `EFFORT_POTS`, what an answer costs a node, and likewise its verdicts on one task.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.parameters.networks import EFFORT_MICRO, LABELS, Played
from consensus.units import Q16

AUDIT_POTS = 0.25
EFFORT_POTS = 0.002
MOST_UNFAIR = 1.2  # of two returns, the larger by the smaller

Figures = dict[str, np.ndarray]  # [P, S]


class Ratio(NamedTuple):
    """A ratio of two means and its standard error, each [P]."""

    value: np.ndarray
    error: np.ndarray


def measure(played: Mapping[str, Played]) -> Figures:
    """All figures of all settings.

    Gains are in pots a node and 100 tasks. "abstained" is of taught questions; the worst honest node is of those that
    stake alike; purse figures are of the network in which they are worst.
    """
    cast, honest = played["cast"], played["honest"]
    asked, asked_K = _asked(cast), np.maximum(cast.swept.metrics.asked_K, 1)
    out: Figures = {
        "wrong": 100 * cast.swept.metrics.wrong_K.sum(-1) / asked,
        "untaught wrong": 100 * cast.swept.metrics.wrong_K[..., 1] / asked_K[..., 1],
        "abstained overall": 100 * (1 - _taken(cast).sum(-1) / asked),
        "abstained": 100 * (1 - _taken(cast)[..., 0] / asked_K[..., 0]),
        "cost": compute_cost(cast),
        "gini": honest.swept.ending.gini_q16 / Q16,
        "audited": 100 * cast.swept.metrics.audited / asked,
        "purse": np.min([_purse_change(each) for each in played.values()], axis=0),
        "purse left": np.min([_purse_left(each) for each in played.values()], axis=0),
        "worst honest": np.min([_worst_honest(played[name]) for name in ("cast", "idle", "honest")], axis=0),
        "supply error": np.max([each.swept.metrics.supply_error_max_micro for each in played.values()], axis=0),
    }
    out |= measure_gains(played)
    attackers = [name for name in out if name.startswith("gain") and is_attacker(name)]
    gain_APS = np.stack([out[name] for name in attackers])
    best_P = gain_APS.mean(axis=2).argmax(axis=0)
    out["attacker"] = gain_APS[best_P, np.arange(len(best_P))]
    out["laziest"] = out["gain idle: D lazy"]
    return out


def measure_gains(played: Mapping[str, Played]) -> Figures:
    """What every group of every network gained, before effort ("gross") and after it ("gain")."""
    out: Figures = {}
    for network, each in played.items():
        for label, group in enumerate(each.groups, start=1):
            gross, effort = _gain(each, label)
            out[f"gross {network}: {group}"] = gross
            out[f"gain {network}: {group}"] = gross - effort
    return out


def is_attacker(name: str) -> bool:
    """Whether a figure is of a dishonest group."""
    return not name.endswith((" honest", " small", " large"))


def compute_cost(played: Played) -> np.ndarray:
    """Pots that askers, reserve and auditors pay for one right accepted answer to a question that is no canary.

    An accepted task takes one pot from asker and reserve, an audited one `AUDIT_POTS` more; the base fee
    is what it is at the end. Canaries of a kind are answered as its questions are.
    """
    m = played.swept.metrics
    right = (m.right_K * (m.asked_K - m.canary_K) / np.maximum(m.asked_K, 1)).sum(-1)
    base_fees = _asked(played) * played.swept.ending.base_fee_micro / played.pot_micro_P[:, None]
    return (_taken(played).sum(-1) + AUDIT_POTS * m.audited + base_fees) / np.maximum(right, 1)


def compute_ratio(above: np.ndarray, below: np.ndarray) -> Ratio:
    """The ratio of the means over seeds of two figures [P, S], with its error to first order; paired by seed.

    Not a number where the lower mean is 0.

    >>> compute_ratio(np.array([[2.0, 4.0]]), np.array([[1.0, 2.0]]))
    Ratio(value=array([2.]), error=array([0.]))
    """
    mean_P = below.mean(axis=1)
    mean_P = np.where(mean_P == 0, np.nan, mean_P)
    value = above.mean(axis=1) / mean_P
    rest = (above - value[:, None] * below) / mean_P[:, None]
    return Ratio(value, rest.std(axis=1, ddof=1) / np.sqrt(above.shape[1]))


def compute_fairness(figures: Figures, kind: str = "gain", network: str = "honest") -> Ratio:
    """Return on stake of honest discriminators by that of honest generators at equal stake, after effort or "gross"."""
    return compute_ratio(figures[f"{kind} {network}: D honest"], figures[f"{kind} {network}: G honest"])


def compute_bias_of_size(figures: Figures, role: str, small_by_large: float) -> Ratio:
    """Return on stake of small nodes by that of large ones, before effort; `small_by_large` are their stakes."""
    small, large = figures[f"gross unequal: {role} small"], figures[f"gross unequal: {role} large"]
    return compute_ratio(small / small_by_large, large)


def compute_covered_effort(figures: Figures, played: Mapping[str, Played]) -> dict[str, np.ndarray]:
    """The price of effort, in pots a task worked on, at which an honest node of a role earns nothing [P]."""
    out = {}
    for label, role in ((1, "G"), (2, "D")):
        gross = figures[f"gross honest: {role} honest"].mean(axis=1)
        worked = _gain(played["honest"], label)[1].mean(axis=1) / EFFORT_POTS
        out[role] = gross / worked
    return out


def _asked(played: Played) -> np.ndarray:
    return played.swept.metrics.asked_K.sum(-1)


def _taken(played: Played) -> np.ndarray:
    return played.swept.metrics.right_K + played.swept.metrics.wrong_K


def _purse_change(played: Played) -> np.ndarray:
    """Pots in 100 tasks."""
    start = played.purse_pots
    return 100 * (played.swept.ending.purse_micro / played.pot_micro_P[:, None] - start) / _asked(played)


def _purse_left(played: Played) -> np.ndarray:
    """The least that was free, in pots."""
    return played.swept.metrics.free_purse_min_micro / played.pot_micro_P[:, None]


def _worst_honest(played: Played) -> np.ndarray:
    """The gain of the least lucky honest node as a share of its stake."""
    e = played.swept.ending
    rows = []
    for label, group in enumerate(played.groups, start=1):
        if not is_attacker(group):
            stake = e.stake_micro_O[..., label] / e.nodes_O[..., label]
            rows.append(e.worst_micro_O[..., label] / stake)
    return np.min(rows, axis=0)


def _gain(played: Played, label: int) -> tuple[np.ndarray, np.ndarray]:
    """(gain before effort, effort) in pots a node and 100 tasks."""
    e, m = played.swept.ending, played.swept.metrics
    each = 100 / e.nodes_O[..., label] / _asked(played)
    worked = m.effort_micro_OR.reshape(*m.effort_micro_OR.shape[:2], LABELS, 2)[..., label, :].sum(-1) / EFFORT_MICRO
    return e.gain_micro_O[..., label] / played.pot_micro_P[:, None] * each, EFFORT_POTS * worked * each
