"""Dropout: the asked share, the same bits from the same key, other bits at every other place."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import Generator
from deslm_jax.dropout import at_site, drop, seed_from

SEED = seed_from(jax.random.key(0))
ONES = jnp.ones((64, 32, 16))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_dropped_and_the_mean_kept(rate):
    dropped = np.asarray(drop(ONES, rate, SEED))
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / (1 - rate))}
    spread = np.sqrt(rate * (1 - rate) / ONES.size)
    assert abs((dropped == 0).mean() - rate) < 5 * spread
    for axis in range(3):  # no row, place or channel is spared
        others = tuple(a for a in range(3) if a != axis)
        share = (dropped == 0).mean(axis=others)
        assert np.abs(share - rate).max() < 6 * np.sqrt(rate * (1 - rate) / (ONES.size / ONES.shape[axis]))


def test_sites_and_keys_are_independent():
    bits = [np.asarray(drop(ONES, 0.5, at_site(SEED, site)) == 0).ravel() for site in range(8)]
    bits.append(np.asarray(drop(ONES, 0.5, seed_from(jax.random.key(1))) == 0).ravel())
    correlation = np.corrcoef(np.stack(bits).astype(float))
    assert np.abs(correlation - np.eye(9)).max() < 6 / np.sqrt(ONES.size)


def test_neighbours_are_independent():
    bits = np.asarray(drop(ONES, 0.5, SEED) == 0).ravel().astype(float)
    for lag in (1, 2, 16, 512):
        assert abs(np.corrcoef(bits[lag:], bits[:-lag])[0, 1]) < 6 / np.sqrt(bits.size)


def test_no_seed_or_no_rate_drops_nothing():
    assert at_site(None, 3) is None
    np.testing.assert_array_equal(drop(ONES, 0.5, None), ONES)
    np.testing.assert_array_equal(drop(ONES, 0.0, SEED), ONES)


@pytest.mark.parametrize("field", ["dropout", "attention_dropout"])
def test_a_model_drops_by_key_and_only_when_asked(tiny_generator, field):
    cfg, params = tiny_generator
    cfg = dataclasses.replace(cfg, **{"dropout": 0.0, "attention_dropout": 0.0, field: 0.3})
    ids = jnp.arange(7, 19)[None]

    @jax.jit
    def train(key):
        return Generator(cfg).apply({"params": params}, ids, ids[:, :5], deterministic=False, rngs={"dropout": key})

    first, again, other = (np.asarray(train(jax.random.key(k))) for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-2
    still = Generator(cfg).apply({"params": params}, ids, ids[:, :5])
    assert np.abs(first - still).max() > 1e-2
