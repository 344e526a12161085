"""Attention dropout whose bits are a function of the place in the matrix, not of the order of computing.

keep(example, head, row i, key j) hashes a pair of words drawn once per (example, head) with i and j. So forward,
backward, dense and blocked see the same bits whatever their tiling, and nothing of size T x S is ever stored.
"""

import jax
import jax.numpy as jnp


def dropout_seeds(dropout_rng: jax.Array, batch: int, heads: int) -> jax.Array:
    """Two random words for each example and head: uint32 [B, H, 2]."""
    return jax.random.bits(dropout_rng, (batch, heads, 2), jnp.uint32)


def keep_multiplier(seeds: jax.Array, row: jax.Array, key: jax.Array, rate: float) -> jax.Array:
    """What a probability is multiplied by: 1/(1-rate) where kept and 0 where dropped, float32.

    Args:
      seeds: uint32 [..., 2], broadcast against row and key.
      row, key: int32 positions, of equal rank with `seeds[..., 0]`.
      rate: the probability of dropping, 0 <= rate < 1.
    """
    row_word = _mix(row.astype(jnp.uint32) * jnp.uint32(0x9E3779B1) ^ seeds[..., 0])
    second_word = _mix(row_word + seeds[..., 1])
    word = _mix(_mix(key.astype(jnp.uint32) * jnp.uint32(0x85EBCA77) ^ row_word) ^ second_word)
    threshold = min(round(rate * 2**32), 2**32 - 1)
    return jnp.where(word >= jnp.uint32(threshold), jnp.float32(1.0 / (1.0 - rate)), jnp.float32(0.0))


def _mix(word: jax.Array) -> jax.Array:
    """A bijective avalanche of 32 bits (C. Wellons, "lowbias32": bias .17 of ideal)."""
    word = (word ^ (word >> jnp.uint32(16))) * jnp.uint32(0x7FEB352D)
    word = (word ^ (word >> jnp.uint32(15))) * jnp.uint32(0x846CA68B)
    return word ^ (word >> jnp.uint32(16))
