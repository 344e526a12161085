"""One example and one key head at a time: what a step then reads is contiguous and stays in a core's cache."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from deslm_jax.attention.inputs import AttentionInputs
from deslm_jax.attention.sharding import over_batch_and_heads

Known = TypeVar("Known")
Results = TypeVar("Results")
Index = jax.Array | int


def for_each_head(
    compute: Callable[[AttentionInputs, Known], Results], inputs: AttentionInputs, known: Known
) -> Results:
    """`compute(inputs, known)` put together from calls on one example and one key head each.

    Every array of `known` is [B,length] or [B,length,heads,...], every result [B,length,heads,...], with the query or
    the key heads. Under `jit` on several devices each works on its own share of the examples and key heads.
    """
    seeds = inputs.dropout_seeds_BH2
    lengthwise = inputs._replace(dropout_seeds_BH2=None if seeds is None else seeds[:, None])

    def compute_one(inputs: AttentionInputs, known: Known) -> Results:
        seeds = inputs.dropout_seeds_BH2
        return compute(inputs._replace(dropout_seeds_BH2=None if seeds is None else seeds[:, 0]), known)

    return over_batch_and_heads(
        lambda inputs, known: _loop(compute_one, inputs, known), inputs.k_BSKD.shape[2], lengthwise, known
    )


def _loop(compute: Callable[[AttentionInputs, Known], Results], inputs: AttentionInputs, known: Known) -> Results:
    batch, key_heads = inputs.k_BSKD.shape[0], inputs.k_BSKD.shape[2]
    if batch * key_heads == 1:
        return compute(inputs, known)

    def compute_at(example: Index, head: Index) -> Results:
        return compute(*jax.tree.map(lambda x: _cut(x, example, head, key_heads), (inputs, known)))

    def put(i: jax.Array, whole: Results) -> Results:
        example, head = lax.div(i, key_heads), lax.rem(i, key_heads)
        return jax.tree.map(lambda x, piece: _put(x, piece, example, head), whole, compute_at(example, head))

    def nothing(piece: jax.ShapeDtypeStruct) -> jax.Array:
        _, length, group, *rest = piece.shape
        return jnp.zeros((batch, length, group * key_heads, *rest), piece.dtype)

    whole = jax.tree.map(nothing, jax.eval_shape(lambda: compute_at(0, 0)))
    return lax.fori_loop(0, batch * key_heads, put, whole)


def _cut(x: jax.Array, example: Index, head: Index, key_heads: int) -> jax.Array:
    starts: list[Index] = [example] + [0] * (x.ndim - 1)
    sizes = [1, *x.shape[1:]]
    if x.ndim > 2:
        sizes[2] //= key_heads
        starts[2] = head * sizes[2]
    piece = lax.dynamic_slice(x, starts, sizes)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return piece
    # XLA's CPU back end copies a bare slice number by number, beside arithmetic by vectors: three times as fast. A
    # factor of 1 known beforehand would be simplified away.
    return piece * (jnp.asarray(head) >= 0).astype(x.dtype)


def _put(whole: jax.Array, piece: jax.Array, example: Index, head: Index) -> jax.Array:
    return lax.dynamic_update_slice(whole, piece, (example, 0, head * piece.shape[2], *[0] * (piece.ndim - 3)))
