"""Equivocation: keys that sign two blocks of one height. Computed by R12 and R8, no network needed."""

from itertools import product

import numpy as np

from consensus import presets
from consensus.rules.finality import is_final
from consensus.rules.slash import equivocation_penalty, slash_equivocation
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, exact
from consensus.state import Params
from consensus.units import MICRO

SMALL = (
    (1, 1, 1),
    (1, 1, 1, 1),
    (3, 1, 1, 2),
    (1, 2, 2, 3, 1),
    (5, 1, 1, 1, 1),
    (1, 1, 1, 1, 1, 1),
    (4, 3, 2, 2, 1, 1, 2),
    (1,) * 7,
)


def judge(size: Size, played: object) -> Report:
    """Conflicts by exhaustion, and what equivocators of each share lose."""
    below, beyond = zip(*(count_conflicts(stakes) for stakes in SMALL), strict=True)
    least = min(slash_share(size.law, stakes) for stakes in SMALL)
    alone, third = (take(size.law, share) for share in (0.01, 0.34))
    readings = (
        exact("conflicting finals with less than 1/3 of the stake, all ways of 3 to 7 keys", sum(below), "=", 0),
        exact("conflicting finals with 1/3 or more (the instrument can see one)", sum(beyond), ">", 0),
        exact("least share of all stake slashed after a conflict", least, ">=", 1 / 3),
        exact("share of their stake taken from equivocators who hold .34", third, ">=", 0.95),
        exact("share of its stake taken from a lone equivocator with .01", alone, "<", 0.09),
    )
    points = tuple((s, take(size.law, s), 0.0) for s in (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.34, 0.4))
    return Report(
        readings,
        (Curve("stake that equivocators lose", "share of all stake that equivocates", "share of theirs", points, 1.0),),
    )


def count_conflicts(stakes: tuple[int, ...]) -> tuple[int, int]:
    """Pairs of conflicting final blocks (equivocators below 1/3, at or above) over every way the keys can sign.

    Every key signs block A, block B, neither, or, if it equivocates, both.
    """
    total, below, beyond = sum(stakes), 0, 0
    for signs in product(range(4), repeat=len(stakes)):
        for_a = sum(stake for stake, sign in zip(stakes, signs, strict=True) if sign in (0, 3))
        for_b = sum(stake for stake, sign in zip(stakes, signs, strict=True) if sign in (1, 3))
        guilty = sum(stake for stake, sign in zip(stakes, signs, strict=True) if sign == 3)
        if is_final(for_a, total) and is_final(for_b, total):
            below, beyond = below + (3 * guilty < total), beyond + (3 * guilty >= total)
    return below, beyond


def slash_share(law: Params, stakes: tuple[int, ...]) -> float:
    """The least share of all stake that is slashed after a conflict among these keys."""
    least, total = 1.0, sum(stakes)
    for guilty in product((0, 1), repeat=len(stakes)):
        held = sum(stake for stake, is_guilty in zip(stakes, guilty, strict=True) if is_guilty)
        if 3 * held >= total and is_final(held + (total - held) // 2, total):
            least = min(least, punish(law, stakes, guilty))
    return least


def take(law: Params, share: float) -> float:
    """The share of their own stake that equivocators lose who hold this share of all."""
    stakes = (round(share * 10_000), 10_000 - round(share * 10_000))
    return punish(law, stakes, (1, 0)) / (stakes[0] / sum(stakes))


def punish(law: Params, stakes: tuple[int, ...], guilty: tuple[int, ...]) -> float:
    """The share of all stake that R8 takes from these keys, the first slash and the multiplier after the epoch."""
    bonded_N = np.array(stakes, dtype=np.int64) * MICRO * 1_000
    liquid_N, role_NR = np.zeros_like(bonded_N), np.ones((len(stakes), 2), np.int64)
    network, nodes = presets.genesis(law, liquid_N, bonded_N, role_NR, 0, 0, 0)
    for i in np.flatnonzero(guilty):
        network, nodes, _ = slash_equivocation(law, network, nodes, int(i))
    _, nodes, _ = equivocation_penalty(law, network, nodes, np.array(guilty, dtype=np.int64))
    return 1.0 - float(nodes.bonded_micro_N.sum()) / float(bonded_N.sum())


ATTACK = Attack(
    "equivocation",
    "keys sign two blocks of one height",
    "no conflicting finals below 1/3 of the stake; at least 1/3 slashed beyond",
    judge,
)
