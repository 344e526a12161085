"""How often chance fills a committee with the wrong people: exact sums over the seats that R2 draws.

The probability that one seat is bad is read off `draw_seats` itself, by giving it every draw there is; seats are drawn
with replacement, so the number of bad seats is binomial. Algorand's committees have a random size (each token draws for
itself), hence its Poisson sums.
"""

from collections.abc import Callable
from fractions import Fraction
from math import comb, exp, floor, lgamma, log

import numpy as np

from consensus.rules import finality, seats
from consensus.validation.rows import Row

ALGORAND = "Gilad et al., Algorand (SOSP 2017), section 7.5: < 5e-9"
ETHEREUM = "Ethereum consensus-specs, committee of 111; Liang, Minimum committee size explained (2019)"
ETHRESEARCH = "Buterin, ethresear.ch 1830 (2018), public selection"
LAW = "docs/PROTOCOL.md R12"


def list_rows() -> list[Row]:
    """Algorand's step committee, Ethereum's committee of 111, committees of 100, and the law's 15 seats."""
    algorand = compute_algorand_failure(0.8, 2000, 0.685)
    two_thirds = lambda bad, size: 3 * bad >= 2 * size
    ethereum = float(sum_bad(Fraction(1, 3), 111, two_thirds))
    rows = [
        Row(
            "Algorand step committee",
            "h 0.8, tau 2000, T 0.685",
            "Poisson",
            ALGORAND,
            (4.2e-9,),
            (algorand,),
            0.01,
            True,
        ),
        Row(
            "Ethereum committee",
            "1/3 bad, 111 seats, >= 2/3",
            "seats R2",
            ETHEREUM,
            (2**-40.24,),
            (ethereum,),
            1e-3,
            True,
        ),
    ]
    for share, expected in ((Fraction(1, 4), 1.21e-18), (Fraction(1, 3), 6.45e-12)):
        ours = float(sum_bad(share, 100, finality.is_final))
        given = f"{share} bad, 100 seats, > 2/3"
        rows.append(Row("committee of 100", given, "seats R2, R12", ETHRESEARCH, (expected,), (ours,), 0.01, True))
    more_than_a_third = lambda bad, size: 3 * bad > size
    ours = float(sum_bad(Fraction(1, 4), 15, more_than_a_third))
    return [*rows, Row("15 seats are opinions", "1/4 bad, > 1/3", "seats R2", LAW, (0.148,), (ours,), 5e-4)]


def draw_bad_share(bad: Fraction) -> Fraction:
    """P(a seat is bad) by R2 if a share `bad` of the stake is: every draw modulo V is tried once."""
    weight_N = np.array([bad.numerator, bad.denominator - bad.numerator], dtype=np.int64)
    draws_S16 = np.zeros((bad.denominator, 16), dtype=np.int64)
    draws_S16[:, 15] = np.arange(bad.denominator)
    seat_S = seats.draw_seats(weight_N, draws_S16)
    return Fraction(int((seat_S == 0).sum()), bad.denominator)


def sum_bad(bad: Fraction, size: int, is_lost: Callable[[int, int], bool]) -> Fraction:
    """P(is_lost(bad seats, seats)) of a committee of `size` seats, exactly."""
    p = draw_bad_share(bad)
    counts = [k for k in range(size + 1) if is_lost(k, size)]
    return sum((comb(size, k) * p**k * (1 - p) ** (size - k) for k in counts), start=Fraction(0))


def compute_algorand_failure(honest: float, size: float, threshold: float) -> float:
    """P(a step of BA* may stall or fork): honest seats <= T tau, or half of them plus the bad ones > T tau.

    Both kinds of seats are Poisson with means h tau and (1-h) tau; the sum of the two probabilities, as in the paper's
    technical report (the two cannot happen together unless bad seats are far above their mean).
    """
    needed = threshold * size
    good = _make_poisson(honest * size)
    bad = _make_poisson((1 - honest) * size)
    bad_above = np.append(np.cumsum(bad[::-1])[::-1], 0.0)  # [k]: P(bad >= k)
    stalls = good[: floor(needed) + 1].sum()
    least_bad = [min(max(floor(needed - seat / 2) + 1, 0), len(bad)) for seat in range(len(good))]
    return float(stalls + good @ bad_above[least_bad])


def _make_poisson(mean: float) -> np.ndarray:
    """P(k), k from 0 to far beyond the mean."""
    return np.array([exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(floor(mean + 40 * mean**0.5))])
