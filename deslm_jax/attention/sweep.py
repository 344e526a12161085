"""The sweep over a part: one loop forward, one backward, memory linear in its rows and keys."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from deslm_jax.attention.inputs import AttentionOptions, wide_dtype
from deslm_jax.attention.parts import (
    Index,
    Part,
    Rows,
    Step,
    for_each_step,
    join_keys,
    key_range,
    read_columns,
    read_keys,
    read_rows,
)
from deslm_jax.attention.tile import Softmax, continue_softmax, finish_softmax, start_softmax, tile_gradients


class KeyGradients(NamedTuple):
    """Accumulators of a backward sweep, float32 or wider; the columns' are None where the part has none."""

    k_BSKD: jax.Array
    v_BSKD: jax.Array
    column_k_BGKD: jax.Array | None = None
    column_v_BGKD: jax.Array | None = None


def sweep_forward(part: Part, options: AttentionOptions) -> tuple[jax.Array, jax.Array]:
    """(out [B,T,H,D] in q's dtype, norm [B,T,H,2] in float32 or wider, see `finish_softmax`) of the part's rows."""
    q = part.rows.q_BTHD
    wide = wide_dtype(q)

    def body(step: Step, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        out, norm = finish_softmax(_softmax_of_step(part, step, options))
        at = _at_rows(part, step)
        return _write(carry[0], out.astype(q.dtype), at), _write(carry[1], norm, at)

    return for_each_step(part, body, (jnp.zeros(q.shape, q.dtype), jnp.zeros((*q.shape[:-1], 2), wide)))


def sweep_backward(part: Part, options: AttentionOptions, gradients: KeyGradients) -> tuple[jax.Array, KeyGradients]:
    """(dq [B,T,H,D] in q's dtype, `gradients` with this part's share added)."""
    q = part.rows.q_BTHD
    n_rows, block = q.shape[1], part.plan.rows

    def body(step: Step, carry: tuple[jax.Array, KeyGradients]) -> tuple[jax.Array, KeyGradients]:
        dq_whole, gradients = carry
        rows = read_rows(part, step)
        own_T = None
        if n_rows % block:
            own_T = step.start_row + jnp.arange(block, dtype=jnp.int32) >= step.first_row
        dq, gradients = _gradients_of_step(part, step, rows, own_T, options, gradients)
        at = _at_rows(part, step)
        return _write(dq_whole, dq.astype(q.dtype), at), gradients

    return for_each_step(part, body, (jnp.zeros(q.shape, q.dtype), gradients))


def _at_rows(part: Part, step: Step) -> tuple[Index, ...]:
    group = part.rows.q_BTHD.shape[2] // part.keys.k_BSKD.shape[2]
    return step.example, step.start_row, step.head * group, 0


def _softmax_of_step(part: Part, step: Step, options: AttentionOptions) -> Softmax:
    rows, columns = read_rows(part, step), read_columns(part, step)
    low, count = key_range(part, step)
    if part.in_one_stretch:
        return start_softmax(rows, join_keys(read_keys(part, step, low), columns), part.spec, options)
    if columns is None:
        state = _nothing_seen(rows, 1 if not part.plan.whole_batch else part.keys.k_BSKD.shape[2])
    else:
        state = start_softmax(rows, columns, part.spec, options)

    def absorb(i: jax.Array, state: Softmax) -> Softmax:
        start = low + i * part.plan.keys
        return continue_softmax(state, rows, read_keys(part, step, start, start), part.spec, options)

    return lax.fori_loop(0, count, absorb, state)


def _gradients_of_step(
    part: Part,
    step: Step,
    rows: Rows,
    own_T: jax.Array | None,
    options: AttentionOptions,
    gradients: KeyGradients,
) -> tuple[jax.Array, KeyGradients]:
    columns = read_columns(part, step)
    low, count = key_range(part, step)
    if part.in_one_stretch:
        keys = join_keys(read_keys(part, step, low), columns)
        dq, dk, dv = tile_gradients(rows, keys, part.spec, options, own_T)
        return dq, _accumulate(gradients, part, step, low, dk, dv)

    def absorb(i: jax.Array, carry: tuple[jax.Array, KeyGradients]) -> tuple[jax.Array, KeyGradients]:
        dq, gradients = carry
        start = low + i * part.plan.keys
        more_dq, dk, dv = tile_gradients(rows, read_keys(part, step, start, start), part.spec, options, own_T)
        return dq + more_dq, _accumulate(gradients, part, step, start, dk, dv)

    dq = jnp.zeros(rows.q_BTHD.shape, wide_dtype(rows.q_BTHD))
    if columns is not None:
        dq, dk, dv = tile_gradients(rows, columns, part.spec, options, own_T)
        gradients = _accumulate_columns(gradients, step, dk, dv)
    return lax.fori_loop(0, count, absorb, (dq, gradients))


def _accumulate(
    gradients: KeyGradients, part: Part, step: Step, start: Index, dk: jax.Array, dv: jax.Array
) -> KeyGradients:
    """Add the gradients of a stretch of keys, and of the columns joined behind it."""
    size = part.plan.keys
    if dk.shape[1] > size:
        gradients = _accumulate_columns(gradients, step, dk[:, size:], dv[:, size:])
        dk, dv = dk[:, :size], dv[:, :size]
    start = jnp.clip(start, 0, part.keys.k_BSKD.shape[1] - size)
    at = (step.example, start, step.head, 0)
    return gradients._replace(k_BSKD=_add(gradients.k_BSKD, dk, at), v_BSKD=_add(gradients.v_BSKD, dv, at))


def _accumulate_columns(gradients: KeyGradients, step: Step, dk: jax.Array, dv: jax.Array) -> KeyGradients:
    assert gradients.column_k_BGKD is not None and gradients.column_v_BGKD is not None
    at = (step.example, 0, step.head, 0)
    return gradients._replace(
        column_k_BGKD=_add(gradients.column_k_BGKD, dk, at), column_v_BGKD=_add(gradients.column_v_BGKD, dv, at)
    )


def _add(whole: jax.Array, piece: jax.Array, at: tuple[Index, ...]) -> jax.Array:
    if piece.shape == whole.shape:
        return whole + piece
    return lax.dynamic_update_slice(whole, lax.dynamic_slice(whole, at, piece.shape) + piece, at)


def _write(whole: jax.Array, piece: jax.Array, at: tuple[Index, ...]) -> jax.Array:
    return piece if piece.shape == whole.shape else lax.dynamic_update_slice(whole, piece, at)


def _nothing_seen(rows: Rows, key_heads: int) -> Softmax:
    batch, n_rows, heads, width = rows.q_BTHD.shape
    wide = wide_dtype(rows.q_BTHD)
    shape = (batch, key_heads, n_rows, heads // key_heads)
    return Softmax(
        jnp.full((*shape, 1), -jnp.inf, wide), jnp.zeros((*shape, 1), wide), jnp.zeros((*shape, width), wide)
    )
