"""Synthetic votes whose truth is known: independent nodes, liars about their skill, clones, and colluding minorities.

Honest nodes have a skill drawn once (.35 to .85) and say it as their confidence, so they are calibrated; a wrong answer
is any of the others alike. Weights are exponential and independent of skill: stake proves nothing about knowledge.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from consensus.aggregation.votes import Votes, make_votes

SKILLS = (0.35, 0.85)
COLLUDERS, WHALES = 1 / 3, 1 / 5  # shares of the nodes
WHALE_WEIGHT = 0.6  # share of all weight that the whales hold
CLONE_COPIES = 0.7  # probability that a clone says what its model says, not what it would say alone
FAMILIES = 3
BOAST = 0.99


class Pool(NamedTuple):
    """Votes and what is true."""

    votes: Votes
    truth_T: np.ndarray  # the right answer of every task
    candidates: int
    skill_N: np.ndarray  # P(right) of a node that answers alone


def make_pool(name: str, tasks: int = 2_000, nodes: int = 15, candidates: int = 4, seed: int = 0) -> Pool:
    """The pool of this name (`POOLS`); a function of its arguments alone. Raises ValueError for an unknown name."""
    if name not in POOLS:
        raise ValueError(f"there is no pool {name!r}; there are {', '.join(POOLS)}")
    rng = np.random.default_rng([seed, list(POOLS).index(name)])
    truth_T = rng.integers(candidates, size=tasks)
    skill_N = rng.uniform(*SKILLS, size=nodes)
    answer_TN = _answer(rng, truth_T, np.tile(skill_N, (tasks, 1)), candidates)
    votes = make_votes(answer_TN, candidates, np.tile(skill_N, (tasks, 1)), rng.exponential(size=nodes))
    return POOLS[name](rng, Pool(votes, truth_T, candidates, skill_N))


def _answer(rng: np.random.Generator, truth_T: np.ndarray, skill_TN: np.ndarray, candidates: int) -> np.ndarray:
    """Independent answers [T,N]: right with the given probability, else any of the others."""
    wrong_TN = (truth_T[:, None] + rng.integers(1, candidates, size=skill_TN.shape)) % candidates
    return np.where(rng.random(skill_TN.shape) < skill_TN, truth_T[:, None], wrong_TN)


def _keep(_: np.random.Generator, pool: Pool) -> Pool:
    """Independent and calibrated."""
    return pool


def _boast(_: np.random.Generator, pool: Pool) -> Pool:
    """The less able third claims .99."""
    worst_N = np.argsort(pool.skill_N)[: len(pool.skill_N) // 3]
    return _replace(pool, worst_N, confidence=BOAST)


def _clone(rng: np.random.Generator, pool: Pool) -> Pool:
    """Nodes are clones of three models: a model answers each task once, at the mean skill of its clones."""
    answer_TN = pool.votes.answer_TN.copy()
    for clones_F in np.array_split(np.arange(answer_TN.shape[1]), min(FAMILIES, answer_TN.shape[1])):
        skill_T1 = np.full((len(pool.truth_T), 1), pool.skill_N[clones_F].mean())
        model_T1 = _answer(rng, pool.truth_T, skill_T1, pool.candidates)
        copies_TF = rng.random((len(pool.truth_T), len(clones_F))) < CLONE_COPIES
        answer_TN[:, clones_F] = np.where(copies_TF, model_T1, answer_TN[:, clones_F])
    return pool._replace(votes=pool.votes._replace(answer_TN=answer_TN))


def _collude(rng: np.random.Generator, pool: Pool) -> Pool:
    """A third of the nodes, chosen by lot, says the same wrong answer of each task, with confidence .99."""
    ring_N = rng.permutation(len(pool.skill_N))[: round(COLLUDERS * len(pool.skill_N))]
    return _replace(pool, ring_N, answer_T=_pick_lie(rng, pool), confidence=BOAST)


def _buy(rng: np.random.Generator, pool: Pool) -> Pool:
    """A fifth of the nodes colludes so, and holds three fifths of the weight."""
    ring_N = rng.permutation(len(pool.skill_N))[: round(WHALES * len(pool.skill_N))]
    weight_N = pool.votes.weight_N.copy()
    others = weight_N.sum() - weight_N[ring_N].sum()
    weight_N[ring_N] = others * WHALE_WEIGHT / (1 - WHALE_WEIGHT) / max(len(ring_N), 1)
    pool = pool._replace(votes=pool.votes._replace(weight_N=weight_N))
    return _replace(pool, ring_N, answer_T=_pick_lie(rng, pool), confidence=BOAST)


def _pick_lie(rng: np.random.Generator, pool: Pool) -> np.ndarray:
    """One wrong answer a task [T]."""
    return (pool.truth_T + rng.integers(1, pool.candidates, size=len(pool.truth_T))) % pool.candidates


def _replace(pool: Pool, node_N: np.ndarray, confidence: float, answer_T: np.ndarray | None = None) -> Pool:
    """The pool with some nodes' confidences, and their answers, replaced."""
    answer_TN, confidence_TN = pool.votes.answer_TN.copy(), pool.votes.confidence_TN.copy()
    confidence_TN[:, node_N] = confidence
    if answer_T is not None:
        answer_TN[:, node_N] = answer_T[:, None]
    return pool._replace(votes=pool.votes._replace(answer_TN=answer_TN, confidence_TN=confidence_TN))


POOLS: dict[str, Callable[[np.random.Generator, Pool], Pool]] = {
    "independent": _keep,
    "boasting third": _boast,
    "three clone families": _clone,
    "colluding third": _collude,
    "whales with .6 of stake": _buy,
}
