"""Synthetic votes whose truth is known: independent nodes, liars about their skill, clones, and colluding minorities.

Honest nodes have a skill drawn once (.35 to .85) and say it as their confidence, so they are calibrated; a wrong answer
is any of the others alike. Weights are exponential and independent of skill: stake proves nothing about knowledge.
What a kind of pool changes has one dial, its strength, so that it can be swept.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from consensus.aggregation.votes import Votes, make_votes

SKILLS = (0.35, 0.85)
FAMILIES = 3  # of clones
WHALES = 1 / 5  # share of the nodes
BOAST = 0.99


class Pool(NamedTuple):
    """Votes and what is true."""

    votes: Votes
    truth_T: np.ndarray  # the right answer of every task
    candidates: int
    skill_N: np.ndarray  # P(right) of a node that answers alone


class Kind(NamedTuple):
    """A kind of pool: what is done to independent votes, and how much."""

    change: Callable[[np.random.Generator, Pool, float], Pool]
    strength: float  # 0 to 1, the default
    meaning: str  # of the strength


def make_pool(
    name: str, tasks: int = 2_000, nodes: int = 15, candidates: int = 4, seed: int = 0, strength: float | None = None
) -> Pool:
    """The pool of this kind (`POOLS`); a function of its arguments alone. `strength` None: the kind's default.

    Raises ValueError for an unknown kind or a strength outside 0 to 1.
    """
    if name not in POOLS:
        raise ValueError(f"there is no kind of pool {name!r}; there are {', '.join(POOLS)}")
    kind = POOLS[name]
    strength = kind.strength if strength is None else strength
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength {strength} of {name} is outside 0 to 1; it is {kind.meaning}")
    rng = np.random.default_rng([seed, list(POOLS).index(name)])
    truth_T = rng.integers(candidates, size=tasks)
    skill_N = rng.uniform(*SKILLS, size=nodes)
    answer_TN = _answer(rng, truth_T, np.tile(skill_N, (tasks, 1)), candidates)
    votes = make_votes(answer_TN, candidates, np.tile(skill_N, (tasks, 1)), rng.exponential(size=nodes))
    return kind.change(rng, Pool(votes, truth_T, candidates, skill_N), strength)


def _answer(rng: np.random.Generator, truth_T: np.ndarray, skill_TN: np.ndarray, candidates: int) -> np.ndarray:
    """Independent answers [T,N]: right with the given probability, else any of the others."""
    wrong_TN = (truth_T[:, None] + rng.integers(1, candidates, size=skill_TN.shape)) % candidates
    return np.where(rng.random(skill_TN.shape) < skill_TN, truth_T[:, None], wrong_TN)


def _keep(rng: np.random.Generator, pool: Pool, strength: float) -> Pool:
    """Independent and calibrated."""
    return pool


def _boast(rng: np.random.Generator, pool: Pool, strength: float) -> Pool:
    """The least able nodes claim .99."""
    worst_N = np.argsort(pool.skill_N)[: round(strength * len(pool.skill_N))]
    return _replace(pool, worst_N)


def _clone(rng: np.random.Generator, pool: Pool, strength: float) -> Pool:
    """Nodes are clones of three models: a model answers each task once, at the mean skill of its clones."""
    answer_TN = pool.votes.answer_TN.copy()
    for clones_F in np.array_split(np.arange(answer_TN.shape[1]), min(FAMILIES, answer_TN.shape[1])):
        skill_T1 = np.full((len(pool.truth_T), 1), pool.skill_N[clones_F].mean())
        model_T1 = _answer(rng, pool.truth_T, skill_T1, pool.candidates)
        copies_TF = rng.random((len(pool.truth_T), len(clones_F))) < strength
        answer_TN[:, clones_F] = np.where(copies_TF, model_T1, answer_TN[:, clones_F])
    return pool._replace(votes=pool.votes._replace(answer_TN=answer_TN))


def _collude(rng: np.random.Generator, pool: Pool, strength: float) -> Pool:
    """Some nodes, chosen by lot, say the same wrong answer of each task, with confidence .99."""
    ring_N = rng.permutation(len(pool.skill_N))[: round(strength * len(pool.skill_N))]
    return _replace(pool, ring_N, answer_T=_pick_lie(rng, pool))


def _buy(rng: np.random.Generator, pool: Pool, strength: float) -> Pool:
    """A fifth of the nodes colludes so, and holds this much of the weight (never quite all)."""
    ring_N = rng.permutation(len(pool.skill_N))[: round(WHALES * len(pool.skill_N))]
    weight_N = pool.votes.weight_N.copy()
    others = weight_N.sum() - weight_N[ring_N].sum()
    weight_N[ring_N] = others * strength / max(1 - strength, 1e-6) / max(len(ring_N), 1)
    pool = pool._replace(votes=pool.votes._replace(weight_N=weight_N))
    return _replace(pool, ring_N, answer_T=_pick_lie(rng, pool))


def _pick_lie(rng: np.random.Generator, pool: Pool) -> np.ndarray:
    """One wrong answer a task [T]."""
    return (pool.truth_T + rng.integers(1, pool.candidates, size=len(pool.truth_T))) % pool.candidates


def _replace(pool: Pool, node_N: np.ndarray, answer_T: np.ndarray | None = None) -> Pool:
    """The pool in which some nodes are sure, and say these answers if any are given."""
    answer_TN, confidence_TN = pool.votes.answer_TN.copy(), pool.votes.confidence_TN.copy()
    confidence_TN[:, node_N] = BOAST
    if answer_T is not None:
        answer_TN[:, node_N] = answer_T[:, None]
    return pool._replace(votes=pool.votes._replace(answer_TN=answer_TN, confidence_TN=confidence_TN))


POOLS = {
    "independent": Kind(_keep, 0.0, "without meaning here"),
    "boasters": Kind(_boast, 1 / 3, "the share of the nodes that claim .99"),
    "clones": Kind(_clone, 0.7, "the probability that a node says what its model says, not what it would say alone"),
    "colluders": Kind(_collude, 1 / 3, "the share of the nodes that lie together"),
    "whales": Kind(_buy, 0.6, "the share of the weight that a fifth of the nodes, who lie together, holds"),
}
