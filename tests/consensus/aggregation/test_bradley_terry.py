"""Strengths maximise the likelihood, found another way: closed forms and a search by coordinates in plain Python."""

from itertools import pairwise
from math import log

import numpy as np
import pytest

from consensus.aggregation.bradley_terry import bradley_terry, fit_strengths, wins_from_rankings
from consensus.aggregation.majority import majority
from consensus.aggregation.votes import make_votes, spread_beliefs
from consensus.validation.fits import BASEBALL_WINS


def likelihood(wins, strengths):
    return sum(
        wins[i][j] * log(strengths[i] / (strengths[i] + strengths[j]))
        for i in range(len(wins))
        for j in range(len(wins))
        if i != j
    )


def search_strengths(wins):
    """Maximise the likelihood one log strength after the other, with ever smaller steps."""
    logs, step = [0.0] * len(wins), 1.0
    score = lambda: likelihood(wins, np.exp(logs))
    best = score()
    while step > 1e-7:
        improved = False
        for i in range(1, len(wins)):  # the first stays: only ratios matter
            for sign in (step, -step):
                logs[i] += sign
                if score() > best:
                    best, improved = score(), True
                else:
                    logs[i] -= sign
        if not improved:
            step /= 2
    return np.exp(logs) / np.exp(logs).sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_has_its_maximum_there(seed):
    wins = np.random.default_rng(seed).integers(1, 9, size=(4, 4)).astype(float)
    np.testing.assert_allclose(fit_strengths(wins), search_strengths(wins), atol=1e-5)


def test_every_round_raises_the_likelihood():
    wins = np.array(BASEBALL_WINS, dtype=float)
    scores = [likelihood(BASEBALL_WINS, fit_strengths(wins, iterations)) for iterations in range(12)]
    assert all(after > before for before, after in pairwise(scores))


def test_the_diagonal_is_no_game_and_the_scale_is_fixed():
    wins = np.array([[9.0, 3.0, 2.0], [1.0, 7.0, 2.0], [1.0, 2.0, 0.0]])
    strengths = fit_strengths(wins, iterations=3)  # once it has converged the diagonal cancels out
    np.testing.assert_allclose(strengths, fit_strengths(wins * (1 - np.eye(3)), iterations=3))
    assert strengths.sum() == pytest.approx(1.0)


def test_batches_are_fitted_apart():
    wins = np.random.default_rng(0).integers(1, 9, size=(2, 5, 3, 3)).astype(float)
    together = fit_strengths(wins)
    np.testing.assert_allclose(together[1, 4], fit_strengths(wins[1, 4]))


def test_a_prior_keeps_an_unbeaten_contestant_finite():
    wins = np.array([[0.0, 5.0], [0.0, 0.0]])
    assert fit_strengths(wins).tolist() == [1.0, 0.0]
    assert fit_strengths(wins, prior_wins=0.5)[1] == pytest.approx(0.5 / 6)


def test_who_has_neither_won_nor_played_does_no_harm():
    wins = np.zeros((4, 4))
    wins[0, 1], wins[1, 0], wins[0, 2], wins[1, 2] = 3.0, 1.0, 2.0, 2.0
    strengths = fit_strengths(wins, iterations=400)
    assert np.isfinite(strengths).all()
    assert strengths[0] / strengths[1] == pytest.approx(3.0, rel=1e-6)


def test_a_ranking_is_a_game_between_all_it_names():
    wins = wins_from_rankings([[2, 0, 1], [0, 2, -1]], contestants=4)
    assert wins.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    with pytest.raises(ValueError, match="once each"):
        wins_from_rankings([[0, 0]], contestants=2)
    with pytest.raises(ValueError, match="contestants 0 to 1"):
        wins_from_rankings([[0, 2]], contestants=2)


def test_one_voter_gets_its_own_belief():
    votes = make_votes([[1], [-1]], 3, [[0.6], [0.6]])
    decision = bradley_terry(votes, 3)
    np.testing.assert_allclose(decision.score_TC[0], spread_beliefs(votes, 3, 1e-3)[0, 0], atol=1e-9)
    assert decision.answer_T.tolist() == [1, -1]


def test_equally_sure_voters_are_a_majority():
    answers = np.random.default_rng(1).integers(0, 3, size=(40, 7))
    votes = make_votes(answers, 3)
    assert bradley_terry(votes, 3).answer_T.tolist() == majority(votes, 3).answer_T.tolist()
