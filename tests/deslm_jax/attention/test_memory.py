"""Complexity without a clock: nothing the size of T x S is made, and XLA's working memory grows in step with T."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from tests.deslm_jax.attention.cases import QUICK_COMPILE

WINDOWS = {
    "window": SparseAttentionSpec((16, 16)),
    "wide": SparseAttentionSpec((900, 900)),
    "unlimited left": SparseAttentionSpec((None, 3)),
    "unlimited": SparseAttentionSpec((None, None)),
}


def attention_and_gradients(spec: SparseAttentionSpec, **arguments: Any) -> Any:
    def loss(arrays: dict[str, jax.Array], idx: jax.Array | None, ids: jax.Array | None) -> jax.Array:
        out = sparse_attention(**arrays, spec=spec, global_idx=idx, segment_ids=ids, **arguments)
        return (out * out).sum()

    return jax.value_and_grad(loss)


def shapes(length: int, n_globals: int, separate: bool = False) -> tuple[Any, ...]:
    def like(n: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((1, n, 2, 4), dtype)

    arrays = {name: like(length) for name in ("q", "k", "v")}
    if separate:
        arrays |= {"q_global": like(n_globals), "k_global": like(length), "v_global": like(length)}
    idx = jax.ShapeDtypeStruct((1, n_globals), jnp.int32)
    return arrays, idx, jax.ShapeDtypeStruct((1, length), jnp.int32)


def largest(jaxpr: Any) -> int:
    """Elements of the largest array anywhere in a jaxpr."""

    def inner(value: Any) -> Iterator[Any]:
        for leaf in jax.tree.leaves(value, is_leaf=lambda x: hasattr(x, "eqns") or hasattr(x, "jaxpr")):
            if hasattr(leaf, "jaxpr"):
                yield leaf.jaxpr
            elif hasattr(leaf, "eqns"):
                yield leaf

    sizes = [1]
    for equation in jaxpr.eqns:
        sizes += [v.aval.size for v in equation.outvars if hasattr(v.aval, "size")]
        sizes += [largest(sub) for value in equation.params.values() for sub in inner(value)]
    return max(sizes)


@pytest.mark.parametrize("name", list(WINDOWS))
def test_no_array_of_rows_times_keys(name: str) -> None:
    length = 8192
    step = attention_and_gradients(WINDOWS[name], dropout_rate=0.1, dropout_rng=jax.random.key(0))
    for n_globals, separate in ((8, True), (length, False)):
        biggest = largest(jax.make_jaxpr(step)(*shapes(length, n_globals, separate)).jaxpr)
        assert biggest <= 96 * length, (biggest, length * length)


def test_the_scan_sees_a_dense_matrix() -> None:
    step = attention_and_gradients(WINDOWS["window"], implementation="dense")
    assert largest(jax.make_jaxpr(step)(*shapes(512, 8)).jaxpr) >= 512 * 512


@pytest.mark.parametrize(("name", "lengths"), [("window", (4096, 8192, 16384)), ("unlimited", (4096, 16384))])
def test_working_memory_grows_with_the_length(name: str, lengths: tuple[int, ...]) -> None:
    step = jax.jit(attention_and_gradients(WINDOWS[name]), compiler_options=QUICK_COMPILE)
    used = [step.lower(*shapes(n, 8)).compile().memory_analysis().temp_size_in_bytes for n in lengths]
    for i in range(1, len(lengths)):
        assert used[i] / used[0] <= 1.1 * lengths[i] / lengths[0]
    # Some ten arrays of T x H x D float32; T x T of them would be eight hundred times that.
    assert used[-1] <= 16384 * 8 * 4 * 12
