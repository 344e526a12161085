"""Beam search around a step that is an argument: N hypotheses of each row side by side, the best finished ones kept.

The bookkeeping is that of Hugging Face `generate` (5.x), so that scores and tokens are the same; `methods.Beam` says
when a row stops. Shapes: B rows, N hypotheses, M = 2 N candidates, U places of an answer, V vocabulary.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from deslm_jax.decoding.answers import Generation, State, Step
from deslm_jax.decoding.limits import Limits, allow
from deslm_jax.decoding.methods import Beam

Follow = Callable[[State, jax.Array], State]  # (state, parent_BN) -> the state of the hypotheses' children
_NEVER = -1e9  # finite: an excluded score must still be comparable and divisible
_REAL = -5e8  # what is below is no hypothesis, only a place kept for one


class _Hypotheses(NamedTuple):
    score_BN: jax.Array  # float32; of live ones the sum of log-probabilities, of finished ones over length ** penalty
    ids_BNU: jax.Array  # int32
    log_probability_BNU: jax.Array  # float32, the model's own, of each token
    length_BN: jax.Array  # int32
    ended_BN: jax.Array  # bool, by the end token


class _Search(NamedTuple):
    position: jax.Array  # int32 scalar, next place to write
    last_BN: jax.Array  # int32, what the hypotheses wrote last
    state: State
    live: _Hypotheses
    finished: _Hypotheses  # best first
    improvable_B: jax.Array  # bool, whether a live hypothesis could still become better than a finished one


def search(
    step: Step, follow: Follow, state: State, n_rows: int, limits: Limits, method: Beam, length_penalty: jax.Array
) -> Generation:
    """Returns the `method.n_best` best answers to each row, neighbours in the result, best first.

    `length_penalty` float32 scalar is used instead of the method's, so that it need not be static. A place for which
    there is no answer (a vocabulary with fewer than `n` sequences) has length 0 and the score -1e9.
    """
    nothing = _no_hypotheses(n_rows, method.n, limits)
    # One live hypothesis at first: n equal ones would stay equal.
    first = nothing._replace(score_BN=nothing.score_BN.at[:, 0].set(0.0))
    last_BN = jnp.full((n_rows, method.n), limits.start_id, jnp.int32)
    start = _Search(jnp.int32(0), last_BN, state, first, nothing, jnp.ones((n_rows,), bool))
    unfinished = lambda at: (at.position < limits.max_len) & jnp.any(_is_open(at, method))
    advance = partial(_advance, step, follow, limits, method, length_penalty)
    best = jax.lax.while_loop(unfinished, advance, start).finished
    best = jax.tree.map(lambda leaf: jnp.reshape(leaf[:, : method.n_best], (-1, *leaf.shape[2:])), best)
    total_B = jnp.sum(best.log_probability_BNU, axis=-1)
    return Generation(best.ids_BNU, best.length_BN, best.log_probability_BNU, total_B, best.ended_BN, best.score_BN)


def _no_hypotheses(n_rows: int, n: int, limits: Limits) -> _Hypotheses:
    return _Hypotheses(
        jnp.full((n_rows, n), _NEVER, jnp.float32),
        jnp.full((n_rows, n, limits.max_len), limits.pad_id, jnp.int32),
        jnp.zeros((n_rows, n, limits.max_len), jnp.float32),
        jnp.zeros((n_rows, n), jnp.int32),
        jnp.zeros((n_rows, n), bool),
    )


def _is_open(at: _Search, method: Beam) -> jax.Array:
    """Returns whether a row's finished answers may still change, bool [B]."""
    full_B = jnp.all(at.finished.length_BN > 0, axis=1)
    return at.improvable_B & ~full_B if method.early_stopping is True else at.improvable_B


