"""Bradley-Terry: strengths of contestants from who beat whom, as chess ratings and model arenas use them.

P(i beats j) = g_i / (g_i + g_j). The strengths of greatest likelihood are found by the MM algorithm, which raises the
likelihood in every round and needs no step size.
"""

from typing import Any

import numpy as np

from consensus.aggregation.loops import repeat
from consensus.aggregation.votes import Decision, Votes, choose_best, spread_beliefs
from consensus.units import Array, namespace


def fit_strengths(wins_IJ: Array, iterations: int = 200, prior_wins: float = 0.0) -> Array:
    """Strengths g [..., I], which sum to 1, from wins [..., I, J]: how often i beat j (fractions of a win are fine).

    The diagonal is ignored. The likelihood has a maximum only if no group of contestants won, or lost, every game
    against the rest; if one may have, give every pair `prior_wins` wins each way. Who never played keeps strength
    relative to nobody and should be left out. `iterations` rounds are always done, so that it runs under `jit`.

    Source: Hunter, MM algorithms for generalized Bradley-Terry models (Annals of Statistics 32, 2004), equation (3).

    >>> fit_strengths(np.array([[0.0, 3.0], [1.0, 0.0]])).round(6).tolist()
    [0.75, 0.25]
    """
    xp = namespace(wins_IJ)
    contestants = wins_IJ.shape[-1]
    is_pair_IJ = (1 - xp.eye(contestants, dtype=wins_IJ.dtype))[(None,) * (wins_IJ.ndim - 2)]
    wins_IJ = (wins_IJ + prior_wins) * is_pair_IJ
    games_IJ = wins_IJ + xp.swapaxes(wins_IJ, -1, -2)
    won_I, played_I = xp.sum(wins_IJ, axis=-1), xp.sum(games_IJ, axis=-1)

    def climb(strength_I: Array) -> Array:
        pair_IJ = strength_I[..., :, None] + strength_I[..., None, :]
        # Two contestants without a win each have met at strength 0 + 0: their term is 0 / 0 and counts for nothing.
        met_IJ = games_IJ / xp.where(pair_IJ > 0, pair_IJ, 1)
        expected_I = xp.sum(xp.where(pair_IJ > 0, met_IJ, 0), axis=-1)
        raised_I = xp.where(played_I > 0, won_I / xp.where(expected_I > 0, expected_I, 1), strength_I)
        return raised_I / xp.sum(raised_I, axis=-1, keepdims=True)

    start_I = xp.ones_like(won_I) / contestants
    return repeat(climb, start_I, iterations, like=wins_IJ)


def wins_from_rankings(ranking_RI: Any, contestants: int) -> np.ndarray:
    """Wins [I,J] of rankings [R,I]: each lists contestants from best to worst, -1 after the last one it names.

    Who is named before another beat it once; who is not named did not play. Raises ValueError for a name outside
    0 to `contestants` - 1 or one named twice.
    """
    wins_IJ = np.zeros((contestants, contestants))
    for ranking in np.atleast_2d(np.asarray(ranking_RI, dtype=np.int64)):
        named = ranking[ranking >= 0]
        if (named >= contestants).any() or len(set(named.tolist())) < len(named):
            raise ValueError(f"the ranking {ranking.tolist()} must name contestants 0 to {contestants - 1} once each")
        for place, winner in enumerate(named):
            wins_IJ[winner, named[place + 1 :]] += 1
    return wins_IJ


def bradley_terry(votes: Votes, candidates: int, iterations: int = 200, clip: float = 1e-3) -> Decision:
    """The candidate with the greatest strength, when each vote is one game between every pair of candidates.

    A node that believes its choice with confidence p and the others equally, b its beliefs, gives i the share
    b_i / (b_i + b_j) of a win over j; p is held within `clip` to 1 - `clip`. The score is the strength, which sums to
    1; with one voter it is the voter's own belief. Nobody voted: -1.
    """
    xp = namespace(votes.answer_TN)
    belief_TNC = spread_beliefs(votes, candidates, clip)
    pair_TNCC = belief_TNC[:, :, :, None] + belief_TNC[:, :, None, :]
    share_TNCC = belief_TNC[:, :, :, None] / xp.where(pair_TNCC > 0, pair_TNCC, 1)
    strength_TC = fit_strengths(xp.sum(share_TNCC, axis=1), iterations)
    return choose_best(strength_TC, xp.max(votes.answer_TN, axis=1) >= 0)
