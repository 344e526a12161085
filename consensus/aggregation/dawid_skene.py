"""Dawid-Skene: learn from the votes alone, without any truth, how often each node confuses which answers.

EM between what the true answers probably are (given how good the nodes are) and how good the nodes are (given what the
true answers probably are). It needs many tasks by the same nodes with the same meaning of each answer number, and it
trusts agreement: nodes that err together look good to it, as they do to anyone who pays for agreement.
"""

from typing import NamedTuple

from consensus.aggregation.loops import repeat
from consensus.aggregation.votes import Decision, Votes, choose_best, mark_choices
from consensus.units import Array, namespace

LEAST = 1e-30  # stands for the probability 0 in a logarithm; also a float32


class Fit(NamedTuple):
    """What EM found."""

    posterior_TC: Array  # P(the truth of task t is c | the votes)
    prior_C: Array  # P(a truth is c)
    confusion_NCL: Array  # P(node n says l | the truth is c)
    log_likelihood: Array  # [] of the votes, in nats, before the last E step; EM never lowers it (smoothing may)


def fit_dawid_skene(count_TNL: Array, iterations: int = 50, smoothing: float = 0.0) -> Fit:
    """EM from counts [T,N,L]: how often node n said l of task t (0 or 1 where everybody votes once). L = C.

    Starts from the shares of the votes, as the paper does (equation 3.1). `smoothing` is added to every count of
    confusion, so that no node is ever certain; 0 is the paper's. `iterations` rounds are always done.

    Source: Dawid and Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm (Applied
    Statistics 28, 1979), equations 2.3 to 2.5 and 2.7.
    """
    xp = namespace(count_TNL)
    said_TL = xp.sum(count_TNL, axis=1)
    start_TC = (said_TL + LEAST) / xp.sum(said_TL + LEAST, axis=1, keepdims=True)

    def learn(posterior_TC: Array) -> tuple[Array, Array]:
        prior_C = xp.mean(posterior_TC, axis=0)
        said_NCL = xp.einsum("tc,tnl->ncl", posterior_TC, count_TNL) + smoothing
        total_NC1 = xp.sum(said_NCL, axis=2, keepdims=True)
        # A node that never spoke of a class tells nothing about it: any equal numbers will do.
        return prior_C, xp.where(total_NC1 > 0, said_NCL / xp.where(total_NC1 > 0, total_NC1, 1), 1.0)

    def weigh(prior_C: Array, confusion_NCL: Array) -> tuple[Array, Array]:
        logs_NCL = xp.log(xp.maximum(confusion_NCL, LEAST))
        joint_TC = xp.einsum("tnl,ncl->tc", count_TNL, logs_NCL) + xp.log(xp.maximum(prior_C, LEAST))[None, :]
        top_T1 = xp.max(joint_TC, axis=1, keepdims=True)
        lifted_TC = xp.exp(joint_TC - top_T1)
        mass_T1 = xp.sum(lifted_TC, axis=1, keepdims=True)
        return lifted_TC / mass_T1, xp.sum(top_T1 + xp.log(mass_T1))

    posterior_TC = repeat(lambda posterior_TC: weigh(*learn(posterior_TC))[0], start_TC, iterations, like=count_TNL)
    prior_C, confusion_NCL = learn(posterior_TC)
    posterior_TC, log_likelihood = weigh(prior_C, confusion_NCL)
    return Fit(posterior_TC, prior_C, confusion_NCL, log_likelihood)


def dawid_skene(votes: Votes, candidates: int, iterations: int = 50, smoothing: float = 0.1) -> Decision:
    """The most probable truth of every task. The score is its posterior probability; nobody voted: -1.

    Confidences and weights are not read: what a node is worth is learned from all tasks together.
    """
    fit = fit_dawid_skene(mark_choices(votes, candidates), iterations, smoothing)
    xp = namespace(votes.answer_TN)
    return choose_best(fit.posterior_TC, xp.max(votes.answer_TN, axis=1) >= 0)
