"""What is padded may hold anything: NaN there reaches no valid output and no gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions
from deslm_jax.attention.mask import SparseAttentionSpec
from tests.deslm_jax.attention.cases import (
    IMPLEMENTATIONS,
    Run,
    cotangents,
    make_problem,
    prepare,
    run_with_gradients,
)
from tests.deslm_jax.attention.oracle import Problem


def poisoned(p: Problem, where_BT: np.ndarray, names: tuple[str, ...]) -> Problem:
    """The problem with NaN in the named arrays at the marked positions."""
    replaced = {}
    for name in names:
        x = getattr(p, name).copy()
        x[where_BT] = np.nan
        replaced[name] = x
    return p._replace(**replaced)


def _selecting(wanted_BT: np.ndarray, run: Run) -> Run:
    """As a caller does: a loss that selects the rows it wants, and so sends zero cotangents to the others."""

    def selected(
        inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions
    ) -> tuple[jax.Array, jax.Array]:
        out, lse = run(inputs, spec, options)
        return jnp.where(wanted_BT[:, :, None, None], out, 0), jnp.where(wanted_BT[:, :, None], lse, 0)

    return selected


@pytest.mark.parametrize("name", ["dense", "one tile", "blocks"])
def test_poison_under_segments(name: str) -> None:
    p = make_problem(21, rows=22, window=(3, 3), n_globals=4, separate=True, segments=True)
    assert p.segment_ids is not None and p.global_idx is not None
    padded = p.segment_ids < 0
    p.global_idx[:, 1] = padded.argmax(axis=1)  # a padded position is never global
    assert padded.any(axis=1).all()
    bad = poisoned(p, padded, ("q", "k", "v", "k_global", "v_global"))
    bad = poisoned(bad, np.arange(4)[None] == np.array([[1], [1]]), ("q_global",))
    d_out, d_lse = cotangents(p)
    out, lse, grad = run_with_gradients(IMPLEMENTATIONS[name], prepare(p), d_out, d_lse)
    # The cotangent of a padded row may be NaN too where a loss divided by its zero.
    d_out = np.where(padded[:, :, None, None] & (name != "dense"), np.nan, d_out)
    bad_out, bad_lse, bad_grad = run_with_gradients(IMPLEMENTATIONS[name], prepare(bad), d_out, d_lse)
    np.testing.assert_array_equal(bad_out, out)
    np.testing.assert_array_equal(bad_lse, lse)
    assert (out[padded] == 0).all() and np.isneginf(lse[padded]).all()
    for argument, x in bad_grad.items():
        np.testing.assert_array_equal(x, grad[argument], err_msg=argument)
        if argument != "q_global":
            assert (x[padded] == 0).all(), argument


def test_poison_beyond_the_length() -> None:
    p = make_problem(22, rows=20, window=(3, 2), n_globals=3)._replace(kv_len=np.array([13, 20], np.int32))
    beyond = np.arange(20)[None] >= np.array([[13], [20]])
    d_out, d_lse = cotangents(p)
    d_out[beyond], d_lse[beyond] = 0, 0  # rows beyond the length are computed, and the caller ignores them
    run = _selecting(~beyond, IMPLEMENTATIONS["blocks"])
    out, _, grad = run_with_gradients(run, prepare(p), d_out, d_lse)
    bad_out, _, bad_grad = run_with_gradients(run, prepare(poisoned(p, beyond, ("q", "k", "v"))), d_out, d_lse)
    np.testing.assert_array_equal(bad_out[~beyond], out[~beyond])
    for argument, x in bad_grad.items():
        np.testing.assert_array_equal(x, grad[argument], err_msg=argument)
