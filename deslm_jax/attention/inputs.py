"""What every implementation of the attention receives: arguments already checked by the door."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class AttentionInputs(NamedTuple):
    """The arrays of one call. Letters: B examples, T rows, S keys, H query heads, K key heads, D width, G globals."""

    q_BTHD: jax.Array
    k_BSKD: jax.Array
    v_BSKD: jax.Array
    global_idx_BG: jax.Array | None = None  # int32 positions as the caller gave them: any order, repeats, -1 pads
    q_global_BGHD: jax.Array | None = None  # separate projections of global rows: all three or none
    k_global_BSKD: jax.Array | None = None
    v_global_BSKD: jax.Array | None = None
    segment_ids_BT: jax.Array | None = None  # int32, negative = padding
    kv_len_B: jax.Array | None = None  # int32, keys from here on are padding
    dropout_seeds_BH2: jax.Array | None = None  # uint32; None = no dropout


class AttentionOptions(NamedTuple):
    """The static numbers of one call beside its spec."""

    scale: float
    dropout_rate: float = 0.0


def scale_of_examples(inputs: AttentionInputs, options: AttentionOptions) -> jax.Array:
    """The factor on the logits, [B or 1]: `options.scale`, or NaN for an example with a global position out of range.

    Nothing can be raised under `jit`; a NaN is seen, a global token quietly left out is not.
    """
    scale = jnp.full(1, options.scale, wide_dtype(inputs.q_BTHD))
    if inputs.global_idx_BG is None or inputs.global_idx_BG.shape[1] == 0:
        return scale
    return jnp.where((inputs.global_idx_BG >= inputs.q_BTHD.shape[1]).any(axis=1), jnp.nan, scale)


def wide_dtype(x: jax.Array) -> jnp.dtype:
    """The dtype of sums and softmax statistics over x: float64 for float64, else float32."""
    return jnp.dtype(jnp.float64 if x.dtype == jnp.float64 else jnp.float32)
