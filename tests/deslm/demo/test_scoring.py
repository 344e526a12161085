"""Scores at equal coverage, against counts made by hand."""

import pytest

from deslm.demo.scoring import Pick, Vote, keep_best_ranked, pick_plurality, score_accepted, trace_accuracy

TRUTHS = ["lima", "quito", "oslo", "rome"]
PICKS = [Pick("lima", (0.9,)), Pick("cusco", (0.8,)), Pick("oslo", (0.7,)), Pick(None, (0.0,))]


def test_plurality_counts_equal_answers_together_and_breaks_ties_by_confidence():
    assert pick_plurality([Vote("a", 0.1), Vote("A", 0.2), Vote("b", 0.9)], str.lower).text == "a"
    assert pick_plurality([Vote("a", 0.1), Vote("b", 0.9)], str.lower) == Pick("b", (0.5, 0.9))
    assert pick_plurality([], str.lower) == Pick(None, (0.0, 0.0))


def test_the_best_ranked_are_kept_and_silence_never_is():
    assert keep_best_ranked(PICKS, 2) == [0, 1]
    assert keep_best_ranked(PICKS, 4) == [0, 1, 2]
    assert keep_best_ranked([Pick("x", (0.5,)), Pick("y", (0.5,))], 1) == [0]


def test_score_of_what_was_accepted():
    score = score_accepted(PICKS, [0, 1], TRUTHS, str.lower)
    assert score == (pytest.approx(0.5), pytest.approx(0.5), 1)
    assert score_accepted(PICKS, [], TRUTHS, str.lower) == (0.0, 0.0, 0)


def test_curve_ends_at_everything_answered():
    assert trace_accuracy(PICKS, TRUTHS, str.lower) == [
        (0.25, pytest.approx(1.0)),
        (0.5, pytest.approx(0.5)),
        (0.75, pytest.approx(2 / 3)),
    ]
