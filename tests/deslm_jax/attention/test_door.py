"""Wrong arguments end in one sentence that names the argument and the fix."""

import doctest
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.attention import SparseAttentionSpec, dense_attention, door, mask, sparse_attention

X = np.zeros((2, 6, 4, 8), np.float32)
IDX = np.zeros((2, 3), np.int32)
UNLIMITED = SparseAttentionSpec((None, None))
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "three axes": ({"q": X[0]}, r"q has shape \(6, 4, 8\): it must be \[B,T,H,D\]"),
    "integers": ({"k": X.astype(np.int32)}, "k has dtype int32: cast it to a floating point"),
    "two dtypes": ({"v": X.astype(np.float16)}, "v is float16 but q is float32"),
    "no rows": ({"q": X[:, :0]}, "no axis may be empty"),
    "k unlike v": ({"k": X[:, :, :2]}, "v has shape .* they must be equal"),
    "batches": ({"k": X[:1], "v": X[:1]}, r"k has shape .* B \(first\) and D"),
    "heads": ({"k": X[:, :, :3], "v": X[:, :, :3]}, "heads of k must divide those of q"),
    "spec": ({"spec": (2, 2)}, "spec must be a SparseAttentionSpec, not tuple"),
    "implementation": ({"implementation": "flash"}, r"implementation is 'flash': choose None or one of \['blocked'"),
    "cross, window": ({"k": X[:, :5], "v": X[:, :5]}, "6 rows and k 5 keys: cross-attention needs"),
    "cross, segments": (
        {"k": X[:, :5], "v": X[:, :5], "spec": UNLIMITED, "segment_ids": np.zeros((2, 6), np.int32)},
        "use kv_len",
    ),
    "cross, globals": ({"k": X[:, :5], "v": X[:, :5], "spec": UNLIMITED, "global_idx": IDX}, "leave it out"),
    "global rank": ({"global_idx": IDX[0]}, r"global_idx has shape \(3,\): it must be \[B,G\], here \(2, 'any'\)"),
    "global dtype": ({"global_idx": IDX.astype(np.float32)}, "global_idx has dtype float32: pass int32"),
    "global range": ({"global_idx": IDX + 6}, "global_idx names position 6 of 6: pad unused slots with -1"),
    "segments": ({"segment_ids": np.zeros((2, 5), np.int32)}, r"segment_ids has shape \(2, 5\)"),
    "lengths": ({"kv_len": np.zeros((2, 1), np.int32)}, r"kv_len has shape \(2, 1\): it must be \[B\]"),
    "projections": ({"global_idx": IDX, "q_global": X[:, :3], "k_global": X}, "only q_global and k_global given"),
    "no positions": ({"q_global": X[:, :3], "k_global": X, "v_global": X}, "q_global is given without global_idx"),
    "slots": ({"global_idx": IDX, "q_global": X, "k_global": X, "v_global": X}, r"q_global has .* \(2, 3, 4, 8\)"),
    "global half": (
        {"global_idx": IDX, "q_global": X[:, :3].astype(np.float16), "k_global": X, "v_global": X},
        "q_global is float16 but q is float32",
    ),
    "scale": ({"scale": float("nan")}, "scale is nan"),
    "traced scale": ({"scale": jnp.ones(())}, "multiply q by a traced one"),
    "rate": ({"dropout_rate": 1.0}, "dropout_rate is 1.0: pass a Python float of at least 0 and below 1"),
    "no key": ({"dropout_rate": 0.1}, "dropout_rng is missing"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_wrong_argument_is_named(name: str) -> None:
    changed, sentence = WRONG[name]
    arguments: dict[str, Any] = {"q": X, "k": X, "v": X, "spec": SparseAttentionSpec((2, 2))} | changed
    with pytest.raises(ValueError, match=sentence) as caught:
        sparse_attention(**arguments)
    assert "\n" not in str(caught.value)


def test_the_default_is_never_the_dense_oracle() -> None:
    x = jax.ShapeDtypeStruct((1, 512, 1, 4), jnp.float32)
    spec = SparseAttentionSpec((None, None))
    assert "512,1,1,512" not in str(jax.make_jaxpr(lambda x: sparse_attention(x, x, x, spec=spec))(x))
    assert "512,1,1,512" in str(jax.make_jaxpr(lambda x: dense_attention(x, x, x, spec=spec))(x))


@pytest.mark.parametrize("module", [door, mask])
def test_the_examples_of_the_docstrings_run(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert tried > 0 and failed == 0


def test_return_lse_and_scale() -> None:
    x, spec = jnp.ones((1, 6, 2, 4)), SparseAttentionSpec((1, 1))
    out, lse = jax.jit(lambda x: sparse_attention(x, x, x, spec=spec, scale=0.5, return_lse=True))(x)
    np.testing.assert_allclose(out, x, rtol=1e-6)
    assert lse.dtype == jnp.float32
    np.testing.assert_allclose(lse[0, :, 0], 2 + np.log([2, 3, 3, 3, 3, 2]), rtol=1e-6)
