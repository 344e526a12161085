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
    logits = _masked_logits(rows, keys, spec)
    top = logits.max(axis=-1, keepdims=True)
    weight = jnp.exp(logits - _finite(top))
    return Softmax(top, weight.sum(axis=-1, keepdims=True), _weighted_values(weight, rows, keys, options))


def continue_softmax(
    state: Softmax, rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions
) -> Softmax:
    """The softmax after one more tile of keys."""
    logits = _masked_logits(rows, keys, spec)
    top = jnp.maximum(state.top_BKTR1, logits.max(axis=-1, keepdims=True))
    weight = jnp.exp(logits - _finite(top))
    shrink = jnp.exp(state.top_BKTR1 - _finite(top))
    return Softmax(
        top,
        state.total_BKTR1 * shrink + weight.sum(axis=-1, keepdims=True),
        state.weighted_BKTRD * shrink + _weighted_values(weight, rows, keys, options),
    )


def finish_softmax(state: Softmax) -> tuple[jax.Array, jax.Array]:
    """(out [B,T,H,D], norm [B,T,H,2]): norm is (top, log of the total), (0, -inf) for a row that saw nothing.

    Kept apart because their sum, the log-sum-exp, would round away the total under logits of thousands.
    """
    seen = state.total_BKTR1 > 0
    total = jnp.where(seen, state.total_BKTR1, 1)
    log_total = jnp.where(seen, jnp.log(total), -jnp.inf)
    norm = jnp.concatenate([_finite(state.top_BKTR1), log_total], axis=-1)
    return _heads_last(state.weighted_BKTRD / total), _heads_last(norm)


def tile_gradients(
    rows: Rows, keys: Keys, spec: SparseAttentionSpec, options: AttentionOptions, own_T: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What the tile adds to (dq [B,T,H,D], dk [B,S,K,D], dv [B,S,K,D]), in float32 or wider.

    `own_T` (boolean) says which rows count for dk and dv; None: all.
    """
    q, d_out, key_heads = rows.q_BTHD, rows.d_out_BTHD, keys.k_BSKD.shape[2]
    assert d_out is not None and rows.norm_BTH2 is not None and rows.delta_BTH is not None
    norm, delta = _heads_first(rows.norm_BTH2, key_heads), _heads_first(rows.delta_BTH[..., None], key_heads)
    probability = jnp.exp(_masked_logits(rows, keys, spec) - norm[..., :1] - norm[..., 1:])
    d_probability = _rows_by_keys(d_out, keys.v_BSKD)
    dropped = probability
    if rows.seeds_BTH2 is not None:
        keep = _keep(rows, keys, options)
        dropped, d_probability = probability * keep, d_probability * keep
    d_logits = (probability * (d_probability - delta) * _scale(rows)).astype(q.dtype)
    dq = _heads_last(_weigh_keys(d_logits, keys.k_BSKD))
    if own_T is not None:
        zero = jnp.zeros((), q.dtype)
        q, d_out = (jnp.where(own_T[None, :, None, None], x, zero) for x in (q, d_out))
    return dq, _weigh_rows(d_logits, q), _weigh_rows(dropped.astype(q.dtype), d_out)


def _scale(rows: Rows) -> jax.Array:
    return rows.scale_BT[:, :, None, None, None]


def _masked_logits(rows: Rows, keys: Keys, spec: SparseAttentionSpec) -> jax.Array:
    logits = _rows_by_keys(rows.q_BTHD, keys.k_BSKD) * _scale(rows)
    return jnp.where(allowed_pairs(spec, rows, keys)[:, None, :, None, :], logits, -jnp.inf)


def _weighted_values(weight_BKTRS: jax.Array, rows: Rows, keys: Keys, options: AttentionOptions) -> jax.Array:
    if rows.seeds_BTH2 is not None:
        weight_BKTRS = weight_BKTRS * _keep(rows, keys, options)
    return _weigh_keys(weight_BKTRS.astype(keys.v_BSKD.dtype), keys.v_BSKD)


def _keep(rows: Rows, keys: Keys, options: AttentionOptions) -> jax.Array:
    assert rows.seeds_BTH2 is not None
    seeds = _heads_first(rows.seeds_BTH2, keys.k_BSKD.shape[2])[:, :, :, :, None, :]
    row = rows.position_BT[:, None, :, None, None]
    key = keys.position_BS[:, None, None, None, :]
    return keep_multiplier(seeds, row, key, options.dropout_rate).astype(wide_dtype(rows.q_BTHD))


# The products see plain matrices: heads first, the rows of a group of heads merged. Left to einsum over five axes,
# XLA transposes every operand of every product on a CPU.


def _rows_by_keys(x_BTHD: jax.Array, y_BSKD: jax.Array) -> jax.Array:
    x_BKTRD = _heads_first(x_BTHD, y_BSKD.shape[2])
    product = _matmul("bkmd,bksd->bkms", _merged(x_BKTRD), y_BSKD.swapaxes(1, 2))
    return product.reshape(*x_BKTRD.shape[:4], y_BSKD.shape[1])


def _weigh_keys(weight_BKTRS: jax.Array, y_BSKD: jax.Array) -> jax.Array:
    product = _matmul("bkms,bksd->bkmd", _merged(weight_BKTRS), y_BSKD.swapaxes(1, 2))
    return product.reshape(*weight_BKTRS.shape[:4], y_BSKD.shape[3])


def _weigh_rows(weight_BKTRS: jax.Array, x_BTHD: jax.Array) -> jax.Array:
    x_BKTRD = _heads_first(x_BTHD, weight_BKTRS.shape[1])
    return _matmul("bkms,bkmd->bksd", _merged(weight_BKTRS), _merged(x_BKTRD)).swapaxes(1, 2)


def _heads_first(x_BTHX: jax.Array, key_heads: int) -> jax.Array:
    """[B,T,H,X] as [B,K,T,R,X]: the R query heads that share a key head beside each other."""
    batch, rows, heads, last = x_BTHX.shape
    return x_BTHX.reshape(batch, rows, key_heads, heads // key_heads, last).swapaxes(1, 2)


def _heads_last(x_BKTRX: jax.Array) -> jax.Array:
    batch, key_heads, rows, group, last = x_BKTRX.shape
    return x_BKTRX.swapaxes(1, 2).reshape(batch, rows, key_heads * group, last)


def _merged(x_BKTRX: jax.Array) -> jax.Array:
    batch, key_heads, rows, group, last = x_BKTRX.shape
    return x_BKTRX.reshape(batch, key_heads, rows * group, last)


def _matmul(letters: str, x: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.einsum(letters, x, y, preferred_element_type=wide_dtype(x))


def _finite(top: jax.Array) -> jax.Array:
    # exp(-inf - 0) is 0; exp(-inf - -inf) would be NaN.
    return jnp.where(top == -jnp.inf, 0, top)
