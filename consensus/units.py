"""Integers with units, and the few array operations that differ between NumPy and JAX, each written once.

Rules import this module and take every other array function from `namespace(x)`, so one rule body runs on NumPy in
the ledger and under `jax.jit` and `jax.vmap` in the simulator, and gives the same bits in both.
"""

from typing import Any

MICRO = 1_000_000  # micro-tokens a token
SUPPLY_CAP_MICRO = 10**9 * MICRO  # < 2^50
TIP_MAX_MICRO = 1 << 36  # 68,719 tokens: with it every product of a task's money stays below 2^62
Q16, Q12, Q8 = 1 << 16, 1 << 12, 1 << 8
FOREVER = 1 << 62  # a height that never comes

Array = Any


def namespace(x: Array) -> Any:
    """The array module of `x`: NumPy, or jax.numpy (also under jit and vmap)."""
    return x.__array_namespace__()


def require_int64(*trees: Any) -> None:
    """Raise TypeError unless every array in these (nested) tuples is int64.

    Outside `jax.enable_x64` JAX makes int32 of an int64 array without a word, and half of the supply with it: the
    doors of the law look at the dtype, which costs nothing under jit.
    """
    for tree in trees:
        if isinstance(tree, tuple):
            require_int64(*tree)
        elif not isinstance(tree, int) and (tree.dtype.kind != "i" or tree.dtype.itemsize != 8):
            raise TypeError(f"the rules need int64, got {tree.dtype}; under JAX wrap the call in jax.enable_x64(True)")


def mul_q16(amount: Array, ratio_q16: Array) -> Array:
    """floor(amount * ratio / 65,536) without overflow for 0 <= amount < 2^62 and 0 <= ratio <= 2^16.

    Exact: the high and the low half of the amount are multiplied apart (law, Quantities).

    >>> mul_q16(1_000_000, Q16 // 4)
    250000
    """
    return (amount >> 16) * ratio_q16 + (((amount & 65535) * ratio_q16) >> 16)


def floor_divide(numerator: Array, denominator: Array) -> Array:
    """floor(numerator / denominator), and 0 where the denominator is 0 (bare, NumPy gives 0 and JAX -2)."""
    is_zero = denominator == 0
    xp = namespace(is_zero)
    return xp.where(is_zero, 0, numerator // xp.where(is_zero, 1, denominator))


def total(x: Array, axis: int | None = None) -> Array:
    """Sum as int64, whatever the default integer of the array module is."""
    xp = namespace(x)
    return xp.sum(x, axis=axis, dtype=xp.int64)


def as_int64(x: Array) -> Array:
    """0 and 1 as int64 from booleans: strict promotion refuses to multiply amounts by booleans."""
    return x.astype(namespace(x).int64)


def add_at(x_N: Array, index_S: Array, amount_S: Array) -> Array:
    """A copy of x with each amount added at its index; equal indices add up, an index of -1 adds nothing.

    `index_S` may be one index (a Python int, too) with one amount.
    """
    xp = namespace(x_N)
    index_S = xp.reshape(xp.asarray(index_S, dtype=xp.int64), (-1,))
    amount_S = xp.broadcast_to(xp.asarray(amount_S, dtype=xp.int64), index_S.shape)
    amount_S = xp.where(index_S >= 0, amount_S, 0)
    index_S = xp.maximum(index_S, 0)
    if hasattr(x_N, "at"):
        return x_N.at[index_S].add(amount_S)
    out_N = x_N.copy()
    xp.add.at(out_N, index_S, amount_S)
    return out_N
