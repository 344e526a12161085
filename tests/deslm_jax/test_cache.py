"""The slots of a cache: what a ring forgets, whose keys a hypothesis reads, and that nothing grows or is copied."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import GeneratorConfig
from deslm_jax.cache import attend_columns, claim, columns_of, empty_cache, follow, put
from deslm_jax.layers import KeysValues, attend


@pytest.fixture
def ring_config(tiny):
    """A ring of 2 + 3 + 1 slots."""
    return GeneratorConfig(**tiny, decoder_window=3, decoder_globals=2, max_target_len=50)


def test_a_ring_holds_the_first_places_and_the_latest(ring_config):
    cache, step = empty_cache(ring_config, 1, 50, kind="ring"), jax.jit(partial(claim, cfg=ring_config))
    for position in range(20):
        cache, place = step(cache, position=jnp.int32(position))
        held = np.asarray(cache.position_R)
        visible = held[np.asarray(place.visible_BNS)[0, 0]]
        assert held[place.slot] == position
        assert sorted(visible) == [p for p in range(position + 1) if p >= position - 3 or p < 2]


def test_a_ring_does_not_grow(ring_config):
    size = lambda length, kind: sum(x.nbytes for x in jax.tree.leaves(empty_cache(ring_config, 2, length, 3, kind)))
    assert size(20, "ring") == size(50, "ring") < size(20, "full") < size(50, "full")
    assert size(5, "ring") == size(5, "full")  # a ring larger than the answer has no use


def test_a_full_cache_sees_no_more_than_the_window(ring_config):
    cache = empty_cache(ring_config, 1, 12)
    for position in range(12):
        cache, place = claim(cache, ring_config, jnp.int32(position))
        visible = np.flatnonzero(place.visible_BNS[0, 0])
        assert visible.tolist() == [p for p in range(position + 1) if p >= position - 3 or p < 2]


@pytest.mark.parametrize("kind", ["full", "ring"])
def test_hypotheses_read_their_ancestors_slots(ring_config, kind):
    """Against lists that are copied whenever a parent is followed. A key is the number of who wrote it and when."""
    n, noise = 3, np.random.default_rng(0)
    cfg = dataclasses.replace(ring_config, d_model=4, n_heads=1, decoder_layers=1)
    cache, histories = empty_cache(cfg, 2, 12, n, kind), [[[] for _ in range(n)] for _ in range(2)]
    step = jax.jit(partial(claim, cfg=cfg))
    for position in range(12):
        cache, place = step(cache, position=jnp.int32(position))
        written_BN = np.array([[100 * position + 10 * b + i for i in range(n)] for b in range(2)], np.float32)
        key = np.broadcast_to(written_BN[..., None, None], (2, n, 1, 4))
        cache = cache._replace(layers=(put(cache.layers[0], key, key, place.slot),))
        k_BS = np.asarray(cache.layers[0].k_XDS)[:, 0]
        for b in range(2):
            for i in range(n):
                histories[b][i] = [*histories[b][i], written_BN[b, i]]
                recent = [w for p, w in enumerate(histories[b][i]) if p >= position - 3 or p < 2]
                assert sorted(k_BS[b][np.asarray(place.visible_BNS)[b, i]]) == sorted(recent)
        parent_BN = noise.integers(0, n, (2, n)).astype(np.int32)
        cache = follow(cache, parent_BN)
        histories = [[histories[b][parent] for parent in parent_BN[b]] for b in range(2)]


@pytest.mark.parametrize(("heads", "key_heads"), [(4, 4), (4, 2), (6, 1)])
def test_columns_are_read_as_rows_are(heads, key_heads):
    noise = np.random.default_rng(0)
    array = lambda *shape: noise.normal(size=shape).astype(np.float32)
    q, k, v, mask = (
        array(2, 3, heads, 8),
        array(2, 7, key_heads, 8),
        array(2, 7, key_heads, 8),
        noise.random((2, 3, 7)) > 0.4,
    )
    turned = columns_of(k, v)
    np.testing.assert_allclose(attend_columns(q, turned, mask), attend(q, KeysValues(k, v), mask), atol=1e-6)
    np.testing.assert_allclose(
        attend_columns(q, turned, mask[:, :1]), attend(q, KeysValues(k, v), mask[:, :1]), atol=1e-6
    )


def test_a_ring_needs_a_window(tiny):
    with pytest.raises(ValueError, match='"ring" cache needs a config with a decoder_window'):
        empty_cache(GeneratorConfig(**tiny), 1, 5, kind="ring")
