"""Rows against keys as arrays, and how a step of the sweep cuts its tile out of them.

A `Part` is a set of rows against all keys and, optionally, some gathered columns. The local rows are one part (their
keys follow them), the global rows another (they see every key). A block that would stick out at an end is shifted
inwards instead of padding the arrays: the rows it reads twice give equal outputs, and their key gradients are counted
by the block that owns them.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from deslm_jax.attention.mask import SparseAttentionSpec
from deslm_jax.attention.plan import Plan

Carry = TypeVar("Carry")
Arrays = TypeVar("Arrays")
Index = jax.Array | int


class Rows(NamedTuple):
    """Query rows, of a whole part or of one tile. B or T may be 1 where a leaf is the same for all."""

    q_BTHD: jax.Array
    position_BT: jax.Array  # int32
    segment_BT: jax.Array | None  # int32, meets equal key segments
    used_BT: jax.Array | None  # boolean; an unused row may hold anything, NaN included, and has no gradient
    is_global_BT: jax.Array | None  # boolean; given only where one tile holds the whole sequence
    scale_BT: jax.Array  # factor on the logits, T = 1
    seeds_BTH2: jax.Array | None  # uint32 of the dropout, T = 1
    d_out_BTHD: jax.Array | None = None  # for the backward: cotangent of the output,
    norm_BTH2: jax.Array | None = None  # top logit and log of the total; (0, +inf) silences a row,
    delta_BTH: jax.Array | None = None  # and sum(out * d_out) - d_lse


class Keys(NamedTuple):
    """Keys, of a whole part, of one tile, or the gathered columns of a part."""

    k_BSKD: jax.Array
    v_BSKD: jax.Array
    position_BS: jax.Array  # int32
    segment_BS: jax.Array | None  # int32
    used_BS: jax.Array | None  # boolean; an unused key may hold anything, NaN included
    is_global_BS: jax.Array | None  # boolean; given only where one tile holds the whole sequence
    is_column_BS: jax.Array | None = None  # boolean: gathered out of its place, for rows whose window misses it


class Part(NamedTuple):
    """Rows against keys and columns, cut by a plan."""

    rows: Rows
    keys: Keys
    columns: Keys | None
    spec: SparseAttentionSpec
    plan: Plan
    follows: bool  # row i is position i, so that the window tells which keys a block needs

    @property
    def in_one_stretch(self) -> bool:
        """Whether a step reads all the keys its rows need at once."""
        needed = n_keys = self.keys.k_BSKD.shape[1]
        if self.follows and self.spec.left is not None and self.spec.right is not None:
            needed = min(n_keys, self.plan.rows + self.spec.left + self.spec.right)
        return self.plan.keys >= needed


class Step(NamedTuple):
    """Where one step of the sweep lies."""

    example: Index
    head: Index
    first_row: Index  # the first row this step owns
    start_row: Index  # the first row it reads: earlier at the end of the sequence


def for_each_step(part: Part, body: Callable[[Step, Carry], Carry], carry: Carry) -> Carry:
    """Run `body` over every example, key head and block of rows; one call without a loop where a tile holds it all."""
    batch, n_rows = part.rows.q_BTHD.shape[:2]
    key_heads = part.keys.k_BSKD.shape[2]
    blocks = -(-n_rows // part.plan.rows)
    examples, heads = (1, 1) if part.plan.whole_batch else (batch, key_heads)
    if examples * heads * blocks == 1:
        return body(Step(0, 0, 0, 0), carry)

    def at(i: jax.Array, carry: Carry) -> Carry:
        first_row = lax.rem(i, blocks) * part.plan.rows
        start_row = jnp.minimum(first_row, n_rows - part.plan.rows)
        pair = lax.div(i, blocks)
        return body(Step(lax.div(pair, heads), lax.rem(pair, heads), first_row, start_row), carry)

    return lax.fori_loop(0, examples * heads * blocks, at, carry)


def key_range(part: Part, step: Step) -> tuple[Index, Index]:
    """(first key, number of stretches) that the step's rows need beside columns."""
    low: Index = 0
    high: Index = part.keys.k_BSKD.shape[1]
    if part.follows and part.spec.left is not None:
        low = jnp.maximum(step.start_row - part.spec.left, 0)
    if part.follows and part.spec.right is not None:
        high = jnp.minimum(step.start_row + part.plan.rows + part.spec.right, high)
    return low, (high - low + part.plan.keys - 1) // part.plan.keys


