"""What settling does to a task on average, measured in the simulator: who is paid what share of a pot, and how often.

Every payment of the law is a share of the task's pot or of a node's stake, so averages in pots and in events carry over
to pots of any size, as long as the purse covers every wager (checked) and the models stay what they are (assumed).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from consensus.rules.pot import split_pot
from consensus.simulator.metrics import Metrics
from consensus.simulator.networks import FACTS, Group, Kind, Models, make_network
from consensus.simulator.sweep import sweep
from consensus.state import DISCRIMINATOR, GENERATOR, Params
from consensus.units import MICRO

HONEST_NODES, HONEST_LABEL = 20, 1  # nodes with both roles
TIP_MICRO = 100 * MICRO  # the pot while measuring: emission is switched off, so that it does not move
PURSE_POTS = 20_000.0


class Settling(NamedTuple):
    """Averages a task; amounts in pots. The same leaves hold standard errors over the seeds."""

    coverage: float  # share of tasks whose answer is accepted; the others are refunded
    generator_paid: float  # of the generators' part of an accepted pot, what reaches seats; the rest: treasury
    discriminator_paid: float
    generator_wagers: float  # won from the purse (lost: negative), accepted or not
    discriminator_wagers: float
    overturned: float  # generators' fees that an audit takes back: treasury
    forfeited: float  # wagers lost for silence: treasury
    alarms: float  # times a node is slashed and jailed by CUSUM


def measure_settling(
    law: Params,
    seeds: Sequence[int],
    rounds: int,
    kinds: Sequence[Kind] = FACTS,
    models: Models = Models(),  # noqa: B008 - a tuple of numbers
) -> tuple[Settling, Settling]:
    """Means and standard errors of an honest network's second half: `rounds` rounds of eight tasks after as many.

    Raises ValueError if the purse fell short, for then the averages would hold for this purse alone.
    """
    still = law._replace(emission_rate_q32=np.int64(0) * law.emission_rate_q32)
    groups = [Group("honest", HONEST_NODES, "both", stake_pots=2_000.0)]
    static, setting = make_network(still, groups, kinds, models, tip_micro=TIP_MICRO, purse_pots=PURSE_POTS, lag=2)
    learned, later = (sweep(static, setting, seeds, played).metrics for played in (rounds, 2 * rounds))
    second = Metrics(*(np.asarray(b - a, dtype=float)[0] for a, b in zip(learned, later, strict=True)))
    if second.short_purse.sum() > 0:
        raise ValueError(f"the purse of {PURSE_POTS} pots fell short of a wager: measure with a larger one")
    return summarise(law, second)


def summarise(law: Params, metrics: Metrics) -> tuple[Settling, Settling]:
    """Means and standard errors over the first axis of sums, of runs whose every pot was `TIP_MICRO`."""
    parts = split_pot(law, np.int64(TIP_MICRO)) / TIP_MICRO
    tasks = metrics.asked_K.sum(axis=-1)
    accepted = (metrics.right_K + metrics.wrong_K).sum(axis=-1)
    own = lambda sums_OR, role: sums_OR[:, 2 * HONEST_LABEL + role] / TIP_MICRO
    each = Settling(
        coverage=accepted / tasks,
        generator_paid=own(metrics.fee_micro_OR, GENERATOR) / accepted / parts[GENERATOR],
        discriminator_paid=own(metrics.fee_micro_OR, DISCRIMINATOR) / accepted / parts[DISCRIMINATOR],
        generator_wagers=own(metrics.wager_micro_OR, GENERATOR) / tasks,
        discriminator_wagers=own(metrics.wager_micro_OR, DISCRIMINATOR) / tasks,
        overturned=-metrics.overturned_micro_OR.sum(axis=-1) / TIP_MICRO / tasks,
        forfeited=-metrics.forfeit_micro_OR.sum(axis=-1) / TIP_MICRO / tasks,
        alarms=metrics.alarms_OR.sum(axis=-1) / tasks,
    )
    count = len(tasks)
    mean = Settling(*(float(np.mean(leaf)) for leaf in each))
    return mean, Settling(*(float(np.std(leaf, ddof=1) / count**0.5) if count > 1 else np.inf for leaf in each))
