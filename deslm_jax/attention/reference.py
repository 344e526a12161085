"""The dense oracle: the semantics written out with the whole T x S matrix. Slow, obvious, differentiable by JAX.

Runs in the precision of its inputs, at least float32: float64 arrays under `jax.enable_x64(True)` give the oracle
that the tests measure every other implementation against.
"""

import jax
import jax.numpy as jnp

from deslm_jax.attention.dropout import keep_multiplier
from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions, scale_of_examples, wide_dtype
from deslm_jax.attention.mask import SparseAttentionSpec, allowed_mask, is_global_position, valid_positions


def attend_dense(
    inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions
) -> tuple[jax.Array, jax.Array]:
    """Attention through the full mask: (out [B,T,H,D] in q's dtype, lse [B,T,H] float32 or wider)."""
    n_rows, n_keys = inputs.q_BTHD.shape[1], inputs.k_BSKD.shape[1]
    allowed_BTS = allowed_mask(
        spec,
        n_rows,
        n_keys,
        global_idx=inputs.global_idx_BG,
        segment_ids=inputs.segment_ids_BT,
        kv_len=inputs.kv_len_B,
    )
    valid_BS = valid_positions(n_keys, inputs.segment_ids_BT, inputs.kv_len_B)
    valid_BT = None if inputs.segment_ids_BT is None else inputs.segment_ids_BT >= 0
    row_T = jnp.arange(n_rows, dtype=jnp.int32)[None]
    q_BTHD = _zero_padding(inputs.q_BTHD, valid_BT)
    k_BSKD, v_BSKD = (_zero_padding(x, valid_BS) for x in (inputs.k_BSKD, inputs.v_BSKD))
    out, lse = _softmax_rows(q_BTHD, k_BSKD, v_BSKD, allowed_BTS, row_T, inputs, options)
    if inputs.q_global_BGHD is None or inputs.q_global_BGHD.shape[1] == 0:
        return out, lse

    assert inputs.global_idx_BG is not None and inputs.k_global_BSKD is not None and inputs.v_global_BSKD is not None
    position_BG = jnp.clip(inputs.global_idx_BG, 0, n_rows - 1)
    allowed_BGS = jnp.take_along_axis(
        jnp.broadcast_to(allowed_BTS, (q_BTHD.shape[0], n_rows, n_keys)), position_BG[:, :, None], axis=1
    )
    is_global_BT = is_global_position(inputs.global_idx_BG, n_rows, valid_BS)
    used_BG = jnp.take_along_axis(is_global_BT, position_BG, axis=1) & (inputs.global_idx_BG >= 0)
    q_global = _zero_padding(inputs.q_global_BGHD, used_BG)
    k_global, v_global = (_zero_padding(x, valid_BS) for x in (inputs.k_global_BSKD, inputs.v_global_BSKD))
    rows, rows_lse = _softmax_rows(q_global, k_global, v_global, allowed_BGS, position_BG, inputs, options)
    # A position named twice takes its first slot: argmax finds the first True.
    slot_BT = (inputs.global_idx_BG[:, :, None] == row_T[:, None, :]).argmax(axis=1)
    rows = jnp.take_along_axis(rows, slot_BT[:, :, None, None], axis=1)
    rows_lse = jnp.take_along_axis(rows_lse, slot_BT[:, :, None], axis=1)
    is_global = is_global_BT[:, :, None]
    return jnp.where(is_global[..., None], rows, out), jnp.where(is_global, rows_lse, lse)


def _zero_padding(x_BLHD: jax.Array, valid_BL: jax.Array | None) -> jax.Array:
    # A NaN in padding would survive multiplication by a zero probability, and in every gradient.
    return x_BLHD if valid_BL is None else jnp.where(valid_BL[:, :, None, None], x_BLHD, jnp.zeros((), x_BLHD.dtype))


def _softmax_rows(
    q_BTHD: jax.Array,
    k_BSKD: jax.Array,
    v_BSKD: jax.Array,
    allowed_BTS: jax.Array,
    row_BT: jax.Array,
    inputs: AttentionInputs,
    options: AttentionOptions,
) -> tuple[jax.Array, jax.Array]:
    batch, n_rows, heads, width = q_BTHD.shape
    n_keys, key_heads = k_BSKD.shape[1:3]
    wide = wide_dtype(q_BTHD)
    q_BTKRD = q_BTHD.reshape(batch, n_rows, key_heads, heads // key_heads, width)
    logits = jnp.einsum("btkrd,bskd->btkrs", q_BTKRD, k_BSKD, preferred_element_type=wide)
    logits = logits * scale_of_examples(inputs, options)[:, None, None, None, None]
    allowed = allowed_BTS[:, :, None, None, :]
    top = jnp.max(logits, axis=-1, keepdims=True, where=allowed, initial=-jnp.inf)
    top = jax.lax.stop_gradient(jnp.where(top == -jnp.inf, 0, top))
    # The inner `where` keeps the gradient of exp finite on forbidden pairs.
    weight = jnp.where(allowed, jnp.exp(jnp.where(allowed, logits - top, 0)), 0)
    total = weight.sum(axis=-1, keepdims=True)
    seen = total > 0
    total = jnp.where(seen, total, 1)
    lse = jnp.where(seen, jnp.log(total) + top, -jnp.inf)[..., 0].reshape(batch, n_rows, heads)
    probability = weight / total
    if inputs.dropout_seeds_BH2 is not None:
        seeds = inputs.dropout_seeds_BH2.reshape(batch, 1, key_heads, heads // key_heads, 1, 2)
        key_S = jnp.arange(n_keys, dtype=jnp.int32)[None, None, None, None, :]
        keep = keep_multiplier(seeds, row_BT[:, :, None, None, None], key_S, options.dropout_rate)
        probability = probability * keep.astype(wide)
    out = jnp.einsum("btkrs,bskd->btkrd", probability.astype(v_BSKD.dtype), v_BSKD, preferred_element_type=wide)
    return out.reshape(batch, n_rows, heads, width).astype(q_BTHD.dtype), lse
