"""The sweep over a part: one loop forward, one backward, memory linear in its rows and keys."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from deslm_jax.attention.inputs import AttentionOptions, wide_dtype
from deslm_jax.attention.parts import (
    Carry,
    Index,
    Keys,
    Part,
    Rows,
    Step,
    for_each_step,
    key_range,
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
        return _write(carry[0], out.astype(q.dtype), step.start_row), _write(carry[1], norm, step.start_row)

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
        return _write(dq_whole, dq.astype(q.dtype), step.start_row), gradients

    return for_each_step(part, body, (jnp.zeros(q.shape, q.dtype), gradients))


def _softmax_of_step(part: Part, step: Step, options: AttentionOptions) -> Softmax:
    rows, columns = read_rows(part, step), part.columns
    low, count = key_range(part, step)
    if columns is not None:
        state = start_softmax(rows, columns, part.spec, options)
    elif part.stretches == 1:
        return start_softmax(rows, read_keys(part, low), part.spec, options)
    else:
        state = _nothing_seen(rows, part.keys.k_BSKD.shape[2])

    def absorb(i: Index, state: Softmax) -> Softmax:
        return continue_softmax(state, rows, _stretch(part, low, i), part.spec, options)

    return _repeat(count, absorb, state)


def _repeat(count: Index, body: Callable[[Index, Carry], Carry], carry: Carry) -> Carry:
    return body(0, carry) if isinstance(count, int) and count == 1 else lax.fori_loop(0, count, body, carry)


def _stretch(part: Part, low: Index, i: Index) -> Keys:
    start = low + i * part.plan.keys
    return read_keys(part, start, None if part.stretches is not None else start)


def _gradients_of_step(
    part: Part,
    step: Step,
    rows: Rows,
    own_T: jax.Array | None,
    options: AttentionOptions,
    gradients: KeyGradients,
) -> tuple[jax.Array, KeyGradients]:
    low, count = key_range(part, step)

    def absorb(i: Index, carry: tuple[jax.Array, KeyGradients]) -> tuple[jax.Array, KeyGradients]:
        dq, gradients = carry
        more_dq, dk, dv = tile_gradients(rows, _stretch(part, low, i), part.spec, options, own_T)
        return dq + more_dq, _accumulate(gradients, part, low + i * part.plan.keys, dk, dv)

    dq = jnp.zeros(rows.q_BTHD.shape, wide_dtype(rows.q_BTHD))
    if part.columns is not None:
        dq, dk, dv = tile_gradients(rows, part.columns, part.spec, options, own_T)
        assert gradients.column_k_BGKD is not None and gradients.column_v_BGKD is not None
        gradients = gradients._replace(
            column_k_BGKD=gradients.column_k_BGKD + dk, column_v_BGKD=gradients.column_v_BGKD + dv
        )
    return _repeat(count, absorb, (dq, gradients))


def _accumulate(gradients: KeyGradients, part: Part, start: Index, dk: jax.Array, dv: jax.Array) -> KeyGradients:
    """Add the gradients of a stretch of keys."""
    start = jnp.clip(start, 0, part.keys.k_BSKD.shape[1] - part.plan.keys)
    return gradients._replace(k_BSKD=_add(gradients.k_BSKD, dk, start), v_BSKD=_add(gradients.v_BSKD, dv, start))


def _add(whole: jax.Array, piece: jax.Array, start: Index) -> jax.Array:
    if piece.shape == whole.shape:
        return whole + piece
    old = lax.dynamic_slice_in_dim(whole, start, piece.shape[1], axis=1)
    return lax.dynamic_update_slice_in_dim(whole, old + piece, start, axis=1)


def _write(whole: jax.Array, piece: jax.Array, start: Index) -> jax.Array:
    return piece if piece.shape == whole.shape else lax.dynamic_update_slice_in_dim(whole, piece, start, axis=1)


def _nothing_seen(rows: Rows, key_heads: int) -> Softmax:
    batch, n_rows, heads, width = rows.q_BTHD.shape
    wide = wide_dtype(rows.q_BTHD)
    shape = (batch, key_heads, n_rows, heads // key_heads)
    return Softmax(
        jnp.full((*shape, 1), -jnp.inf, wide), jnp.zeros((*shape, 1), wide), jnp.zeros((*shape, width), wide)
    )
