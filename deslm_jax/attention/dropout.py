"""Attention dropout whose bits are a function of the place in the matrix, not of the order of computing.

keep(example, head, row i, key j) hashes a pair of words drawn once per (example, head) with i and j. So forward,
backward, dense and blocked see the same bits whatever their tiling, and nothing of size T x S is ever stored.
"""

import jax
import jax.numpy as jnp
import numpy as np


def dropout_seeds(dropout_rng: jax.Array, batch: int, heads: int) -> jax.Array:
    """Two words for each example and head, uint32 [B,H,2], hashed from the words of a PRNG key, typed or raw."""
    typed = jnp.issubdtype(dropout_rng.dtype, jax.dtypes.prng_key)
    words = (jax.random.key_data(dropout_rng) if typed else dropout_rng).astype(jnp.uint32)
    # A counter hash, as below: threefry over [B,H,2] costs more to compile than the rest of the dropout.
    seeds = jnp.arange(1, 2 * batch * heads + 1, dtype=jnp.uint32).reshape(batch, heads, 2) * np.uint32(0x9E3779B1)
    for word in words:
        seeds = _mix(seeds ^ word) + np.uint32(0x85EBCA77)
    return seeds


def keep_multiplier(seeds: jax.Array, row: jax.Array, key: jax.Array, rate: float) -> jax.Array:
    """What a probability is multiplied by: 1/(1-rate) where kept and 0 where dropped, float32.

    Args:
      seeds: uint32 [..., 2], broadcast against row and key.
      row, key: int32 positions, of equal rank with `seeds[..., 0]`.
      rate: the probability of dropping, 0 <= rate < 1.
    """
    first = _mix(row.astype(jnp.uint32) * np.uint32(0x9E3779B1) ^ seeds[..., 0])
    second = _mix(first + seeds[..., 1])
    word = _mix(_mix(key.astype(jnp.uint32) * np.uint32(0x85EBCA77) ^ first) ^ second)
    threshold = np.uint32(min(round(rate * 2**32), 2**32 - 1))
    return jnp.where(word >= threshold, np.float32(1.0 / (1.0 - rate)), np.float32(0.0))


def _mix(word: jax.Array) -> jax.Array:
    """An avalanche of 32 bits in which every output bit depends on every input bit (lowbias32, C. Wellons)."""
    word = (word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B)
    return word ^ (word >> np.uint32(16))
