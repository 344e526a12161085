"""Majority, stake and log-odds against loops in plain Python, closed forms, and the best rule there can be."""

from itertools import product
from math import comb, log, prod

import numpy as np
import pytest

from consensus.aggregation.log_odds import log_odds
from consensus.aggregation.majority import majority
from consensus.aggregation.stake_weighted import stake_weighted
from consensus.aggregation.votes import make_votes
from tests.consensus.aggregation.voters import draw_votes, first_best

CANDIDATES = 3


def sum_by_loop(votes, weigh):
    """Scores and answer of every task by addition in plain Python, `weigh(confidence, stake)` a vote."""
    results = []
    for answers, confidences in zip(votes.answer_TN.tolist(), votes.confidence_TN.tolist(), strict=True):
        scores = [0.0] * CANDIDATES
        for answer, confidence, stake in zip(answers, confidences, votes.weight_N.tolist(), strict=True):
            if answer >= 0:
                scores[answer] += weigh(confidence, stake)
        results.append((scores, max(answers) >= 0))
    return results


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("rule", "weigh"),
    [
        (majority, lambda confidence, stake: 1.0),
        (stake_weighted, lambda confidence, stake: stake),
        (
            log_odds,
            lambda confidence, stake: log(
                min(max(confidence, 1e-4), 1 - 1e-4) * 2 / (1 - min(max(confidence, 1e-4), 1 - 1e-4))
            ),
        ),
    ],
)
def test_scores_are_the_sums_of_a_loop(rule, weigh, seed):
    votes = draw_votes(tasks=30, nodes=6, candidates=CANDIDATES, seed=seed)
    decision = rule(votes, CANDIDATES)
    for task, (scores, anybody) in enumerate(sum_by_loop(votes, weigh)):
        np.testing.assert_allclose(decision.score_TC[task], scores, atol=1e-12)
        decided = anybody if rule is log_odds else max(scores) > 0
        assert decision.answer_T[task] == (first_best(scores) if decided else -1)
    assert decision.answer_T[-1] == -1


@pytest.mark.parametrize(("p", "n"), [(0.6, 9), (0.35, 5)])
def test_the_majority_is_right_as_often_as_condorcet_says(p, n):
    patterns = list(product((0, 1), repeat=n))
    taken_T = majority(make_votes(patterns, 2), 2).answer_T
    chance_T = [prod(1 - p if wrong else p for wrong in pattern) for pattern in patterns]
    right = sum(chance for chance, taken in zip(chance_T, taken_T, strict=True) if taken == 0)
    assert right == pytest.approx(sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n // 2 + 1, n + 1)))


@pytest.mark.parametrize(("skills", "candidates"), [((0.9, 0.8, 0.6, 0.6, 0.3), 2), ((0.8, 0.5, 0.45, 0.2), 3)])
def test_no_rule_errs_less_than_log_odds(skills, candidates):
    """The posterior by Bayes, of every pattern of answers, puts the same candidate first."""
    patterns = list(product(range(candidates), repeat=len(skills)))
    told = np.tile(skills, (len(patterns), 1))
    taken_T = log_odds(make_votes(patterns, candidates, told), candidates).answer_T
    for pattern, taken in zip(patterns, taken_T, strict=True):
        likelihood = [
            prod(p if said == truth else (1 - p) / (candidates - 1) for p, said in zip(skills, pattern, strict=True))
            for truth in range(candidates)
        ]
        assert likelihood[taken] == pytest.approx(max(likelihood))


@pytest.mark.parametrize("rule", [majority, stake_weighted, log_odds])
def test_one_vote_decides(rule):
    assert rule(make_votes([-1, 2, -1], 3), 3).answer_T.tolist() == [2]


def test_stake_in_proportion_to_log_odds_is_the_optimal_vote():
    skills = [0.9, 0.8, 0.6, 0.6, 0.6]
    patterns = list(product((0, 1), repeat=5))
    told = np.tile(skills, (len(patterns), 1))
    weights = [log(p / (1 - p)) for p in skills]
    by_stake = stake_weighted(make_votes(patterns, 2, weight_N=weights), 2)
    assert by_stake.answer_T.tolist() == log_odds(make_votes(patterns, 2, told), 2).answer_T.tolist()


def test_who_is_worse_than_chance_counts_against_its_answer():
    votes = make_votes([0, 0, 0], 2, [0.1, 0.2, 0.4])
    assert log_odds(votes, 2).answer_T.tolist() == [1]
    assert majority(votes, 2).answer_T.tolist() == [0]


def test_one_boast_outvotes_six_honest_nodes_unless_clipped():
    votes = make_votes([0] * 6 + [1], 2, [0.75] * 6 + [0.9999])
    assert log_odds(votes, 2).answer_T.tolist() == [1]
    assert log_odds(votes, 2, clip=0.05).answer_T.tolist() == [0]
