"""Who may look at whom: the mask of sliding-window attention with global tokens.

`SparseAttentionSpec` is the static part (window, causality). Everything that may differ from example to example is
an array: global positions, segment ids, key lengths. The dense drawing `allowed_mask` *is* the definition:

    allowed(i, j) = valid(j) and same_segment(i, j) and (causal => j <= i)
                    and (-left <= j - i <= right or i in G or j in G)

A position is padding when its segment id is negative or when it lies at or beyond `kv_len`; padding is never a key
and never global.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class SparseAttentionSpec:
    """The static shape of the mask; hashable, so it can be a static argument of `jit`.

    Attributes:
      window: `(left, right)`, how many neighbours a row sees on either side, inclusive; a row always sees itself.
        `None` is an unlimited side. `(256, 256)` is what Hugging Face calls `attention_window=512`.
      causal: no row sees a later key, global or not; the right side then counts as 0.

    Raises:
      ValueError: a side is negative or no integer.

    >>> SparseAttentionSpec(window=(2, 1)).right, SparseAttentionSpec(window=(2, 1), causal=True).right
    (1, 0)
    """

    window: tuple[int | None, int | None]
    causal: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.window, tuple | list) or len(self.window) != 2:
            raise ValueError(f"window must be a pair (left, right), not {self.window!r}: write window=(256, 256)")
        for name, side in zip(("left", "right"), self.window, strict=True):
            if side is not None and (isinstance(side, bool) or not isinstance(side, int | np.integer) or side < 0):
                raise ValueError(
                    f"window {name} is {side!r}: give a count of at least 0, or None for an unlimited side"
                )
        object.__setattr__(self, "window", tuple(None if side is None else int(side) for side in self.window))
        object.__setattr__(self, "causal", bool(self.causal))

    @property
    def left(self) -> int | None:
        """Keys seen before the row itself; None is unlimited."""
        return self.window[0]

    @property
    def right(self) -> int | None:
        """Keys seen after the row itself; None is unlimited, and a causal spec has 0."""
        return 0 if self.causal else self.window[1]

    @property
    def sees_everything(self) -> bool:
        """Whether the window alone already allows every key that causality allows, so that globals change nothing."""
        return self.left is None and (self.causal or self.right is None)

    def in_band(self, offset: jax.Array) -> jax.Array:
        """Whether a key at `offset = j - i` lies in the window; boolean, of offset's shape."""
        inside = jnp.ones(offset.shape, bool)
        if self.left is not None:
            inside &= offset >= -self.left
        if self.right is not None:
            inside &= offset <= self.right
        return inside


def valid_positions(length: int, segment_ids_BT: jax.Array | None, kv_len_B: jax.Array | None) -> jax.Array | None:
    """Which positions are no padding: boolean [B, length], or None when nothing is padded."""
    valid = None
    if segment_ids_BT is not None:
        valid = segment_ids_BT >= 0
    if kv_len_B is not None:
        inside = jnp.arange(length, dtype=jnp.int32)[None, :] < kv_len_B[:, None]
        valid = inside if valid is None else valid & inside
    return valid


def is_global_position(global_idx_BG: jax.Array, length: int, valid_BT: jax.Array | None) -> jax.Array:
    """Which positions are global: boolean [B, length]. Padding never is."""
    is_global = (global_idx_BG[:, :, None] == jnp.arange(length, dtype=jnp.int32)[None, None, :]).any(axis=1)
    return is_global if valid_BT is None else is_global & valid_BT


def allowed_mask(
    spec: SparseAttentionSpec,
    n_rows: int,
    n_keys: int,
    *,
    global_idx: jax.Array | None = None,
    segment_ids: jax.Array | None = None,
    kv_len: jax.Array | None = None,
) -> jax.Array:
    """Draw the mask: boolean [B or 1, n_rows, n_keys], True where row i attends to key j.

    For definitions, tests and pictures; its size is n_rows x n_keys. Arguments as in `sparse_attention`.
    """
    row = jnp.arange(n_rows, dtype=jnp.int32)[None, :, None]
    key = jnp.arange(n_keys, dtype=jnp.int32)[None, None, :]
    allowed = spec.in_band(key - row)
    valid = valid_positions(n_keys, segment_ids, kv_len)
    if global_idx is not None:
        is_global = is_global_position(global_idx, n_keys, valid)
        allowed = allowed | is_global[:, :, None] | is_global[:, None, :]
    if spec.causal:
        allowed = allowed & (key <= row)
    if segment_ids is not None:
        allowed = allowed & (segment_ids[:, :, None] == segment_ids[:, None, :])
    if valid is not None:
        allowed = allowed & valid[:, None, :]
    return allowed


def global_idx_from_mask(global_mask: jax.Array, capacity: int) -> jax.Array:
    """The positions a boolean [B, T] mask marks, as int32 [B, capacity] in ascending order, padded with -1.

    An example with more than `capacity` marks is an error: ValueError for concrete arrays; under `jit`, where nothing
    can be raised, its slots hold T, which lies out of range and makes `sparse_attention` answer that example with NaN.
    """
    if not isinstance(global_mask, jax.core.Tracer):
        most = int(np.asarray(global_mask).sum(axis=-1).max(initial=0))
        if most > capacity:
            raise ValueError(f"global_mask marks {most} positions but capacity is {capacity}: raise the capacity")
    mask = jnp.asarray(global_mask, bool)
    length = mask.shape[-1]
    position = jnp.broadcast_to(jnp.arange(length, dtype=jnp.int32), mask.shape)
    slot = jnp.where(mask, jnp.cumsum(mask, axis=-1, dtype=jnp.int32) - 1, capacity)
    empty = jnp.full((*mask.shape[:-1], capacity), -1, jnp.int32)
    example = jnp.arange(mask.shape[0], dtype=jnp.int32)[:, None]
    filled = empty.at[example, slot].set(position, mode="drop")
    overflow = mask.sum(axis=-1, keepdims=True, dtype=jnp.int32) > capacity
    return jnp.where(overflow, length, filled)
