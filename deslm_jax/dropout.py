"""Dropout from a counter hash: an element is kept or dropped by (seed, site, its place), in integer arithmetic.

Threefry at the nine places of a tiny model takes twice the compile time and seven times the run time on a CPU.
A seed is uint32 [2]; None means that nothing is dropped, so it also stands for "deterministic".
"""

import jax
import jax.numpy as jnp
import numpy as np


def seed_from(key: jax.Array) -> jax.Array:
    """Returns the dropout seed of a whole forward pass, uint32 [2], from a jax random key."""
    return jax.random.bits(key, (2,), jnp.uint32)


def at_site(seed: jax.Array | None, site: int) -> jax.Array | None:
    """Returns the seed of one place in the model; different sites drop independently."""
    if seed is None:
        return None
    return _mix(seed ^ np.uint32((site + 1) * 0x9E3779B1 % 2**32))


def drop(x: jax.Array, rate: float, seed: jax.Array | None) -> jax.Array:
    """Returns `x` with a share `rate` of its elements set to 0 and the rest scaled up to keep the mean."""
    if seed is None or rate == 0.0:
        return x
    place = jnp.reshape(jax.lax.iota(jnp.uint32, x.size), x.shape)
    word = _mix(_mix(place * np.uint32(0x85EBCA77) ^ seed[0]) + seed[1])
    return jnp.where(word >= np.uint32(round(rate * 2**32)), x * (1.0 / (1.0 - rate)), jnp.zeros((), x.dtype))


def _mix(word: jax.Array) -> jax.Array:
    """A bijection of 32 bits in which every output bit depends on every input bit (lowbias32, C. Wellons)."""
    word = (word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B)
    return word ^ (word >> np.uint32(16))
