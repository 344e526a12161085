"""A verdict is earned: distances, tolerances and NaNs, and a wrong rule turns exactly its own rows off."""

import doctest
from fractions import Fraction
from math import comb, nan

import numpy as np
import pytest

from consensus.aggregation import bradley_terry, dawid_skene, door, yuma
from consensus.rules import fee, finality, log_odds, seats, tally, wager
from consensus.units import Q16
from consensus.validation import bonds, committees, fits, juries, money, rows
from consensus.validation.rows import Row


def make_row(published, ours, tolerance, is_relative=False):
    return Row("", "", "", "", published, ours, tolerance, is_relative)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (make_row((2.0,), (2.0,), 0.0), True),
        (make_row((2.0,), (2.0000001,), 0.0), False),
        (make_row((2.0,), (2.125,), 0.125), True),
        (make_row((2.0,), (1.75,), 0.125), False),
        (make_row((2.0, 3.0), (2.0, 3.5), 0.25), False),
        (make_row((1e-18,), (1.1e-18,), 0.05, True), False),
        (make_row((1e-18,), (1.01e-18,), 0.05, True), True),
        (make_row((1.0,), (nan,), 1e9), False),
        (make_row((1.0, 1.0), (nan, 1.0), 1e9), False),
        (make_row((1.0, 1.0), (1.0, nan), 1e9), False),
    ],
)
def test_the_verdict_is_the_largest_distance_against_the_tolerance(row, verdict):
    assert row.is_within() == verdict


def test_vectors_of_unequal_length_are_no_comparison():
    with pytest.raises(ValueError, match="zip"):
        make_row((1.0, 2.0), (1.0,), 1.0).is_within()


def test_the_docstring_example_runs():
    assert doctest.testmod(rows) == (0, 1)


def test_exact_sums_of_the_beta_binomial_are_a_distribution_that_knows_its_limits():
    half = Fraction(1, 2)
    chance = juries.make_beta_binomial(Fraction(3, 5), Fraction(1, 10), 9)
    assert sum(chance) == 1
    assert sum(k * p for k, p in enumerate(chance)) == 9 * Fraction(3, 5)
    variance = sum((k - Fraction(27, 5)) ** 2 * p for k, p in enumerate(chance))
    assert variance == 9 * Fraction(6, 25) * (1 + 8 * Fraction(1, 10))  # n p (1-p) (1 + (n-1) rho)
    assert juries.make_beta_binomial(half, Fraction(1, 3), 4) == [Fraction(1, 5)] * 5  # Beta(1, 1) is uniform


@pytest.mark.parametrize("jurors", [51, 151])
def test_a_large_correlated_jury_nears_the_limit(jurors):
    chance = juries.make_beta_binomial(Fraction(3, 5), Fraction(1, 10), jurors)
    right = float(sum(chance[jurors // 2 + 1 :]))
    assert right == pytest.approx(juries.compute_jury_limit(0.6, 0.1), abs=1 / jurors)


def test_the_poisson_sums_are_those_of_a_loop():
    """A small committee, every pair of counts."""
    good, bad = committees._make_poisson(12.0), committees._make_poisson(3.0)
    fails = sum(
        g * b * ((i <= 0.685 * 15) + (i / 2 + j > 0.685 * 15)) for i, g in enumerate(good) for j, b in enumerate(bad)
    )
    assert committees.compute_algorand_failure(0.8, 15, 0.685) == pytest.approx(fails, rel=1e-12)


def test_a_seat_is_bad_as_often_as_its_stake():
    for share in (Fraction(1, 3), Fraction(1, 4), Fraction(2, 7)):
        assert committees.draw_bad_share(share) == share
    assert committees.sum_bad(Fraction(1, 4), 3, lambda bad, size: bad == 2) == comb(3, 2) * Fraction(3, 64)


RISE = fee.compute_base_fee
SURPRISE = {"score": lambda q, y: np.where(y == 1, q, Q16 - q)}  # a linear score: reports jump to 0 or 1


def draw_left(weight_N, draw_S16):
    """A cumulative sum searched from the wrong side: the draw 1 of the stakes 1, 2 falls to the first."""
    return np.searchsorted(np.cumsum(weight_N), draw_S16[:, 15], side="left")


def ignore_confidence(probability_q16):
    return np.full_like(probability_q16, 3000)


PLANTED = {
    "a fee that moves by a ninth": (
        money,
        (fee, "compute_base_fee", lambda params, b, t: RISE(params._replace(base_fee_denominator=np.asarray(9)), b, t)),
        {"EIP-1559 base fee"},
    ),
    "a linear score of confidences": (money, (wager, "score_confidence", SURPRISE["score"]), {"wager: best report"}),
    "a linear score of verdicts": (
        money,
        (wager, "score_verdict", lambda q, y, t: SURPRISE["score"](q, y)),
        {"wager: best report"},
    ),
    "seats by the wrong end of an interval": (
        committees,
        (seats, "draw_seats", draw_left),
        {"Ethereum committee", "committee of 100", "15 seats are opinions"},
    ),
    "finality by a simple majority": (
        committees,
        (finality, "is_final", lambda signed, total: 2 * signed > total),
        {"committee of 100"},
    ),
    "a tally that ignores confidence": (juries, (tally, "logit_q12", ignore_confidence), {"log-odds vote"}),
    "a tally without clipping at the wrong sign": (
        juries,
        (tally, "compute_confidence_x", lambda params, round: -log_odds.logit_q12(round.confidence_q16_G)),
        {"Condorcet's jury", "log-odds vote", "unweighted vote", "correlated jury"},
    ),
    "a majority that follows the first node": (
        juries,
        (door, "RULES", {**door.RULES, "majority": lambda votes, _: door.Decision(votes.answer_TN[:, 0], None)}),
        {"Condorcet's jury", "unweighted vote", "correlated jury"},
    ),
    "a log-odds vote that counts heads": (
        juries,
        (door, "RULES", {**door.RULES, "log-odds": door.majority}),
        {"log-odds vote"},
    ),
    "bonds that always move at the slowest rate": (
        bonds,
        (yuma, "compute_liquid_alpha", lambda params, weight_VS, bond_VS, consensus_S: 0.1 + 0 * weight_VS),
        {"Yuma 3 dividends"},
    ),
    "weights that are not clipped": (
        bonds,
        (yuma, "compute_consensus", lambda stake_V, weight_VS, kappa: np.ones(weight_VS.shape[1])),
        {"Yuma 3 dividends"},
    ),
    "strengths as shares of games won": (
        fits,
        (bradley_terry, "fit_strengths", lambda wins_IJ, iterations: wins_IJ.sum(axis=1)),
        {"Bradley-Terry abilities"},
    ),
    "one round of EM": (
        fits,
        (
            dawid_skene,
            "fit_dawid_skene",
            lambda count_TNL, iterations, fit=dawid_skene.fit_dawid_skene: fit(count_TNL, 1),
        ),
        {"Dawid-Skene class shares"},
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_wrong_rule_turns_its_rows_off_and_no_others(bug, monkeypatch):
    part, (module, name, wrong), expected = PLANTED[bug]
    monkeypatch.setattr(module, name, wrong)
    assert {row.name for row in part.list_rows() if not row.is_within()} == expected
