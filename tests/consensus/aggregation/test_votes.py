"""Votes are checked where they are made, with one sentence; beliefs are distributions."""

import numpy as np
import pytest

from consensus.aggregation.votes import make_votes, mark_choices, spread_beliefs
from tests.consensus.aggregation.voters import draw_votes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0, 1], 1), "1 candidates leave nothing to choose"),
        (([0.5, 1.0], 2), "answers must be integers"),
        (([[[0]]], 2), "answers must be integers of shape"),
        (([], 2), "answers must be integers"),
        ((np.zeros((0, 3), dtype=int), 2), "there are no votes"),
        (([0, 2], 2), "outside -1 to 1"),
        (([0, -2], 2), "outside -1 to 1"),
        (([0, 1], 2, [0.5]), "confidences have shape"),
        (([0, 1], 2, [0.5, 1.1]), "outside 0 to 1"),
        (([0, 1], 2, [0.5, float("nan")]), "outside 0 to 1"),
        (([0, 1], 2, None, [1.0]), "weights have shape"),
        (([0, 1], 2, None, [1.0, -1.0]), "negative or not finite"),
        (([0, 1], 2, None, [1.0, float("inf")]), "negative or not finite"),
    ],
)
def test_bad_votes_are_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as refused:
        make_votes(*arguments)
    assert "\n" not in str(refused.value)


def test_defaults_make_everybody_equal():
    votes = make_votes([[0, 1, -1], [1, 1, 0]], candidates=2)
    assert votes.answer_TN.dtype == np.int64
    assert len(set(votes.confidence_TN.ravel().tolist())) == 1
    assert votes.weight_N.tolist() == [1.0, 1.0, 1.0]


def test_choices_are_marked_once_a_vote():
    votes = draw_votes(tasks=7, nodes=5, candidates=3, seed=0)
    choice_TNC = mark_choices(votes, 3)
    for task in range(7):
        for node in range(5):
            answer = votes.answer_TN[task, node]
            assert choice_TNC[task, node].tolist() == [float(c == answer) for c in range(3)]


def test_a_belief_is_a_distribution_and_silence_is_none():
    votes = draw_votes(tasks=7, nodes=5, candidates=4, seed=1)
    belief_TNC = spread_beliefs(votes, 4, clip=0.01)
    np.testing.assert_allclose(belief_TNC.sum(axis=2), votes.answer_TN >= 0)
    task, node = np.argwhere(votes.answer_TN == 2)[0]
    sure = np.clip(votes.confidence_TN[task, node], 0.01, 0.99)
    np.testing.assert_allclose(belief_TNC[task, node], [(1 - sure) / 3, (1 - sure) / 3, sure, (1 - sure) / 3])
