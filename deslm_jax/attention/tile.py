"""One tile of the attention matrix: some rows against some keys, forward and backward.

Softmax is kept online as (top, total, weighted sum), Milakov & Gimelshein 2018; the backward recomputes probabilities
from the log-sum-exp, Dao et al. 2022. Logits are [B,K,T,R,S]: examples, key heads, rows, query heads a key head, keys.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from deslm_jax.attention.dropout import keep_multiplier
from deslm_jax.attention.inputs import AttentionOptions, wide_dtype
from deslm_jax.attention.mask import SparseAttentionSpec
from deslm_jax.attention.parts import Keys, Rows


class Softmax(NamedTuple):
    """A softmax under way over the keys seen so far."""

    top_BKTR1: jax.Array  # largest logit, -inf while nothing is allowed
    total_BKTR1: jax.Array  # sum of exp(logit - top)
    weighted_BKTRD: jax.Array  # sum of exp(logit - top) * keep * v


def allowed_pairs(spec: SparseAttentionSpec, rows: Rows, keys: Keys) -> jax.Array:
    """Which pairs of the tile attend: boolean [B or 1, T, S]."""
    offset = keys.position_BS[:, None, :] - rows.position_BT[:, :, None]
    allowed = spec.in_band(offset)
    if keys.is_column_BS is not None:
        # The band has its own copy of a global key: a column serves the rows whose window misses it.
        allowed = allowed ^ keys.is_column_BS[:, None, :]
    if rows.is_global_BT is not None and keys.is_global_BS is not None:
        allowed = allowed | rows.is_global_BT[:, :, None] | keys.is_global_BS[:, None, :]
    if spec.causal and (keys.is_column_BS is not None or keys.is_global_BS is not None):
        allowed = allowed & (offset <= 0)
    if rows.segment_BT is not None and keys.segment_BS is not None:
        # One comparison a pair for both questions: no row has segment -1.
        segment = keys.segment_BS if keys.used_BS is None else jnp.where(keys.used_BS, keys.segment_BS, -1)
        allowed = allowed & (rows.segment_BT[:, :, None] == segment[:, None, :])
    elif keys.used_BS is not None:
        allowed = allowed & keys.used_BS[:, None, :]
    return allowed


def start_softmax(rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions) -> Softmax:
    """The softmax over the first (or only) tile of keys."""
    logits = _masked_logits(rows, keys, spec, options)
    top = logits.max(axis=-1, keepdims=True)
    weight = jnp.exp(logits - _finite(top))
    return Softmax(top, weight.sum(axis=-1, keepdims=True), _weighted_values(weight, rows, keys, options))


def continue_softmax(
    state: Softmax, rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions
) -> Softmax:
    """The softmax after one more tile of keys."""
    logits = _masked_logits(rows, keys, spec, options)
    top = jnp.maximum(state.top_BKTR1, logits.max(axis=-1, keepdims=True))
    weight = jnp.exp(logits - _finite(top))
    shrink = jnp.exp(state.top_BKTR1 - _finite(top))
    return Softmax(
        top,
        state.total_BKTR1 * shrink + weight.sum(axis=-1, keepdims=True),
        state.weighted_BKTRD * shrink + _weighted_values(weight, rows, keys, options),
    )


def finish_softmax(state: Softmax) -> tuple[jax.Array, jax.Array]:
    """(out [B,T,K,R,D], lse [B,T,K,R]); a row that saw nothing is 0 and -inf."""
    seen = state.total_BKTR1 > 0
    total = jnp.where(seen, state.total_BKTR1, 1)
    out = state.weighted_BKTRD / total
    lse = jnp.where(seen, jnp.log(total) + state.top_BKTR1, -jnp.inf)[..., 0]
    return out.swapaxes(1, 2), lse.swapaxes(1, 2)


def tile_gradients(
    rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions, own_T: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What the tile adds to (dq [B,T,K,R,D], dk [B,S,K,D], dv [B,S,K,D]), in float32 or wider.

    `own_T` (boolean) says which rows count for dk and dv; None: all.
    """
    q, d_out = rows.q_BTKRD, rows.d_out_BTKRD
    assert d_out is not None and rows.lse_BTKR is not None and rows.delta_BTKR is not None
    wide = rows.lse_BTKR.dtype
    lse, delta = (x.swapaxes(1, 2)[..., None] for x in (rows.lse_BTKR, rows.delta_BTKR))
    probability = jnp.exp(_masked_logits(rows, keys, spec, options) - lse)
    d_probability = jnp.einsum("btkrd,bskd->bktrs", d_out, keys.v_BSKD, preferred_element_type=wide)
    dropped = probability
    if rows.seeds_BTKR2 is not None:
        keep = _keep(rows, keys, options)
        dropped, d_probability = probability * keep, d_probability * keep
    d_logits = (probability * (d_probability - delta) * options.scale).astype(q.dtype)
    dq = jnp.einsum("bktrs,bskd->btkrd", d_logits, keys.k_BSKD, preferred_element_type=wide)
    if own_T is not None:
        zero = jnp.zeros((), q.dtype)
        q, d_out = (jnp.where(own_T[None, :, None, None, None], x, zero) for x in (q, d_out))
    dk = jnp.einsum("bktrs,btkrd->bskd", d_logits, q, preferred_element_type=wide)
    dv = jnp.einsum("bktrs,btkrd->bskd", dropped.astype(q.dtype), d_out, preferred_element_type=wide)
    return dq, dk, dv


def _masked_logits(rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions) -> jax.Array:
    wide = wide_dtype(rows.q_BTKRD)
    logits = jnp.einsum("btkrd,bskd->bktrs", rows.q_BTKRD, keys.k_BSKD, preferred_element_type=wide) * options.scale
    return jnp.where(allowed_pairs(spec, rows, keys)[:, None, :, None, :], logits, -jnp.inf)


def _weighted_values(weight_BKTRS: jax.Array, rows: Rows, keys: Keys, options: AttentionOptions) -> jax.Array:
    wide = weight_BKTRS.dtype
    if rows.seeds_BTKR2 is not None:
        weight_BKTRS = weight_BKTRS * _keep(rows, keys, options)
    return jnp.einsum(
        "bktrs,bskd->bktrd", weight_BKTRS.astype(keys.v_BSKD.dtype), keys.v_BSKD, preferred_element_type=wide
    )


def _keep(rows: Rows, keys: Keys, options: AttentionOptions) -> jax.Array:
    assert rows.seeds_BTKR2 is not None
    seeds = rows.seeds_BTKR2.swapaxes(1, 2)[:, :, :, :, None, :]
    row = rows.position_BT[:, None, :, None, None]
    key = keys.position_BS[:, None, None, None, :]
    return keep_multiplier(seeds, row, key, options.dropout_rate).astype(wide_dtype(rows.q_BTKRD))


def _finite(top: jax.Array) -> jax.Array:
    # exp(-inf - 0) is 0; exp(-inf - -inf) would be NaN.
    return jnp.where(top == -jnp.inf, 0, top)
