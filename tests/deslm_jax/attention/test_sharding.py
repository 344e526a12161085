"""Long sequences on several devices: under `jit` each keeps its examples and heads, and `pmap` changes nothing."""

import re
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from tests.deslm_jax.attention.cases import QUICK_COMPILE, make_problem

quick = partial(jax.jit, compiler_options=QUICK_COMPILE)
COLLECTIVES = re.compile(r"all-gather|all-reduce|all-to-all|collective-permute")


def problem(heads: int, key_heads: int) -> tuple[list[jax.Array], Any]:
    """(arrays with a batch of 2 and 150 rows, gradient function with dropout)."""
    p = make_problem(61, rows=150, heads=heads, key_heads=key_heads, width=4, n_globals=3, segments=True)

    def loss(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array, ids: jax.Array) -> jax.Array:
        out = sparse_attention(
            q,
            k,
            v,
            spec=SparseAttentionSpec((5, 3)),
            global_idx=idx,
            segment_ids=ids,
            dropout_rate=0.2,
            dropout_rng=jax.random.key(1),
        )
        return (out * out).sum()

    return [jnp.asarray(x) for x in (p.q, p.k, p.v, p.global_idx, p.segment_ids)], jax.grad(loss, argnums=(0, 1, 2))


@pytest.mark.parametrize(("heads", "key_heads", "split"), [(4, 4, "model"), (4, 2, None)])
def test_examples_and_heads_stay_on_their_devices(heads: int, key_heads: int, split: str | None) -> None:
    arrays, gradient = problem(heads, key_heads)
    mesh = jax.make_mesh((2, 4), ("data", "model"), axis_types=(AxisType.Auto,) * 2)
    specs = [PartitionSpec("data", None, split)] * 3 + [PartitionSpec("data")] * 2
    placed = [jax.device_put(x, NamedSharding(mesh, spec)) for x, spec in zip(arrays, specs, strict=True)]
    program = quick(gradient).lower(*placed).compile()
    assert not COLLECTIVES.findall(program.as_text())
    for got, want in zip(program(*placed), quick(gradient)(*arrays), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)
        assert got.sharding.is_equivalent_to(placed[0].sharding, 4)


def test_heads_that_do_not_divide_among_the_devices_are_gathered_not_refused() -> None:
    arrays, gradient = problem(8, 2)
    mesh = jax.make_mesh((4,), ("model",), axis_types=(AxisType.Auto,))
    q = jax.device_put(arrays[0], NamedSharding(mesh, PartitionSpec(None, None, "model")))
    for got, want in zip(quick(gradient)(q, *arrays[1:]), quick(gradient)(*arrays), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


def test_pmap_changes_nothing() -> None:
    arrays, gradient = problem(2, 1)
    want = quick(gradient)(*arrays)
    alone = [x[:, None] for x in arrays]
    # The bits of the dropout follow the place in the batch of a device: compare what pmap and vmap make of it.
    mapped = quick(jax.vmap(gradient))(*alone)
    for got, expected in zip(jax.pmap(gradient)(*alone), mapped, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(mapped[0][0], want[0][:1], rtol=0, atol=1e-5)
