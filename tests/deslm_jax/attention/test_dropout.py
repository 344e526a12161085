"""Dropout: one set of bits for every implementation, forward and backward, with the right rate and no pattern."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from deslm_jax.attention.dropout import dropout_seeds, keep_multiplier
from tests.deslm_jax.attention.cases import IMPLEMENTATIONS, QUICK_COMPILE, assert_agrees, make_problem, prepare


def draw(rng: jax.Array, batch: int, heads: int, rows: int, keys: int, rate: float) -> np.ndarray:
    """What every probability is multiplied by, [B,H,T,S]."""
    seeds = dropout_seeds(rng, batch, heads)[:, :, None, None, :]
    row = jnp.arange(rows, dtype=jnp.int32)[None, None, :, None]
    key = jnp.arange(keys, dtype=jnp.int32)[None, None, None, :]
    return np.asarray(keep_multiplier(seeds, row, key, rate))


@pytest.mark.parametrize("name", ["dense", "one tile", "key chunks"])
def test_every_implementation_drops_the_same(name: str) -> None:
    p = make_problem(41, rows=19, heads=4, window=(3, 4), n_globals=3, separate=True)
    rng = jax.random.key(3)
    p = p._replace(keep=draw(rng, 2, 4, 19, 19, 0.4))
    assert_agrees(p, IMPLEMENTATIONS[name], prepare(p, 0.4, rng), forward=4e-6, backward=4e-5)


def test_the_bits_look_independent() -> None:
    kept = draw(jax.random.key(0), 2, 2, 256, 256, 0.25) > 0
    deviation = 0.25**0.5 * 0.75**0.5
    assert abs(kept.mean() - 0.75) < 4 * deviation / kept.size**0.5
    for axis in (2, 3):  # no row or column is favoured
        spread = kept.mean(axis=axis).std()
        assert abs(spread / (deviation / 16) - 1) < 0.1
    signs = np.where(kept, 0.25, -0.75).astype(np.float64)
    pairs = [
        (signs[:, :, 1:], signs[:, :, :-1]),
        (signs[..., 1:], signs[..., :-1]),
        (signs[:, :, 1:, 1:], signs[:, :, :-1, :-1]),
        (signs[:, :, 1:, :-1], signs[:, :, :-1, 1:]),
        (signs[0], signs[1]),
        (signs[:, 0], signs[:, 1]),
        (signs, draw(jax.random.key(1), 2, 2, 256, 256, 0.25) - 1),
        (signs, signs.swapaxes(2, 3)),
    ]
    for a, b in pairs:
        correlation = (a * b).mean() / (a.std() * b.std())
        assert abs(correlation) < 6 / a.size**0.5


def test_no_dropout_without_a_rate_and_typed_keys_equal_raw_ones() -> None:
    p = make_problem(42, rows=9)
    spec = SparseAttentionSpec(p.window)

    @partial(jax.jit, static_argnums=0, compiler_options=QUICK_COMPILE)
    def run(rate: float, key: jax.Array | None) -> jax.Array:
        return sparse_attention(p.q, p.k, p.v, spec=spec, dropout_rate=rate, dropout_rng=key)

    key = jax.random.key(5)
    np.testing.assert_array_equal(run(0.0, None), run(0.0, key))
    dropped = np.asarray(run(0.5, key))
    assert not np.array_equal(dropped, run(0.0, None))
    np.testing.assert_array_equal(dropped, run(0.5, jax.random.key_data(key)))
    assert not np.array_equal(dropped, run(0.5, jax.random.key(6)))
