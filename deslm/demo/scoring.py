"""Who was right, at equal coverage: the network, its best node, and a plain vote of the same seats.

Accuracy is right / accepted, coverage accepted / asked. A rival without a threshold answers everything, so it is given
one: it ranks its answers (the vote by its share, then mean confidence; a node by its confidence) and keeps as many as
the network accepted. All figures are on questions about taught subjects; the untaught ones are counted apart.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Vote(NamedTuple):
    """One seat's or one node's revealed answer to one question."""

    text: str
    confidence: float  # in [0, 1]


class Pick(NamedTuple):
    """What a decision-maker answers to one question, and how willingly: larger ranks are kept first."""

    text: str | None  # None: it has no answer
    rank: tuple[float, ...]


class Score(NamedTuple):
    """How one decision-maker did on the questions about taught subjects."""

    accuracy: float  # right / accepted; 0 if nothing was accepted
    coverage: float  # accepted / asked
    wrong_accepted: int


Normalise = Callable[[str], str]


def pick_plurality(votes: Sequence[Vote], normalise: Normalise) -> Pick:
    """Return the answer most votes agree on, ranked by its share of the votes, ties by its mean confidence.

    >>> pick_plurality([Vote("Lima", .6), Vote("lima", .8), Vote("Quito", .9)], str.lower)
    Pick(text='lima', rank=(0.6666666666666666, 0.7))
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for vote in votes:
        groups[normalise(vote.text)].append(vote.confidence)
    if not groups:
        return Pick(None, (0.0, 0.0))
    ranked = {text: (len(group) / len(votes), sum(group) / len(group)) for text, group in groups.items()}
    best = max(sorted(ranked), key=lambda text: ranked[text])
    return Pick(best, ranked[best])


def keep_best_ranked(picks: Sequence[Pick], count: int) -> list[int]:
    """Return the indices of the `count` answers ranked highest; a tie keeps the question asked first."""
    answered = [index for index, pick in enumerate(picks) if pick.text is not None]
    return sorted(answered, key=lambda index: picks[index].rank, reverse=True)[:count]


def score_accepted(
    picks: Sequence[Pick], accepted: Sequence[int], truths: Sequence[str], normalise: Normalise
) -> Score:
    """Return the score of accepting exactly the picks at the indices `accepted`."""
    right = sum(normalise(picks[index].text or "") == normalise(truths[index]) for index in accepted)
    accuracy = right / len(accepted) if accepted else 0.0
    coverage = len(accepted) / len(picks) if picks else 0.0
    return Score(accuracy, coverage, len(accepted) - right)


def trace_accuracy(picks: Sequence[Pick], truths: Sequence[str], normalise: Normalise) -> list[tuple[float, float]]:
    """Return (coverage, accuracy) for every number of best-ranked answers kept: the risk-coverage curve."""
    order = keep_best_ranked(picks, len(picks))
    points, right = [], 0
    for kept, index in enumerate(order, start=1):
        right += normalise(picks[index].text or "") == normalise(truths[index])
        points.append((kept / len(picks), right / kept))
    return points
