"""Long sequences on several devices: under `jit` each keeps its examples and heads, and `pmap` changes nothing."""

import re
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from tests.deslm_jax.attention.cases import QUICK_COMPILE, make_problem

quick = partial(jax.jit, compiler_options=QUICK_COMPILE)
SPEC = SparseAttentionSpec((5, 3))
COLLECTIVES = re.compile(r"all-gather|all-reduce|all-to-all|collective-permute")


def problem(heads: int, key_heads: int) -> tuple[list[jax.Array], Any]:
    """(arrays with a batch of 2 and 150 rows, gradient function)."""
    p = make_problem(61, rows=150, heads=heads, key_heads=key_heads, width=4, n_globals=3, segments=True)

    def loss(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array, ids: jax.Array) -> jax.Array:
        out = sparse_attention(q, k, v, spec=SPEC, global_idx=idx, segment_ids=ids)
        return (out * out).sum()

    return [jnp.asarray(x) for x in (p.q, p.k, p.v, p.global_idx, p.segment_ids)], jax.grad(loss, argnums=(0, 1, 2))


def test_examples_and_heads_stay_on_their_devices() -> None:
    arrays, gradient = problem(4, 4)
    mesh = jax.make_mesh((2, 4), ("data", "model"), axis_types=(AxisType.Auto,) * 2)
    specs = [PartitionSpec("data", None, "model")] * 3 + [PartitionSpec("data")] * 2
    placed = [jax.device_put(x, NamedSharding(mesh, spec)) for x, spec in zip(arrays, specs, strict=True)]
    program = quick(gradient).lower(*placed).compile()
    assert not COLLECTIVES.findall(program.as_text())
    for got, want in zip(program(*placed), quick(gradient)(*arrays), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)
        assert got.sharding.is_equivalent_to(placed[0].sharding, 4)


def test_heads_that_do_not_divide_among_the_devices_are_gathered_not_refused() -> None:
    (q, k, v, *_), _ = problem(8, 2)
    mesh = jax.make_mesh((4,), ("model",), axis_types=(AxisType.Auto,))
    placed = jax.device_put(q, NamedSharding(mesh, PartitionSpec(None, None, "model")))

    @quick
    def attend(q: jax.Array) -> jax.Array:
        return sparse_attention(q, k, v, spec=SPEC, dropout_rate=0.2, dropout_rng=jax.random.key(1))

    np.testing.assert_allclose(attend(placed), attend(q), rtol=0, atol=2e-6)


def test_pmap_changes_nothing() -> None:
    arrays, gradient = problem(2, 1)
    alone = [x[:, None] for x in arrays]
    for got, want in zip(jax.pmap(gradient)(*alone), quick(gradient)(*arrays), strict=True):
        np.testing.assert_allclose(got[:, 0], want, rtol=0, atol=1e-5)
