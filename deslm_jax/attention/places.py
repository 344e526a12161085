"""What the integer arguments of a call say about rows and keys, tidied for the blocked implementation."""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from deslm_jax.attention.inputs import AttentionInputs
from deslm_jax.attention.mask import is_global_position, valid_positions

Arrays = TypeVar("Arrays")


class Places(NamedTuple):
    """Rows' and keys' properties by position; None where the call has nothing of the kind."""

    row_segment_BT: jax.Array | None  # int32, -2 for padding
    key_segment_BS: jax.Array | None  # int32, -1 for padding, so that padding meets nothing
    row_valid_BT: jax.Array | None  # boolean: the row's segment id is not negative
    key_valid_BS: jax.Array | None  # boolean: no padding by segment id or length
    is_global_BT: jax.Array | None  # boolean
    slot_position_BG: jax.Array | None  # int32: global_idx with -1 for padding and for all but the first of repeats


def read_places(inputs: AttentionInputs, one_tile: bool) -> Places:
    """Tidy the integer arguments of a call that one tile holds, or that is swept in blocks."""
    n_rows, n_keys = inputs.q_BTHD.shape[1], inputs.k_BSKD.shape[1]
    key_valid = valid_positions(n_keys, inputs.segment_ids_BT, inputs.kv_len_B)
    row_segment = key_segment = row_valid = None
    if inputs.segment_ids_BT is not None:
        assert key_valid is not None
        row_valid = inputs.segment_ids_BT >= 0
        row_segment = jnp.where(row_valid, inputs.segment_ids_BT, -2)
        key_segment = jnp.where(key_valid, inputs.segment_ids_BT, -1)
    is_global = slot_position = None
    if inputs.global_idx_BG is not None and inputs.global_idx_BG.shape[1] > 0:
        slot_position = first_of_each(inputs.global_idx_BG, n_rows, key_valid)
        if one_tile:
            is_global = is_global_position(inputs.global_idx_BG, n_rows, key_valid)
        else:  # G x T would be too much
            nowhere = jnp.zeros(inputs.q_BTHD.shape[:2], bool)
            is_global = put_slots(nowhere, jnp.ones(slot_position.shape, bool), slot_position)
    return Places(row_segment, key_segment, row_valid, key_valid, is_global, slot_position)


def first_of_each(global_idx_BG: jax.Array, length: int, valid_BT: jax.Array | None) -> jax.Array:
    """`global_idx` with -1 in place of padded and out-of-range positions and of every repeat of a position.

    Work and memory grow with B (G + T), not with G squared or G times T.
    """
    batch, capacity = global_idx_BG.shape
    example = jnp.arange(batch, dtype=jnp.int32)[:, None]
    slot = jnp.broadcast_to(jnp.arange(capacity, dtype=jnp.int32), (batch, capacity))
    in_range = (global_idx_BG >= 0) & (global_idx_BG < length)
    target = jnp.where(in_range, global_idx_BG, length)
    first_slot = jnp.full((batch, length + 1), capacity, jnp.int32).at[example, target].min(slot)
    kept = in_range & (_at(first_slot, target) == slot)
    if valid_BT is not None:
        kept &= _at(valid_BT, jnp.minimum(target, length - 1))
    return jnp.where(kept, global_idx_BG, -1)


def take_slots(arrays: Arrays, slot_position_BG: jax.Array) -> Arrays:
    """Every leaf [B,T,...] at the slots' positions, [B,G,...]; an unused slot reads position 0. None stays None."""
    return jax.tree.map(lambda x: _at(x, jnp.maximum(slot_position_BG, 0)), arrays)


def put_slots(x: jax.Array, rows: jax.Array, slot_position_BG: jax.Array) -> jax.Array:
    """x [B,T,...] with rows [B,G,...] written at the slots' positions; unused slots write nothing."""
    return x.at[_example_and_target(x, slot_position_BG)].set(rows, mode="drop")


def add_slots(x: jax.Array, rows: jax.Array, slot_position_BG: jax.Array) -> jax.Array:
    """x [B,T,...] with rows [B,G,...] added at the slots' positions; unused slots add nothing."""
    return x.at[_example_and_target(x, slot_position_BG)].add(rows, mode="drop")


def _at(x: jax.Array, position_BG: jax.Array) -> jax.Array:
    example = jnp.arange(x.shape[0], dtype=jnp.int32)[:, None]
    return x.at[example, position_BG].get(mode="promise_in_bounds")


def _example_and_target(x: jax.Array, slot_position_BG: jax.Array) -> tuple[jax.Array, jax.Array]:
    example = jnp.arange(x.shape[0], dtype=jnp.int32)[:, None]
    # A negative index would count from the end; one beyond the end is dropped.
    return example, jnp.where(slot_position_BG < 0, x.shape[1], slot_position_BG)
