"""The same numbers eagerly, under jit, vmap, pmap, remat, and with the batch sharded over devices."""

from collections.abc import Callable
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


def grad_of(rows: int) -> tuple[tuple[jax.Array, ...], Callable[..., Any]]:
    """(arguments with a batch of 4, gradient function) through the door; beyond 128 rows it works in blocks."""
    p = make_problem(51, batch=4, rows=rows, heads=2, key_heads=1, width=4, n_globals=3, segments=True)

    def loss(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array, ids: jax.Array) -> jax.Array:
        out = sparse_attention(q, k, v, spec=SPEC, global_idx=idx, segment_ids=ids)
        return (out * out * jnp.cos(jnp.arange(4.0))[None, None, None]).sum()

    arguments = tuple(jnp.asarray(x) for x in (p.q, p.k, p.v, p.global_idx, p.segment_ids))
    return arguments, jax.grad(loss, argnums=(0, 1, 2))


def assert_same(name: str, result: Any, want: Any) -> None:
    for got, expected in zip(result, want, strict=True):
        np.testing.assert_allclose(np.asarray(got).reshape(expected.shape), expected, rtol=0, atol=2e-6, err_msg=name)


def test_transformations_change_nothing() -> None:
    arguments, gradient = grad_of(24)
    want = quick(gradient)(*arguments)
    split = [x.reshape(2, 2, *x.shape[1:]) for x in arguments]
    assert_same("pmap", jax.pmap(gradient)(*split), want)
    assert_same("remat", quick(jax.checkpoint(gradient))(*arguments), want)


def test_eager_is_the_same() -> None:
    p = make_problem(53, batch=1, rows=9, n_globals=2)

    def out(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array) -> jax.Array:
        return sparse_attention(q, k, v, spec=SPEC, global_idx=idx)

    arguments = tuple(jnp.asarray(x) for x in (p.q, p.k, p.v, p.global_idx))
    assert_same("eager", [out(*arguments)], [quick(out)(*arguments)])


def test_vmap_over_the_loops_changes_nothing() -> None:
    arguments, gradient = grad_of(150)
    split = [x.reshape(2, 2, *x.shape[1:]) for x in arguments]
    assert_same("vmap", quick(jax.vmap(gradient))(*split), quick(gradient)(*arguments))


def test_a_sharded_batch_gives_the_same_and_stays_sharded() -> None:
    arguments, gradient = grad_of(24)
    want = quick(gradient)(*arguments)
    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
    placed = [jax.device_put(x, NamedSharding(mesh, PartitionSpec("data"))) for x in arguments]
    result = quick(gradient)(*placed)
    assert_same("sharded", result, want)
    assert all(x.sharding.spec[0] == "data" for x in result)


def test_gradients_do_not_look_ahead_of_a_causal_row() -> None:
    x = jnp.asarray(make_problem(52, batch=1, rows=12).q)
    spec = SparseAttentionSpec((4, 4), causal=True)

    @partial(quick, static_argnums=1)
    def reach(x: jax.Array, row: int) -> jax.Array:
        idx = jnp.array([[9, 2]])
        return jax.grad(lambda v: sparse_attention(x, x, v, spec=spec, global_idx=idx)[0, row].sum())(x)

    for row, seen in ((7, {2, 3, 4, 5, 6, 7}), (9, set(range(10)))):
        touched = np.flatnonzero(np.abs(np.asarray(reach(x, row)[0])).sum(axis=(1, 2)))
        assert set(touched.tolist()) == seen


def test_one_compilation_serves_every_position_of_the_globals() -> None:
    p = make_problem(54, batch=1, rows=20)
    traces = []

    @quick
    def attend(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array) -> jax.Array:
        traces.append(q.shape)
        return sparse_attention(q, k, v, spec=SPEC, global_idx=idx)

    seen = {float(attend(p.q, p.k, p.v, jnp.array([[g, -1]], jnp.int32)).sum()) for g in (0, 7, 19)}
    assert len(seen) == 3 and len(traces) == 1
