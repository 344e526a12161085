"""The vote of shareholders: a node counts with its weight, so half of the stake decides everything.

It ignores how sure a node is and how often it was right. The law uses stake once, to draw seats (R2), and never again
in the tally (R4): used twice, influence would go with its square.
"""

from consensus.aggregation.votes import Decision, Votes, choose_best, mark_choices
from consensus.units import namespace


def stake_weighted(votes: Votes, candidates: int) -> Decision:
    """The candidate with the most weight behind it. The score is that weight; no weight voted: -1.

    With the weights ln(p / (1 - p)) it is the optimal rule of Nitzan and Paroush for two answers.
    """
    xp = namespace(votes.answer_TN)
    weight_TC = xp.sum(mark_choices(votes, candidates) * votes.weight_N[None, :, None], axis=1)
    return choose_best(weight_TC, xp.max(weight_TC, axis=1) > 0)
