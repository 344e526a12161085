"""Votes for the tests of every rule, and the rules' answers as plain lists."""

import numpy as np

from consensus.aggregation.votes import Votes, make_votes


def draw_votes(tasks: int, nodes: int, candidates: int, seed: int) -> Votes:
    """Any votes at all: absent ones, sure ones, weights of 0; the last task got none."""
    rng = np.random.default_rng(seed)
    answer_TN = rng.integers(-1, candidates, size=(tasks, nodes))
    answer_TN[-1] = -1
    weight_N = rng.integers(0, 5, size=nodes).astype(float)
    return make_votes(answer_TN, candidates, rng.random((tasks, nodes)).round(2), weight_N)


def first_best(scores: list[float]) -> int:
    """The first of the highest scores, those within rounding taken as equal."""
    return next(c for c, score in enumerate(scores) if score >= max(scores) - 1e-12)
