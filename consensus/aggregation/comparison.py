"""Every rule on the same votes: how often each is right, and how often it says nothing."""

from collections.abc import Iterable
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from consensus.aggregation.door import RULES, aggregate
from consensus.aggregation.law import learn_voices
from consensus.aggregation.pools import POOLS, Pool, make_pool
from consensus.aggregation.votes import Votes

# Rules that are told the truth of the first, audited tasks.
AUDITED = "law, voices learned"  # R4 learns how much each node's confidence is worth
MEASURED = "log-odds, skills measured"  # each node's share of right answers replaces the confidence it states


class Score(NamedTuple):
    """One rule on one kind of pool."""

    pool: str
    rule: str
    accuracy: float  # right answers / tasks, mean over seeds; a task without an answer is not right
    abstained: float  # tasks without an answer / tasks
    error: float  # standard error of the accuracy over seeds, 0 for one seed


def score(pool: Pool, rule: str, jit: bool = False, **settings: Any) -> tuple[float, float]:
    """Accuracy and share of abstentions of one rule on one pool; `jit` runs it compiled on JAX."""
    if jit:
        import jax

        with jax.enable_x64(True):
            run = jax.jit(aggregate, static_argnums=(0, 2))
            answer_T = np.asarray(run(rule, pool.votes, pool.candidates, **settings).answer_T)
    else:
        answer_T = aggregate(rule, pool.votes, pool.candidates, **settings).answer_T
    return float((answer_T == pool.truth_T).mean()), float((answer_T < 0).mean())


def score_best_node(pool: Pool) -> float:
    """Accuracy of the node that was right most often: a choice that nobody can make beforehand."""
    return float((pool.votes.answer_TN == pool.truth_T[:, None]).mean(axis=0).max())


def measure_skills(votes: Votes, truth_T: np.ndarray, candidates: int) -> np.ndarray:
    """Each node's probability [N] of being right, from tasks whose truth is known, by Laplace's rule of succession.

    Beforehand everybody has given as many answers as there are candidates, one of them right.
    """
    right_N = (votes.answer_TN == truth_T[:, None]).sum(axis=0)
    answered_N = (votes.answer_TN >= 0).sum(axis=0)
    return np.asarray((right_N + 1) / (answered_N + candidates))


def compare(
    rules: Iterable[str] = (*RULES, AUDITED, MEASURED),
    pools: Iterable[str] = tuple(POOLS),
    seeds: Iterable[int] = range(10),
    tasks: int = 1_000,
    audits: int = 200,
    jit: bool = False,
    **size: Any,
) -> list[Score]:
    """Every rule on every kind of pool, the same votes for all; one `Score` a pair, and one for the best single node.

    Each seed draws other skills, weights and votes of `tasks` tasks, and `audits` tasks before them, from which
    `AUDITED` and `MEASURED` learn and which count for nobody. `size`: `nodes`, `candidates`, `strength` of `make_pool`.

    >>> [one] = [s for s in compare(["majority"], ["independent"], seeds=[0], tasks=200) if s.rule == "majority"]
    >>> one.accuracy > 0.9
    True
    """
    scores = []
    for name in pools:
        drawn = [_split(make_pool(name, audits + tasks, seed=seed, **size), audits) for seed in seeds]
        for rule in rules:
            results = [_score_informed(rule, told, pool, jit) for told, pool in drawn]
            scores.append(_summarise(name, rule, results))
        scores.append(_summarise(name, "best node", [(score_best_node(pool), 0.0) for _, pool in drawn]))
    return scores


def _score_informed(rule: str, told: Pool, pool: Pool, jit: bool) -> tuple[float, float]:
    """The score of a rule on a pool, after it has read the audited tasks if it is one that does."""
    if rule == AUDITED:
        return score(pool, "law", jit, beta=learn_voices(told.votes, told.truth_T))
    if rule == MEASURED:
        skill_N = measure_skills(told.votes, told.truth_T, told.candidates)
        votes = pool.votes._replace(confidence_TN=np.tile(skill_N, (len(pool.truth_T), 1)))
        return score(pool._replace(votes=votes), "log-odds", jit)
    return score(pool, rule, jit)


def _split(pool: Pool, audits: int) -> tuple[Pool, Pool]:
    """The first tasks and the rest."""
    part = lambda where: pool._replace(
        votes=pool.votes._replace(answer_TN=pool.votes.answer_TN[where], confidence_TN=pool.votes.confidence_TN[where]),
        truth_T=pool.truth_T[where],
    )
    return part(slice(audits)), part(slice(audits, None))


def _summarise(pool: str, rule: str, results: list[tuple[float, float]]) -> Score:
    accuracy_S, abstained_S = np.array(results).T
    error = float(accuracy_S.std(ddof=1)) / sqrt(len(results)) if len(results) > 1 else 0.0
    return Score(pool, rule, float(accuracy_S.mean()), float(abstained_S.mean()), error)
