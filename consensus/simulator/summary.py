"""From sums to what a person reads: shares, means and gains, as floats in NumPy. Abstention stands beside accuracy."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from consensus.simulator.checks import select
from consensus.simulator.ending import Ending
from consensus.simulator.loops import map_leaves
from consensus.simulator.metrics import Metrics
from consensus.simulator.networks import get_pot_micro
from consensus.simulator.setting import Setting, check_supply
from consensus.simulator.sweep import Swept
from consensus.state import REASONS
from consensus.units import Q8, Q12, Q16, SUPPLY_CAP_MICRO

Summary = dict[str, float]


class SweepSummary(NamedTuple):
    """The figures of every run of a sweep."""

    pots_micro: tuple[int, ...]  # the pot of the first task, a setting
    names: tuple[str, ...]  # of the figures
    figures_SEF: np.ndarray  # [settings, seeds, figures]


def summarise(
    metrics: Metrics,
    ending: Ending,
    setting: Setting,
    pot_micro: int,
    kinds: Sequence[str],
    groups: Sequence[str],
) -> Summary:
    """One run's figures by name. Gains are in pots a node; `net` is after effort; groups are those of label 1 and up.

    coverage: accepted of asked; wrong: false of accepted; rightness: right of asked; `plurality` and `seat`: the share
    of right answers had the most proposed one, or any seat's, always been accepted.
    """
    m = Metrics(*(np.asarray(leaf, dtype=float) for leaf in metrics))
    e = Ending(*(np.asarray(leaf, dtype=float) for leaf in ending))
    asked, accepted = m.asked_K.sum(), (m.right_K + m.wrong_K).sum()
    tasks, rounds = _at_least_one(asked), _at_least_one(m.rounds)
    out: Summary = {
        "tasks": asked,
        "coverage": accepted / tasks,
        "wrong": m.wrong_K.sum() / _at_least_one(accepted),
        "rightness": m.right_K.sum() / tasks,
        "plurality": m.plurality_right_K.sum() / tasks,
        "seat": m.seat_right_K.sum() / _at_least_one(m.seat_revealed_K.sum()),
        "audited": m.audited / tasks,
        "audited_wrong": m.audited_wrong / _at_least_one(m.audited_accepted),
        "tau": m.tau_q12_sum / tasks / Q12,
        "tau_at_bound": (m.tau_at_min + m.tau_at_max) / tasks,
        "integral": m.integral_q12_sum / rounds / Q12,
        "integral_at_bound": (m.integral_at_min + m.integral_at_max) / rounds,
        "base_rate": m.base_rate_q16_sum / rounds / Q16,
        "jailed": m.jailed_sum / rounds,
        "refused": float(m.refused),
        "short_purse": m.short_purse / tasks,
        "free_purse_min_pots": m.free_purse_min_micro / pot_micro,
        "issued_pots": _issued(setting, e) / pot_micro,
        "burned_pots": float(e.burned_micro) / pot_micro,
        "gini": float(e.gini_q16) / Q16,
        "hhi": float(e.hhi_q16) / Q16,
        "nakamoto": float(e.nakamoto),
        "supply_error_micro": float(m.supply_error_max_micro),
    }
    for k, name in enumerate(kinds):
        taken = m.right_K[k] + m.wrong_K[k]
        out[f"coverage.{name}"] = taken / _at_least_one(m.asked_K[k])
        out[f"wrong.{name}"] = m.wrong_K[k] / _at_least_one(taken)
        out[f"wrong_of_asked.{name}"] = m.wrong_K[k] / _at_least_one(m.asked_K[k])
    for code, reason in enumerate(REASONS):
        out[f"share: {reason}"] = m.reason_X[code] / tasks
    for label, name in enumerate(groups, start=1):
        out |= _summarise_group(m, e, pot_micro, label, name)
    return {name: float(value) for name, value in out.items()}


def summarise_sweep(swept: Swept, settings: Setting, kinds: Sequence[str], groups: Sequence[str]) -> SweepSummary:
    """Every run's figures; amounts in pots of the run's own setting, since law and tip may vary."""
    shape = swept.metrics.rounds.shape
    rows, pots_micro = [], []
    for s in range(shape[0]):
        setting = select(settings, s)
        pots_micro.append(get_pot_micro(setting.law, int(setting.demand.tip_micro)))
        for e in range(shape[1]):
            one = map_leaves(lambda leaf, at=(s, e): leaf[at], swept)
            figures = summarise(one.metrics, one.ending, setting, pots_micro[s], kinds, groups)
            rows.append(np.array(list(figures.values())))
    return SweepSummary(tuple(pots_micro), tuple(figures), np.stack(rows).reshape(*shape, -1))


def _summarise_group(m: Metrics, e: Ending, pot_micro: int, label: int, name: str) -> Summary:
    nodes = _at_least_one(e.nodes_O[label])
    own = slice(2 * label, 2 * label + 2)
    effort = m.effort_micro_OR[own].sum()
    in_pots = lambda amount: amount / pot_micro / nodes
    return {
        f"gain.{name}": in_pots(e.gain_micro_O[label]),
        f"net.{name}": in_pots(e.gain_micro_O[label] - effort),
        f"worst.{name}": e.worst_micro_O[label] / pot_micro,
        f"return.{name}": e.gain_micro_O[label] / _at_least_one(e.stake_micro_O[label]),
        f"fees.{name}": in_pots((m.fee_micro_OR[own] + m.overturned_micro_OR[own]).sum()),
        f"wagers.{name}": in_pots(m.wager_micro_OR[own].sum()),
        f"slashed.{name}": in_pots((m.slash_micro_OR[own] + m.forfeit_micro_OR[own]).sum()),
        f"alarms.{name}": m.alarms_OR[own].sum() / nodes,
        f"seats.{name}": m.seats_OR[own].sum() / nodes,
        f"beta.{name}": e.beta_q16_OR[label].max() / Q16 / nodes,
        f"reputation.{name}": e.reputation_q8_OR[label].sum() / Q8 / nodes,
    }


def _issued(setting: Setting, e: Ending) -> float:
    """What left the reserve for good."""
    return SUPPLY_CAP_MICRO - check_supply(setting.conduct) - float(e.reserve_micro)


def _at_least_one(count: float) -> float:
    return float(np.maximum(count, 1))
