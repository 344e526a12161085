"""The plurality of votes: every node counts once, however sure and however rich.

With two answers it is the majority of Condorcet's jury theorem: if every juror is right with p > 1/2, independently,
it is right with P(Binomial(n, p) > n/2), which tends to 1. Correlated jurors do not reach 1 (Boland 1989).
"""

from consensus.aggregation.votes import Decision, Votes, choose_best, mark_choices
from consensus.units import namespace


def majority(votes: Votes, candidates: int) -> Decision:
    """The candidate with the most votes. The score is the number of votes; nobody voted: -1.

    Source: Condorcet, Essai sur l'application de l'analyse a la probabilite des decisions (1785).
    """
    xp = namespace(votes.answer_TN)
    count_TC = xp.sum(mark_choices(votes, candidates), axis=1)
    return choose_best(count_TC, xp.max(count_TC, axis=1) > 0)
