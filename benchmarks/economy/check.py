"""Whether days settled as one equal tasks settled one by one: the aggregate beside the simulator, on a short run."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.economy.days import Books, Day, open_books
from benchmarks.economy.settling import HONEST_NODES, PURSE_POTS, Settling
from benchmarks.economy.years import Assumed, make_world, play
from consensus.rules.pot import split_pot
from consensus.simulator.ending import Ending
from consensus.simulator.networks import Group, make_network
from consensus.simulator.setting import Setting
from consensus.simulator.sweep import sweep
from consensus.state import Params
from consensus.units import MICRO, SUPPLY_CAP_MICRO

TASKS = 12  # a block, of a target of 16: the base fee falls


class Compared(NamedTuple):
    """One sum at the end, in tokens."""

    what: str
    aggregate: float
    simulated: float  # mean over the seeds
    error: float  # of that mean

    @property
    def z(self) -> float:
        """How many standard errors of the simulation apart (not of the averages put in); 0 if exact and equal."""
        gap = self.aggregate - self.simulated
        return gap / self.error if self.error > 0 else (0.0 if abs(gap) < 1e-6 else float("inf"))


def compare(law: Params, settling: Settling, seeds: Sequence[int], rounds: int) -> list[Compared]:
    """The same network both ways for so many blocks of 12 tasks, after as many in which it learned whom to trust.

    `settling` should come from other seeds. What moves in these blocks is compared, the base fee at their end.
    """
    groups = [Group("honest", HONEST_NODES, "both", stake_pots=2_000.0)]
    static, setting = make_network(law, groups, purse_pots=PURSE_POTS, tasks=TASKS, lag=1)
    before, after = (sweep(static, setting, seeds, played).ending for played in (rounds, 2 * rounds))
    moved = Ending(*(np.asarray(b - a, dtype=float) for a, b in zip(before, after, strict=True)))
    books, held_micro = _open_as(law, setting, before)
    bonded_micro = float(books.nodes.bonded_micro_N.sum())
    assumed = Assumed(
        TASKS * rounds, elasticity=0.0, swing=0.0, priced=0.0, staked=bonded_micro / held_micro, nodes=HONEST_NODES,
        silence=0.0,
    )  # fmt: skip
    _, days = play([make_world(law, assumed, settling)], [books], 86_400 / rounds, 1)
    last = Day(*(int(leaf[0, -1]) for leaf in days))
    # In the simulator the asker pays for canaries too, and nobody proposes blocks: the treasury has that part.
    proposed_micro = int(split_pot(law, np.int64(last.tips_micro + last.emission_micro))[3])
    treasury_micro = last.treasury_micro - int(books.network.treasury_micro)
    rows = (
        ("base fee at the end", last.base_fee_micro, after.base_fee_micro),
        ("burned", last.burned_micro - int(books.network.burned_micro), moved.burned_micro),
        ("issued", last.emission_micro, -moved.reserve_micro),
        (
            "gained by nodes",
            last.fees_micro + last.wagers_micro - last.lost_micro - proposed_micro,
            moved.gain_micro_O.sum(axis=-1),
        ),
        ("gained by the purse", last.purse_micro - int(books.network.purse_micro), moved.purse_micro),
        ("gained by the treasury", treasury_micro + last.canary_micro + proposed_micro, moved.treasury_micro),
    )
    return [_compare(what, ours, np.asarray(theirs, dtype=float)) for what, ours, theirs in rows]


def _open_as(law: Params, setting: Setting, ending: Ending) -> tuple[Books, int]:
    """Books with the means of these endings, and what people hold; tasks in flight count as people's."""
    mean = lambda leaf: int(np.mean(leaf))
    bonded_micro = int(setting.conduct.stake_micro_N.sum()) + mean(ending.gain_micro_O.sum(axis=-1))
    reserve_micro, burned_micro = mean(ending.reserve_micro), mean(ending.burned_micro)
    treasury_micro, purse_micro = mean(ending.treasury_micro), mean(ending.purse_micro)
    held_micro = SUPPLY_CAP_MICRO - reserve_micro - burned_micro - treasury_micro - purse_micro
    books = open_books(law, held_micro, bonded_micro / held_micro, treasury_micro, purse_micro)
    network = books.network._replace(
        reserve_micro=np.int64(reserve_micro),
        burned_micro=np.int64(burned_micro),
        base_fee_micro=np.int64(mean(ending.base_fee_micro)),
    )
    return books._replace(network=network), held_micro


def _compare(what: str, ours: int, theirs: np.ndarray) -> Compared:
    flat = theirs.reshape(-1) / MICRO
    error = float(flat.std(ddof=1) / len(flat) ** 0.5) if np.ptp(flat) else 0.0
    return Compared(what, ours / MICRO, float(flat.mean()), error)
