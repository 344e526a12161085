"""What every comparison rule reads and returns: votes of nodes on tasks, and one answer a task."""

from typing import Any, NamedTuple

import numpy as np

from consensus.units import Array, namespace


class Votes(NamedTuple):
    """Who said what, how surely, with how much weight. NumPy or JAX arrays; `make_votes` checks plain numbers."""

    answer_TN: Array  # integer: number of the answer, 0 to C-1; -1: the node did not vote on the task
    confidence_TN: Array  # float: the node's own probability that its answer is right, 0 to 1
    weight_N: Array  # float, >= 0: the node's stake (or any other weight), read by the weighted rules alone


class Decision(NamedTuple):
    """What a rule makes of the votes."""

    answer_T: Array  # integer: the accepted answer, the lowest number among equals; -1: the rule has nothing to go by
    score_TC: Array  # float: the rule's score of each candidate, in the unit that the rule's docstring names


def make_votes(answer_TN: Any, candidates: int, confidence_TN: Any = None, weight_N: Any = None) -> Votes:
    """NumPy votes from plain numbers, checked. One row of answers [N] is taken as one task.

    Without confidences every node is equally sure (.75), without weights every node weighs 1. Raises ValueError for
    an answer outside -1 to C-1, a confidence outside 0 to 1, a negative or infinite weight, or shapes that differ.

    >>> make_votes([0, 2, -1], candidates=3).answer_TN.shape
    (1, 3)
    """
    answers = np.atleast_2d(np.asarray(answer_TN))
    if candidates < 2:
        raise ValueError(f"{candidates} candidates leave nothing to choose; name at least 2")
    if answers.dtype.kind not in "iu" or answers.ndim != 2:
        raise ValueError("answers must be integers of shape [tasks, nodes]; -1 stands for no vote")
    if answers.size == 0:
        raise ValueError("there are no votes; give at least one task and one node")
    if answers.min() < -1 or answers.max() >= candidates:
        raise ValueError(f"an answer is outside -1 to {candidates - 1}; number the candidates from 0")
    confidences = np.full(answers.shape, 0.75) if confidence_TN is None else np.atleast_2d(confidence_TN).astype(float)
    if confidences.shape != answers.shape:
        raise ValueError(f"confidences have shape {confidences.shape}, answers {answers.shape}; give one for each vote")
    if not ((confidences >= 0) & (confidences <= 1)).all():
        raise ValueError("a confidence is outside 0 to 1; it is the node's probability that its answer is right")
    weights = np.ones(answers.shape[1]) if weight_N is None else np.asarray(weight_N, dtype=float)
    if weights.shape != answers.shape[1:]:
        raise ValueError(f"weights have shape {weights.shape}; give one for each of the {answers.shape[1]} nodes")
    if not ((weights >= 0) & np.isfinite(weights)).all():
        raise ValueError("a weight is negative or not finite; use 0 for a node that should not count")
    return Votes(answers.astype(np.int64), confidences, weights)


def mark_choices(votes: Votes, candidates: int) -> Array:
    """1.0 [T,N,C] where a node chose the candidate, else 0."""
    xp = namespace(votes.answer_TN)
    is_choice_TNC = votes.answer_TN[:, :, None] == xp.arange(candidates)[None, None, :]
    return is_choice_TNC.astype(votes.confidence_TN.dtype)


def spread_beliefs(votes: Votes, candidates: int, clip: float) -> Array:
    """Each vote as a distribution [T,N,C]: the confidence on the choice, the rest shared equally; 0 without a vote.

    Confidences are held within `clip` to 1 - `clip`, so that no candidate is impossible to anybody.
    """
    xp = namespace(votes.answer_TN)
    choice_TNC = mark_choices(votes, candidates)
    voted_TN1 = xp.sum(choice_TNC, axis=2, keepdims=True)
    sure_TN1 = xp.clip(votes.confidence_TN, clip, 1 - clip)[:, :, None]
    other_TN1 = (1 - sure_TN1) / (candidates - 1)
    return choice_TNC * sure_TN1 + (voted_TN1 - choice_TNC) * other_TN1


def choose_best(score_TC: Array, is_decided_T: Array) -> Decision:
    """The candidate with the highest score (the lowest number among equals) where the task is decided, else -1."""
    xp = namespace(score_TC)
    return Decision(xp.where(is_decided_T, xp.argmax(score_TC, axis=1), -1), score_TC)
