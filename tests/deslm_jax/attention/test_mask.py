"""The drawing of the mask is its definition; the spec refuses nonsense; a global mask becomes positions or an error."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.attention import SparseAttentionSpec, allowed_mask, global_idx_from_mask, sparse_attention
from deslm_jax.attention.places import first_of_each
from tests.deslm_jax.attention import oracle
from tests.deslm_jax.attention.cases import make_problem


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [(2, 3), (0, 0), (None, 1), (4, None), (50, 50)])
def test_drawing_is_the_definition(window: tuple[int | None, int | None], causal: bool) -> None:
    p = make_problem(0, rows=13, window=window, causal=causal, n_globals=3, segments=True, lengths=True)
    drawn = allowed_mask(
        SparseAttentionSpec(window, causal),
        13,
        13,
        global_idx=jnp.asarray(p.global_idx),
        segment_ids=jnp.asarray(p.segment_ids),
        kv_len=jnp.asarray(p.kv_len),
    )
    np.testing.assert_array_equal(np.asarray(drawn), oracle.draw_mask(p)[0])


def test_a_small_drawing_by_hand() -> None:
    drawn = allowed_mask(SparseAttentionSpec((1, 0)), 5, 5, global_idx=jnp.array([[3, -1]]))[0]
    want = ["x..x.", "xx.x.", ".xxx.", "xxxxx", "...xx"]
    assert ["".join("x" if seen else "." for seen in row) for row in np.asarray(drawn)] == want


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ((-1, 2), "left is -1"),
        ((2, 1.5), "right is 1.5"),
        ((True, 1), "left is True"),
        (4, "pair"),
        ((1, 2, 3), "pair"),
    ],
)
def test_a_wrong_window_is_named(window: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SparseAttentionSpec(window=window)  # type: ignore[arg-type]


def test_the_spec_is_hashable_and_causality_closes_the_right_side() -> None:
    spec = SparseAttentionSpec([np.int64(3), 5], causal=True)  # type: ignore[arg-type, list-item]
    assert spec == SparseAttentionSpec((3, 5), True) and hash(spec) == hash(SparseAttentionSpec((3, 5), True))
    assert (spec.left, spec.right) == (3, 0)


def test_repeats_padding_and_strangers_leave_the_slots() -> None:
    idx = jnp.array([[4, 2, 4, -1, 9], [0, 0, 0, 5, 2]], jnp.int32)
    valid = jnp.array([[True] * 6, [True] * 5 + [False]])
    assert first_of_each(idx, 6, valid).tolist() == [[4, 2, -1, -1, -1], [0, -1, -1, -1, 2]]


def test_a_global_mask_becomes_positions() -> None:
    mask = jnp.array([[1, 0, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
    assert global_idx_from_mask(mask, 4).tolist() == [[0, 3, 4, -1], [-1] * 4]
    assert jax.jit(global_idx_from_mask, static_argnums=1)(mask, 3).tolist() == [[0, 3, 4], [-1] * 3]


def test_overflow_of_the_capacity_is_an_error() -> None:
    mask = jnp.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)
    with pytest.raises(ValueError, match="marks 3 positions but capacity is 2"):
        global_idx_from_mask(mask, 2)
    x = jnp.ones((2, 4, 1, 2))
    spec = SparseAttentionSpec((1, 1))
    out = jax.jit(lambda m: sparse_attention(x, x, x, spec=spec, global_idx=global_idx_from_mask(m, 2)))(mask)
    assert np.isnan(out[0]).all() and np.isfinite(out[1]).all()
