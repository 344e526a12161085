"""Integers with units, and the few array operations that differ between NumPy and JAX, each written once."""

from typing import Any

MICRO = 1_000_000  # micro-tokens a token
SUPPLY_CAP_MICRO = 10**9 * MICRO  # < 2^50
Q16, Q12, Q8 = 1 << 16, 1 << 12, 1 << 8
FOREVER = 1 << 62  # a height that never comes

Array = Any


def namespace(x: Array) -> Any:
    """The array module of `x`: NumPy, or jax.numpy (also under jit and vmap)."""
    return x.__array_namespace__()


def mul_q16(amount: Array, ratio_q16: Array) -> Array:
    """floor(amount * ratio / 65,536) without overflow for 0 <= amount < 2^62 / 65,536 * 2^16 and 0 <= ratio <= 2^16.

    Exact: the high and the low half of the amount are multiplied apart (law, Quantities).
    """
    return (amount >> 16) * ratio_q16 + (((amount & 65535) * ratio_q16) >> 16)
