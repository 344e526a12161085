"""R7, the scores: whoever states his belief expects the highest score, found by trying every statement."""

import numpy as np
import pytest

from consensus.rules.score import score_confidence, score_verdict
from tests.consensus.rules.small import int64

REPORTS = np.arange(0, 65_537)
T = int64(49_152)


def score(role: str, y: int) -> np.ndarray:
    y_S = np.full_like(REPORTS, y)
    return score_confidence(REPORTS, y_S) if role == "generator" else score_verdict(REPORTS, y_S, T)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_truth_is_the_best_report(role: str) -> None:
    """For each of 101 beliefs the expected score over all 65,537 reports peaks at the belief, within the rounding."""
    if_false, if_true = score(role, 0), score(role, 1)
    for percent in range(101):
        belief = percent / 100
        expected = belief * if_true + (1 - belief) * if_false
        honest = expected[round(belief * 65_536)]
        assert honest >= expected.max() - 1
        away = np.abs(REPORTS / 65_536 - belief) > 0.02
        assert (expected[away] < honest - 10).all(), belief


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_scores_stay_within_0_and_1(role: str) -> None:
    for y in (0, 1):
        assert score(role, y).min() >= 0
        assert score(role, y).max() <= 65_536


def test_confidences_by_hand() -> None:
    s = lambda c, y: int(score_confidence(int64(c), int64(y)))
    assert (s(65_536, 1), s(65_536, 0), s(0, 1), s(0, 0)) == (65_536, 0, 32_768, 32_768)
    assert s(49_152, 1) == (2 * 2**32 - 16_384**2) >> 17  # (1 + 1 - .0625) / 2
    assert s(0, 0) < s(32_768, 1)  # garbage that admits to be garbage is worth less than half-sure truth


def test_a_false_flag_costs_what_three_correct_flags_earn() -> None:
    s = lambda q, y: int(score_verdict(int64(q), int64(y), T))
    undecided = s(32_768, 0)
    assert s(32_768, 1) == undecided == 49_152
    assert undecided - s(65_536, 0) == 3 * (s(65_536, 1) - undecided) == 49_152
    assert s(0, 0) == 57_344  # passing a true answer: .875
    assert s(49_152, 1) < s(49_153, 1)  # a flag begins above t


@pytest.mark.parametrize("threshold", [0, 1, 20_000, 49_152, 65_536])
def test_every_threshold_keeps_the_range_and_stays_proper(threshold: int) -> None:
    if_true = score_verdict(REPORTS, np.zeros_like(REPORTS), int64(threshold))
    if_false = score_verdict(REPORTS, np.ones_like(REPORTS), int64(threshold))
    assert min(if_true.min(), if_false.min()) >= 0
    assert max(if_true.max(), if_false.max()) <= 65_536
    for belief in np.linspace(0, 1, 21):
        expected = belief * if_false + (1 - belief) * if_true
        assert expected[round(belief * 65_536)] >= expected.max() - 1
