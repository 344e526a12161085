"""What ten years of days come to: supply, issuance, yields a year, runway, and the demand at which fees alone do.

- *In circulation*: all that is neither in the reserve nor burned; treasury and purse count, since they can be spent.
- *Nominal yield*: what a day brought stakers (flat fees, proposers' parts, wagers, less slashes and forfeits) over the
  stake, compounded over the year.
- *Real yield*: by how much the share of the circulation grew that a staker has, (1 + nominal) / (1 + growth) - 1.
- *Paid by askers*: the real yield had there been no emission: stakers' income from tips alone, and what burns.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.economy.days import Books, Day, Demand, World, compiled, open_books
from benchmarks.economy.settling import Settling
from consensus.rules.pot import split_pot
from consensus.simulator.loops import map_leaves
from consensus.simulator.run import call
from consensus.state import Params
from consensus.units import MICRO, Q16, SUPPLY_CAP_MICRO

DAYS_A_YEAR = 365
REST_DAYS = 30  # after which a base fee has found its rest


class Assumed(NamedTuple):
    """A scenario in plain numbers. Tokens, not micro-tokens."""

    tasks_a_day: float
    growth: float = 1.0
    elasticity: float = 1.0
    swing: float = 0.5
    tip: float = 1.0
    priced: float = 1.0
    staked: float = 0.3
    nodes: int = 1_000
    silence: float = 1e-4
    held: float = 1e8  # by people at the start
    treasury: float = 1e6
    purse: float = 1e6


class Year(NamedTuple):
    """One year of one scenario; tokens, and yields as fractions."""

    tasks: float
    coverage: float
    circulating: float  # at the end
    issued: float
    burned: float
    reserve: float
    treasury: float
    purse: float
    base_fee: float  # mean of what was paid
    tip: float  # mean
    stake: float  # mean
    nominal: float
    real: float
    askers: float  # real, from askers alone
    askers_share: float  # of the pots paid out, tips
    unpaid_canaries: float  # tokens that the treasury could not pay for them

    @property
    def net(self) -> float:
        """Tokens issued less burned."""
        return self.issued - self.burned


def make_world(law: Params, assumed: Assumed, settling: Settling) -> World:
    """The world of one scenario."""
    demand = Demand(
        *(np.float64(x) for x in assumed[:4]),
        tip_share=np.float64(assumed.tip / assumed.held),
        priced=np.float64(assumed.priced),
        held_micro=np.float64(assumed.held * MICRO),
        staked=np.float64(assumed.staked),
        nodes=np.int64(assumed.nodes),
        silence=np.float64(assumed.silence),
    )
    return World(law, demand, Settling(*map(np.float64, settling)))


def open_world(law: Params, assumed: Assumed) -> Books:
    """The books on its first day."""
    amounts = (round(tokens * MICRO) for tokens in (assumed.held, assumed.treasury, assumed.purse))
    held_micro, treasury_micro, purse_micro = amounts
    return open_books(law, held_micro, assumed.staked, treasury_micro, purse_micro)


def play(worlds: list[World], books: list[Books], seconds_a_block: float, days: int) -> tuple[Books, Day]:
    """All worlds side by side: the last books [worlds] and the days [worlds, days]; NumPy int64."""
    stack = lambda trees: map_leaves(lambda *leaves: np.stack(leaves), *trees)
    return call(compiled(round(86_400 / seconds_a_block), days), stack(worlds), stack(books))


def tell_years(before: Books, days: Day) -> list[Year]:
    """The years of one world: leaves of `days` [days], `before` its books at the start."""
    network = before.network
    burned, reserve = int(network.burned_micro), int(network.reserve_micro)
    staked, years = float(before.nodes.bonded_micro_N.sum()), []
    for first in range(0, len(days.tasks), DAYS_A_YEAR):
        year = Day(*(leaf[first : first + DAYS_A_YEAR].astype(float) for leaf in days))
        years.append(_tell_year(year, SUPPLY_CAP_MICRO - reserve - burned, burned, staked))
        burned, reserve, staked = year.burned_micro[-1], year.reserve_micro[-1], year.staked_micro[-1]
    return years


def _tell_year(d: Day, existing: float, burned: float, staked: float) -> Year:
    """One year's figures from its days and from what was in circulation, burned and staked before."""
    now = SUPPLY_CAP_MICRO - d.reserve_micro[-1] - d.burned_micro[-1]
    stake = np.concatenate([[staked], d.staked_micro[:-1]])
    gross, pots = d.fees_micro + d.wagers_micro, d.tips_micro + d.emission_micro
    by_askers = np.divide(d.tips_micro, pots, out=np.ones_like(pots), where=pots > 0)
    compounded = lambda income: float(np.exp(np.log1p(np.maximum(income / stake, -1 + 1e-9)).sum())) - 1
    nominal, alone = compounded(gross - d.lost_micro), compounded(gross * by_askers - d.lost_micro)
    tasks, lost_to_fire = d.tasks.sum(), d.burned_micro[-1] - burned
    return Year(
        tasks=tasks,
        coverage=d.accepted.sum() / max(tasks, 1),
        circulating=now / MICRO,
        issued=d.emission_micro.sum() / MICRO,
        burned=lost_to_fire / MICRO,
        reserve=d.reserve_micro[-1] / MICRO,
        treasury=d.treasury_micro[-1] / MICRO,
        purse=d.purse_micro[-1] / MICRO,
        base_fee=d.burned_fees_micro.sum() / max(tasks, 1) / MICRO,
        tip=d.tip_micro.mean() / MICRO,
        stake=stake.mean() / MICRO,
        nominal=nominal,
        real=(1 + nominal) / (now / existing) - 1,
        askers=(1 + alone) * (1 + lost_to_fire / now) - 1,
        askers_share=d.tips_micro.sum() / max(pots.sum(), 1),
        unpaid_canaries=d.unpaid_canary_micro.sum() / MICRO,
    )


