"""The log-odds vote: optimal if every node states its true skill and errors are independent, fragile if not.

Who is right with probability p counts with ln(p / (1 - p)): Nitzan and Paroush proved that no rule for two answers
errs less. It believes what it is told, so one node that claims .999 outvotes six that say .75 truthfully; the law
clips what a seat may add and learns a voice beta for each node (R4).
"""

from consensus.aggregation.votes import Decision, Votes, choose_best, mark_choices
from consensus.units import namespace


def log_odds(votes: Votes, candidates: int, clip: float = 1e-4) -> Decision:
    """The candidate with the greatest log-likelihood. The score is its sum of ln(p (C-1) / (1-p)), in nats.

    `clip`: confidences are held within `clip` to 1 - `clip`. A node that says it is worse than chance counts against
    its own answer, so an answer that nobody gave can win. Nobody voted: -1.

    Sources: Nitzan and Paroush, Optimal decision rules in uncertain dichotomous choice situations (International
    Economic Review 23, 1982), theorem 1; for C answers whose errors are equally likely, Ben-Yashar and Paroush,
    Optimal decision rules for fixed-size committees in polychotomous choice situations (2001).
    """
    xp = namespace(votes.answer_TN)
    choice_TNC = mark_choices(votes, candidates)
    sure_TN = xp.clip(votes.confidence_TN, clip, 1 - clip)
    weight_TN = xp.log(sure_TN) - xp.log1p(-sure_TN) + xp.log(xp.asarray(candidates - 1, dtype=sure_TN.dtype))
    score_TC = xp.sum(choice_TNC * weight_TN[:, :, None], axis=1)
    return choose_best(score_TC, xp.max(votes.answer_TN, axis=1) >= 0)