def read_rows(part: Part, step: Step) -> Rows:
    """The rows of a step, unused ones cleared."""
    tile = _cut(part.rows, part, step, step.start_row, part.plan.rows)
    if tile.used_BT is None:
        return tile
    return tile._replace(
        q_BTHD=_clear(tile.q_BTHD, tile.used_BT),
        d_out_BTHD=None if tile.d_out_BTHD is None else _clear(tile.d_out_BTHD, tile.used_BT),
    )


def read_keys(part: Part, step: Step, start: Index, fresh_from: Index | None = None) -> Keys:
    """One stretch of keys, unused ones cleared; keys before `fresh_from` count as unused (they were read before)."""
    start = jnp.clip(start, 0, part.keys.k_BSKD.shape[1] - part.plan.keys)
    tile = _clear_keys(_cut(part.keys, part, step, start, part.plan.keys))
    if fresh_from is None:
        return tile
    fresh = tile.position_BS >= fresh_from
    return tile._replace(used_BS=fresh if tile.used_BS is None else tile.used_BS & fresh)


def read_columns(part: Part, step: Step) -> Keys | None:
    """The columns of a step's example and head, unused ones cleared."""
    if part.columns is None:
        return None
    return _clear_keys(_cut(part.columns, part, step, 0, part.columns.k_BSKD.shape[1]))


def join_keys(keys: Keys, columns: Keys | None) -> Keys:
    """Keys and columns as one stretch."""
    if columns is None:
        return keys
    examples, n_keys = keys.k_BSKD.shape[:2]
    nowhere = jnp.zeros((1, n_keys), bool)
    everywhere = jnp.ones((1, n_keys), bool)
    keys = keys._replace(is_column_BS=nowhere, used_BS=everywhere if keys.used_BS is None else keys.used_BS)

    def join(a: jax.Array, b: jax.Array) -> jax.Array:
        a, b = (jnp.broadcast_to(x, (examples, *x.shape[1:])) for x in (a, b))
        return jnp.concatenate([a, b], axis=1)

    return jax.tree.map(join, keys, columns)


def _cut(arrays: Arrays, part: Part, step: Step, start: Index, size: int) -> Arrays:
    """Slice every leaf [B or 1, L or 1, heads, ...] at the step's example, at [start, start + size), at its heads."""
    key_heads = part.keys.k_BSKD.shape[2]

    def cut(x: jax.Array) -> jax.Array:
        starts: list[Index] = [0] * x.ndim
        sizes = list(x.shape)
        if x.shape[1] > 1:
            starts[1], sizes[1] = start, size
        if not part.plan.whole_batch:
            if x.shape[0] > 1:
                starts[0], sizes[0] = step.example, 1
            if x.ndim > 2:
                group = x.shape[2] // key_heads
                starts[2], sizes[2] = step.head * group, group
        return x if tuple(sizes) == x.shape else lax.dynamic_slice(x, starts, sizes)

    return jax.tree.map(cut, arrays)


def _clear(x_BLKX: jax.Array, used_BL: jax.Array) -> jax.Array:
    # 0 * NaN is NaN: what is not used must not be multiplied.
    return jnp.where(used_BL.reshape(*used_BL.shape, *(1,) * (x_BLKX.ndim - 2)), x_BLKX, jnp.zeros((), x_BLKX.dtype))


def _clear_keys(keys: Keys) -> Keys:
    if keys.used_BS is None:
        return keys
    return keys._replace(k_BSKD=_clear(keys.k_BSKD, keys.used_BS), v_BSKD=_clear(keys.v_BSKD, keys.used_BS))