def compute_half_life(law: Params, coverage: float = 1.0) -> float:
    """Tasks asked until half of the reserve is paid out, if that share is accepted: only those take from it (R11)."""
    rate = coverage * int(law.emission_rate_q32) / 2**32
    return float(np.log(2) / rate) if rate > 0 else float("inf")


def find_break_even(
    law: Params,
    assumed: Assumed,
    settling: Settling,
    after: Year,
    seconds_a_block: float,
    targets: list[float],
    demands: np.ndarray,
) -> tuple[list[float], list[float]]:
    """Tasks a day at which fees alone give each real yield, and the yield [demands] that they give.

    The reserve is empty and nothing has burned; a yield that no demand reaches gives infinity.
    """
    held = SUPPLY_CAP_MICRO / MICRO - after.treasury - after.purse
    tip = assumed.tip * held / assumed.held
    dry = assumed._replace(held=held, treasury=after.treasury, purse=after.purse, tip=tip)
    worlds = [make_world(law, dry._replace(tasks_a_day=float(x)), settling) for x in demands]
    _, days = play(worlds, [open_world(law, dry)] * len(demands), seconds_a_block, REST_DAYS)
    rest = slice(REST_DAYS // 2, None)
    income = days.fees_micro + days.wagers_micro - days.lost_micro
    daily = (income / np.maximum(days.staked_micro, 1))[:, rest].mean(axis=1)
    burned = np.diff(days.burned_micro, axis=1)[:, rest].mean(axis=1) / SUPPLY_CAP_MICRO
    yields = np.exp(DAYS_A_YEAR * (np.log1p(daily) - np.log1p(-burned))) - 1
    return [_cross(demands, yields, target) for target in targets], [float(x) for x in yields]


def _cross(x: np.ndarray, y: np.ndarray, target: float) -> float:
    """The first x at which y reaches the target, on a straight line in log x."""
    above = np.flatnonzero(y >= target)
    if len(above) == 0:
        return float("inf")
    k = int(above[0])
    if k == 0:
        return float(x[0])
    share = (target - y[k - 1]) / (y[k] - y[k - 1])
    return float(np.exp(np.log(x[k - 1]) + share * (np.log(x[k]) - np.log(x[k - 1]))))


def compute_silence_limit(
    law: Params, assumed: Assumed, settling: Settling, stake: float, pot: float, seats: int
) -> float:
    """The chance of a missed reveal at which R8's slashes eat all that stakers earn from a task.

    `stake` of everybody and `pot` are in tokens.
    """
    parts = split_pot(law, np.int64(10**12)) / 1e12
    paid = settling.coverage * (parts[0] * settling.generator_paid + parts[1] * settling.discriminator_paid + parts[3])
    income = (paid + settling.generator_wagers + settling.discriminator_wagers - settling.overturned) * pot
    return income / (seats * int(law.non_reveal_slash_q16) / Q16 * stake / assumed.nodes)
