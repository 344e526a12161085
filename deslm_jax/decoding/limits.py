"""What an answer may look like, whatever the model thinks: how long, forced first and last tokens, no repeats.

Each rule is the one of the same name in Hugging Face `generate`, applied in the same order.
Shapes: X rows (of hypotheses), U places of an answer, V vocabulary.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Limits(NamedTuple):
    """Static: part of what a program is compiled for."""

    max_len: int  # U, tokens written at most, the end token included
    eos_id: int  # ends an answer
    pad_id: int  # fills what is behind the end
    start_id: int  # what the decoder reads first; it is not written
    min_len: int = 0  # tokens before the end token may come (`min_new_tokens`)
    forced_bos_id: int | None = None  # written first
    forced_eos_id: int | None = None  # written at the last place
    no_repeat_ngram: int = 0  # so many tokens in a row occur once at most, the start token counted; 0: no rule


def allow(limits: Limits, scores_XV: jax.Array, position: jax.Array, ids_XU: jax.Array) -> jax.Array:
    """Returns the scores with what is not allowed at `position` at -inf; float32 [X,V].

    `ids_XU` int32, what was written before `position`. A forced token scores 0, as in Hugging Face's beam search.
    """
    token_1V = jnp.arange(scores_XV.shape[-1], dtype=jnp.int32)[None]
    if limits.no_repeat_ngram:
        scores_XV = jnp.where(_would_repeat(limits, position, ids_XU, scores_XV.shape[-1]), -jnp.inf, scores_XV)
    if limits.min_len:
        scores_XV = jnp.where((token_1V == limits.eos_id) & (position < limits.min_len), -jnp.inf, scores_XV)
    for at, forced_id in ((0, limits.forced_bos_id), (limits.max_len - 1, limits.forced_eos_id)):
        if forced_id is not None:
            only_1V = jnp.where(token_1V == forced_id, 0.0, -jnp.inf).astype(scores_XV.dtype)
            scores_XV = jnp.where(position == at, only_1V, scores_XV)
    return scores_XV


def _would_repeat(limits: Limits, position: jax.Array, ids_XU: jax.Array, vocab_size: int) -> jax.Array:
    """Returns which tokens would complete a run of `no_repeat_ngram` tokens that is there already; bool [X,V]."""
    n, n_known = limits.no_repeat_ngram, position + 1
    known_XW = jnp.pad(ids_XU, ((0, 0), (1, 0)), constant_values=limits.start_id)
    n_runs = known_XW.shape[1] - n + 1
    if n_runs < 1:
        return jnp.zeros((ids_XU.shape[0], vocab_size), bool)
    same_XR = jnp.broadcast_to((jnp.arange(n_runs) + n - 1 < n_known)[None], (ids_XU.shape[0], n_runs))
    for i in range(n - 1):
        latest_X1 = jax.lax.dynamic_slice_in_dim(known_XW, n_known - (n - 1) + i, 1, axis=1)
        same_XR &= known_XW[:, i : i + n_runs] == latest_X1
    row_X1 = jnp.arange(ids_XU.shape[0])[:, None]
    return jnp.zeros((ids_XU.shape[0], vocab_size), bool).at[row_X1, known_XW[:, n - 1 :]].max(same_XR)
