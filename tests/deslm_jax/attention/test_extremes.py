"""Huge logits, half precision, windows that reach everywhere, and sequences packed into one row."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from deslm_jax.attention.reference import attend_dense
from tests.deslm_jax.attention import oracle
from tests.deslm_jax.attention.cases import (
    IMPLEMENTATIONS,
    QUICK_COMPILE,
    Run,
    blocked,
    cotangents,
    make_problem,
    prepare,
    run_with_gradients,
)

quick = partial(jax.jit, compiler_options=QUICK_COMPILE)


@pytest.mark.parametrize("name", ["one tile", "key chunks"])
def test_logits_of_ten_thousand(name: str) -> None:
    p = make_problem(31, rows=18, window=(None, 5), n_globals=2)
    p = p._replace(q=np.sign(p.q) * 1e4, k=np.where(p.k > 0, 1, -1).astype(np.float32), scale=1 / 8)
    # Row 0, which unused slots of global_idx read, sees nothing but -10,000.
    p.q[:, 0, 0], p.k[:, :, 0] = -1e4, 1
    p = p._replace(global_idx=np.array([[3, -1], [-1, 7]], np.int32))
    out, lse, grad = run_with_gradients(IMPLEMENTATIONS[name], prepare(p), np.ones(p.q.shape), np.ones(p.q.shape[:3]))
    want_out, want_lse = oracle.attend(p)
    assert np.abs(want_lse).max() >= 1e4 / 2
    np.testing.assert_allclose(out, want_out, rtol=0, atol=2e-6)
    np.testing.assert_allclose(lse, want_lse, rtol=1e-6)
    for name_of, want in oracle.gradients(p, np.ones(p.q.shape), np.ones(p.q.shape[:3])).items():
        np.testing.assert_allclose(grad[name_of], want, rtol=1e-5, atol=1e-3 if name_of == "k" else 2e-5)


def test_bfloat16_is_as_good_as_dense_bfloat16() -> None:
    p = make_problem(32, rows=50, heads=4, width=16, window=(6, 6), n_globals=3)
    d_out, d_lse = cotangents(p)
    inputs, spec, options = prepare(p)
    half = [jnp.asarray(x, jnp.bfloat16) for x in (p.q, p.k, p.v)]
    p = p._replace(q=half[0], k=half[1], v=half[2])
    exact = [oracle.attend(p)[0], *oracle.gradients(p, d_out, d_lse * 0).values()]

    def errors(run: Run) -> list[float]:
        def attend(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
            out, lse = run(inputs._replace(q_BTHD=q, k_BSKD=k, v_BSKD=v), spec, options)
            assert out.dtype == jnp.bfloat16 and lse.dtype == jnp.float32
            return out

        def both(*arrays: jax.Array) -> tuple[jax.Array, ...]:
            out, pull = jax.vjp(attend, *arrays)
            return out, *pull(jnp.asarray(d_out, jnp.bfloat16))

        results = quick(both)(*half)
        return [float(np.abs(np.asarray(x, np.float64) - y).max()) for x, y in zip(results, exact, strict=True)]

    for ours, dense in zip(errors(blocked(block=16)), errors(attend_dense), strict=True):
        assert ours <= 2 * dense


def test_a_window_beyond_both_ends_is_full_attention() -> None:
    p = make_problem(33, batch=1, rows=140, window=(140, 140))
    spec = SparseAttentionSpec(p.window)
    out = quick(lambda q, k, v: sparse_attention(q, k, v, spec=spec))(p.q, p.k, p.v)
    full = quick(jax.nn.dot_product_attention)(p.q, p.k, p.v)
    np.testing.assert_allclose(out, full, rtol=0, atol=2e-6)


def test_packed_sequences_equal_separate_calls() -> None:
    first, second = (make_problem(seed, batch=1, rows=10, window=(4, 4), n_globals=2) for seed in (34, 35))
    assert first.global_idx is not None and second.global_idx is not None
    packed = first._replace(
        **{name: np.concatenate([getattr(first, name), getattr(second, name)], axis=1) for name in ("q", "k", "v")},
        global_idx=np.concatenate([first.global_idx, np.where(second.global_idx < 0, -1, second.global_idx + 10)], 1),
        segment_ids=np.array([[5] * 10 + [2] * 10], np.int32),
    )
    ones = np.ones(packed.q.shape, np.float32), np.ones(packed.q.shape[:3], np.float32)
    out, lse, grad = run_with_gradients(blocked(block=8), prepare(packed), *ones)
    for p, part in ((first, slice(0, 10)), (second, slice(10, 20))):
        alone_out, alone_lse, alone_grad = run_with_gradients(
            IMPLEMENTATIONS["one tile"], prepare(p), *(x[:, part] for x in ones)
        )
        np.testing.assert_allclose(out[:, part], alone_out, rtol=0, atol=1e-6)
        np.testing.assert_allclose(lse[:, part], alone_lse, rtol=0, atol=1e-6)
        for name in ("q", "k", "v"):
            np.testing.assert_allclose(grad[name][:, part], alone_grad[name], rtol=0, atol=5e-6)
