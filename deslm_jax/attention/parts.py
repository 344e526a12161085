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
    def stretches(self) -> int | None:
        """How many stretches of keys, one behind the other, serve any step; None where that depends on the step."""
        n_keys = self.keys.k_BSKD.shape[1]
        if not self.follows or self.spec.left is None or self.spec.right is None:
            return 1 if self.plan.keys == n_keys else None
        needed = min(n_keys, self.plan.rows + self.spec.left + self.spec.right)
        stretches = -(-needed // self.plan.keys)
        return stretches if stretches * self.plan.keys <= n_keys else None


class Step(NamedTuple):
    """Where one step of the sweep lies."""

    first_row: Index  # the first row this step owns
    start_row: Index  # the first row it reads: earlier at the end of the sequence


def for_each_step(part: Part, body: Callable[[Step, Carry], Carry], carry: Carry) -> Carry:
    """Run `body` over every block of rows; one call without a loop where a tile holds them all."""
    n_rows = part.rows.q_BTHD.shape[1]
    if n_rows == part.plan.rows:
        return body(Step(0, 0), carry)

    def at(i: jax.Array, carry: Carry) -> Carry:
        first_row = i * part.plan.rows
        return body(Step(first_row, jnp.minimum(first_row, n_rows - part.plan.rows)), carry)

    return lax.fori_loop(0, -(-n_rows // part.plan.rows), at, carry)


def key_range(part: Part, step: Step) -> tuple[Index, Index]:
    """(first key, number of stretches) of what the step's rows need beside columns."""
    n_keys, size = part.keys.k_BSKD.shape[1], part.plan.keys
    first: Index = 0
    if part.follows and part.spec.left is not None:
        first = step.start_row - part.spec.left
    if part.stretches is not None:
        return jnp.clip(first, 0, n_keys - part.stretches * size), part.stretches
    first, behind = jnp.maximum(first, 0), jnp.int32(n_keys)
    if part.follows and part.spec.right is not None:
        behind = jnp.minimum(step.start_row + part.plan.rows + part.spec.right, n_keys)
    return first, (behind - first + size - 1) // size


def read_rows(part: Part, step: Step) -> Rows:
    """The rows of a step, unused ones cleared."""
    tile = _cut(part.rows, step.start_row, part.plan.rows)
    if tile.used_BT is None:
        return tile
    return tile._replace(
        q_BTHD=_clear(tile.q_BTHD, tile.used_BT),
        d_out_BTHD=None if tile.d_out_BTHD is None else _clear(tile.d_out_BTHD, tile.used_BT),
    )


def read_keys(part: Part, start: Index, fresh_from: Index | None = None) -> Keys:
    """One stretch of keys, unused ones cleared; keys before `fresh_from` count as unused (they were read before)."""
    start = jnp.clip(start, 0, part.keys.k_BSKD.shape[1] - part.plan.keys)
    tile = clear_keys(_cut(part.keys, start, part.plan.keys))
    if fresh_from is None:
        return tile
    fresh = tile.position_BS >= fresh_from
    return tile._replace(used_BS=fresh if tile.used_BS is None else tile.used_BS & fresh)


def _cut(arrays: Arrays, start: Index, size: int) -> Arrays:
    """Rows or keys [start, start + size) of every leaf [B or 1, L or 1, ...]."""

    def cut(x: jax.Array) -> jax.Array:
        return x if x.shape[1] in (1, size) else lax.dynamic_slice_in_dim(x, start, size, axis=1)

    return jax.tree.map(cut, arrays)


def _clear(x_BLKX: jax.Array, used_BL: jax.Array) -> jax.Array:
    # 0 * NaN is NaN: what is not used must not be multiplied.
    return jnp.where(used_BL.reshape(*used_BL.shape, *(1,) * (x_BLKX.ndim - 2)), x_BLKX, jnp.zeros((), x_BLKX.dtype))


def clear_keys(keys: Keys) -> Keys:
    """The keys with zeros where they are unused: what 0 * NaN would not give."""
    if keys.used_BS is None:
        return keys
    return keys._replace(k_BSKD=_clear(keys.k_BSKD, keys.used_BS), v_BSKD=_clear(keys.v_BSKD, keys.used_BS))