def _advance(
    step: Step, follow: Follow, limits: Limits, method: Beam, length_penalty: jax.Array, at: _Search
) -> _Search:
    """Extends every hypothesis by one token."""
    logits_BNV, state = step(at.last_BN, at.position, at.state)
    candidates, parent_BM = _candidates(limits, at.live, logits_BNV, at.position)
    length = at.position + 1
    ends_BM = candidates.ended_BN | (length == limits.max_len)

    survivors_BN = jax.lax.top_k(jnp.where(ends_BM, _NEVER, candidates.score_BN), method.n)[1]
    live = _pick(candidates, survivors_BN)
    live = live._replace(score_BN=jnp.where(_take(ends_BM, survivors_BN), _NEVER, live.score_BN))
    last_BN = jax.lax.dynamic_index_in_dim(live.ids_BNU, at.position, axis=2, keepdims=False)
    state = follow(state, _take(parent_BM, survivors_BN))

    finished = _finish(at, candidates, ends_BM, method, length.astype(jnp.float32) ** length_penalty)
    reached = jnp.where(length_penalty > 0, limits.max_len, length) if method.early_stopping == "never" else length
    could_become_B = live.score_BN[:, 0] / reached.astype(jnp.float32) ** length_penalty
    improvable_B = at.improvable_B & (could_become_B > jnp.min(finished.score_BN, axis=1))
    return _Search(length, last_BN, state, live, finished, improvable_B)


def _candidates(
    limits: Limits, live: _Hypotheses, logits_BNV: jax.Array, position: jax.Array
) -> tuple[_Hypotheses, jax.Array]:
    """Returns (the 2 n best continuations of each row, best first; the hypothesis each continues, int32 [B,M])."""
    rows, n, vocab_size = logits_BNV.shape
    own_BNV = jax.nn.log_softmax(logits_BNV, axis=-1)
    flat = lambda x: jnp.reshape(x, (rows * n, x.shape[-1]))
    allowed_BNV = jnp.reshape(allow(limits, flat(own_BNV), position, flat(live.ids_BNU)), own_BNV.shape)
    total_BX = jnp.reshape(live.score_BN[..., None] + allowed_BNV, (rows, n * vocab_size))
    score_BM, index_BM = jax.lax.top_k(total_BX, 2 * n)
    parent_BM, token_BM = jnp.divmod(index_BM.astype(jnp.int32), vocab_size)
    own_BM = _take(jnp.reshape(own_BNV, total_BX.shape), index_BM)
    put = lambda past, new_BM: jax.lax.dynamic_update_slice_in_dim(past, new_BM[..., None], position, axis=2)
    candidates = _Hypotheses(
        score_BM,
        put(_take(live.ids_BNU, parent_BM), token_BM),
        put(_take(live.log_probability_BNU, parent_BM), own_BM),
        jnp.broadcast_to(position + 1, score_BM.shape),
        token_BM == limits.eos_id,
    )
    return candidates, parent_BM


def _finish(at: _Search, candidates: _Hypotheses, ends_BM: jax.Array, method: Beam, divisor: jax.Array) -> _Hypotheses:
    """Returns the best of what was finished and of what ends now; a row that is no longer open keeps what it has."""
    among_first_1M = (jnp.arange(2 * method.n) < method.n)[None]
    counts_BM = ends_BM & among_first_1M & _is_open(at, method)[:, None] & (candidates.score_BN > _REAL)
    ending = candidates._replace(
        score_BN=jnp.where(counts_BM, candidates.score_BN / divisor, _NEVER),
        length_BN=jnp.where(counts_BM, candidates.length_BN, 0),
    )
    both = jax.tree.map(lambda old, new: jnp.concatenate([old, new], axis=1), at.finished, ending)
    return _pick(both, jax.lax.top_k(both.score_BN, method.n)[1])


def _pick(hypotheses: _Hypotheses, index_BN: jax.Array) -> _Hypotheses:
    return jax.tree.map(lambda leaf: _take(leaf, index_BN), hypotheses)


def _take(leaf: jax.Array, index_BN: jax.Array) -> jax.Array:
    """Returns leaf[b, index_BN[b, n]]."""
    index = jnp.reshape(index_BN, (*index_BN.shape, *(1,) * (leaf.ndim - 2)))
    return jnp.take_along_axis(leaf, index, axis=1)
