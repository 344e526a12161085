"""The law beside its rivals is the law: the ledger's tally on the same votes, and the voices it learns on audits."""

from math import log

import numpy as np
import pytest

from consensus.aggregation.law import law, learn_voices
from consensus.aggregation.log_odds import log_odds
from consensus.aggregation.votes import make_votes
from tests.consensus.aggregation.voters import draw_votes


def test_scores_are_deflated_sums_of_clipped_log_odds():
    answers, confidences = [0, 0, 1, -1], [0.8, 0.7, 0.99, 0.9]
    scores = law(make_votes(answers, 3, confidences), 3, kappa=1.5, rho=0.3, beta=0.5).score_TC[0]
    deflate = 1 + (3 - 1) * 0.3
    first = (0.5 * (log(0.8 / 0.2) + 1.5) + 0.5 * (log(0.7 / 0.3) + 1.5)) / deflate - 1.5
    second = 0.5 * (3.0 + 1.5) / deflate - 1.5  # logit .99 is clipped to 3
    np.testing.assert_allclose(scores[:2], [first, second], atol=2e-3)
    assert scores[2] == -np.inf  # nobody proposed it


def test_two_equals_without_kappa_are_the_log_odds_vote_where_nobody_is_below_half():
    votes = draw_votes(tasks=60, nodes=5, candidates=2, seed=0)
    votes = votes._replace(confidence_TN=0.55 + 0.35 * votes.confidence_TN)
    mine, theirs = law(votes, 2, kappa=0.0, rho=0.0, beta=1.0), log_odds(votes, 2)
    margin_T = np.abs(theirs.score_TC[:, 0] - theirs.score_TC[:, 1])
    clear = (margin_T > 0.05) | (margin_T == 0)  # the law's table is exact to a few thousandths
    assert clear.sum() > 40
    assert mine.answer_T[clear].tolist() == theirs.answer_T[clear].tolist()


def test_kappa_is_none_for_two_answers_only():
    two, three = draw_votes(9, 4, 2, seed=1), draw_votes(9, 4, 3, seed=1)
    np.testing.assert_array_equal(law(two, 2).score_TC, law(two, 2, kappa=0.0).score_TC)
    np.testing.assert_array_equal(law(three, 3).score_TC, law(three, 3, kappa=1.5).score_TC)


def test_more_candidates_than_nodes_fit():
    votes = make_votes([[4, 1], [4, 4]], 5, [[0.9, 0.6], [0.6, 0.6]])
    decision = law(votes, 5)
    assert decision.answer_T.tolist() == [4, 4]
    assert np.isfinite(decision.score_TC).tolist() == [
        [False, True, False, False, True],
        [False, False, False, False, True],
    ]


def test_a_voice_counts_for_its_node():
    votes = make_votes([0, 1, 1], 2, [0.9, 0.8, 0.8])
    assert law(votes, 2, beta=np.array([1.0, 0.4, 0.4])).answer_T.tolist() == [0]
    assert law(votes, 2, beta=np.array([0.4, 1.0, 1.0])).answer_T.tolist() == [1]


def test_audits_silence_who_boasts_and_strengthen_who_is_too_modest():
    rng = np.random.default_rng(0)
    truth_T = rng.integers(0, 2, size=300)
    right_TN = rng.random((300, 3)) < np.array([0.5, 0.8, 0.95])
    votes = make_votes(np.where(right_TN, truth_T[:, None], 1 - truth_T[:, None]), 2, [[0.99, 0.8, 0.6]] * 300)
    boaster, honest, modest = learn_voices(votes, truth_T)
    assert boaster < 0.1
    assert honest > 0.7
    assert modest > honest - 0.1
    np.testing.assert_array_equal(learn_voices(votes, truth_T)[1], learn_voices(votes, truth_T, beta=0.5)[1])


def test_who_does_not_answer_keeps_its_voice():
    votes = make_votes([[-1, 0]] * 20, 2, [[0.9, 0.9]] * 20)
    assert learn_voices(votes, np.ones(20, dtype=int))[0] == pytest.approx(0.5)
