"""From the scores of all tokens to one token: the likeliest, or a draw from what two cuts leave.

Shapes: B rows, V vocabulary. No cut sorts: both look for a threshold by halving, 32 passes over the row, so that ties
at the threshold are all kept and a row's result depends on nothing but the row.
"""

from collections.abc import Callable
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp

from deslm_jax.decoding.methods import Sample


class Draw(NamedTuple):
    """The numbers of a `Sample`, as arguments of a compiled program."""

    temperature: jax.Array  # float32 scalar
    top_k: jax.Array | None  # int32 scalar
    top_p: jax.Array | None  # float32 scalar
    key_B: jax.Array  # one random key for each row


def draw_of(method: Sample, key_B: jax.Array) -> Draw:
    """Returns `method` with the keys it draws from."""
    top_k = None if method.top_k is None else jnp.int32(min(method.top_k, 2**31 - 1))
    top_p = None if method.top_p is None else jnp.float32(method.top_p)
    # Beyond these float32 has no quotient: a draw as cold is the likeliest token, one as hot any token alike.
    temperature = min(max(method.temperature, 1e-30), 1e30)
    return Draw(jnp.float32(temperature), top_k, top_p, key_B)


def likeliest(logits_BV: jax.Array) -> jax.Array:
    """Returns the token of the highest score, the first of equals; int32 [B]."""
    return jnp.argmax(logits_BV, axis=-1).astype(jnp.int32)


def draw(logits_BV: jax.Array, how: Draw, position: jax.Array) -> jax.Array:
    """Returns a token of each row at its probability under the temperature and the cuts; int32 [B].

    The draw is a function of the row's key, `position` and the row's logits alone.
    """
    # From the highest down, so that the quotient of the likeliest token is 0 and cannot overflow.
    scaled_BV = (logits_BV - jnp.max(logits_BV, axis=-1, keepdims=True)) / how.temperature
    if how.top_k is not None:
        scaled_BV = cut_top_k(scaled_BV, how.top_k)
    if how.top_p is not None:
        scaled_BV = cut_top_p(scaled_BV, how.top_p)
    one = lambda key, scaled_V: jax.random.categorical(jax.random.fold_in(key, position), scaled_V)
    return jax.vmap(one)(how.key_B, scaled_BV).astype(jnp.int32)


def cut_top_k(logits_BV: jax.Array, k: jax.Array | int) -> jax.Array:
    """Returns the logits with all but the `k` highest of each row at -inf; ties with the last of them stay.

    >>> cut_top_k(jnp.array([[1.0, 3.0, 2.0, 2.0]]), 2).tolist()
    [[-inf, 3.0, 2.0, 2.0]]
    """
    count = lambda kept_BV: jnp.sum(kept_BV.astype(jnp.int32), axis=-1)
    return _cut(logits_BV, lambda kept_BV: count(kept_BV) >= k)


def cut_top_p(logits_BV: jax.Array, p: jax.Array | float) -> jax.Array:
    """Returns the logits with all but the fewest likeliest, whose probabilities sum to at least `p`, at -inf.

    Nucleus sampling (Holtzman et al. 2020); ties with the last of them stay.

    >>> cut_top_p(jnp.log(jnp.array([[0.5, 0.2, 0.3]])), 0.6).round(1).tolist()
    [[-0.7, -inf, -1.2]]
    """
    probability_BV = jax.nn.softmax(logits_BV, axis=-1)
    return _cut(logits_BV, lambda kept_BV: jnp.sum(jnp.where(kept_BV, probability_BV, 0.0), axis=-1) >= p)


def _cut(logits_BV: jax.Array, is_enough: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """Keeps what is at or above the highest threshold that keeps enough (`is_enough`, [B,V] -> [B]), else all."""
    rank_BV = _ordered(logits_BV)
    lowest, highest = jnp.iinfo(jnp.int32).min, jnp.iinfo(jnp.int32).max

    def halve(_: int, bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low_B, high_B = bounds  # enough at low, or low is the bottom; not enough just above high
        middle_B = (low_B >> 1) + (high_B >> 1) + ((low_B | high_B) & 1)  # rounded up, without overflow
        enough_B = is_enough(rank_BV >= middle_B[:, None])
        return jnp.where(enough_B, middle_B, low_B), jnp.where(enough_B, high_B, middle_B - 1)

    start = (jnp.full(rank_BV.shape[:1], lowest, jnp.int32), jnp.full(rank_BV.shape[:1], highest, jnp.int32))
    threshold_B, _ = cast(tuple[jax.Array, jax.Array], jax.lax.fori_loop(0, 32, halve, start))
    return jnp.where(rank_BV >= threshold_B[:, None], logits_BV, -jnp.inf)


def _ordered(x: jax.Array) -> jax.Array:
    """Returns int32 that compare as the float32 do: negative floats count down in their bits."""
    bits = jax.lax.bitcast_convert_type(x.astype(jnp.float32), jnp.int32)
    lowest = jnp.int32(jnp.iinfo(jnp.int32).min)  # the bits of -0, which must compare equal to +0
    return jnp.where(bits == lowest, 0, jnp.where(bits < 0, bits ^ jnp.int32(0x7FFFFFFF), bits))
