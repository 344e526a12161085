"""One token after another, greedily or by drawing: a `while_loop` that ends when every row has ended.

Shapes: B rows, U places of an answer, V vocabulary.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from deslm_jax.decoding.answers import Generation, State, Step
from deslm_jax.decoding.choose import Draw, draw, likeliest
from deslm_jax.decoding.limits import Limits, allow


class _Loop(NamedTuple):
    position: jax.Array  # int32 scalar, next place to write
    last_B1: jax.Array  # int32, the token written last, the start token at first
    state: State
    written: Generation


def write(step: Step, state: State, n_rows: int, limits: Limits, how: Draw | None) -> Generation:
    """Returns an answer to each row: the likeliest token each time, or drawn as `how` says.

    A row that has ended is padded and no longer changes, whatever the others do.
    """
    start = _Loop(jnp.int32(0), jnp.full((n_rows, 1), limits.start_id, jnp.int32), state, _blank(n_rows, limits))
    unfinished = lambda loop: (loop.position < limits.max_len) & ~jnp.all(loop.written.finished_B)
    return jax.lax.while_loop(unfinished, partial(_write_one, step, limits, how), start).written


def _blank(n_rows: int, limits: Limits) -> Generation:
    zeros_B = jnp.zeros((n_rows,), jnp.float32)
    return Generation(
        jnp.full((n_rows, limits.max_len), limits.pad_id, jnp.int32),
        jnp.zeros((n_rows,), jnp.int32),
        jnp.zeros((n_rows, limits.max_len), jnp.float32),
        zeros_B,
        jnp.zeros((n_rows,), bool),
        zeros_B,
    )


def _write_one(step: Step, limits: Limits, how: Draw | None, loop: _Loop) -> _Loop:
    """Writes one more token of every row that is not finished."""
    done_B, position = loop.written.finished_B, loop.position
    logits_BNV, state = step(loop.last_B1, position, loop.state)
    logits_BV = logits_BNV[:, 0]
    allowed_BV = allow(limits, logits_BV, position, loop.written.ids_BU)
    chosen_B = likeliest(allowed_BV) if how is None else draw(allowed_BV, how, position)
    own_B = jnp.take_along_axis(logits_BV, chosen_B[:, None], axis=1)[:, 0] - jax.nn.logsumexp(logits_BV, axis=-1)
    token_B = jnp.where(done_B, limits.pad_id, chosen_B)
    log_probability_B = jnp.where(done_B, 0.0, own_B)
    put = lambda rows, new_B: jax.lax.dynamic_update_slice_in_dim(rows, new_B[:, None], position, axis=1)
    total_B = loop.written.log_probability_B + log_probability_B
    written = Generation(
        put(loop.written.ids_BU, token_B),
        loop.written.lengths_B + (~done_B).astype(jnp.int32),
        put(loop.written.token_log_probability_BU, log_probability_B),
        total_B,
        done_B | (token_B == limits.eos_id),
        total_B,
    )
    return _Loop(position + 1, token_B[:, None], state, written)
