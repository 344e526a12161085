"""Every implementation against the float64 loops: forward, log-sum-exp and all gradients, at awkward sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deslm_jax.attention import oracle
from tests.deslm_jax.attention.cases import (
    IMPLEMENTATIONS,
    assert_agrees,
    blocked,
    cotangents,
    make_problem,
    prepare,
    run_with_gradients,
)
from tests.deslm_jax.attention.oracle import Problem

CASES: dict[str, Problem] = {
    "even": make_problem(1, rows=32, n_globals=4),
    "uneven, grouped heads, packed": make_problem(2, rows=37, heads=4, window=(5, 4), n_globals=5, segments=True),
    "own projections of globals, lengths": make_problem(
        3, rows=21, heads=4, window=(3, 2), n_globals=4, separate=True, lengths=True
    ),
    "causal, packed, own projections": make_problem(
        4, rows=29, window=(6, 9), causal=True, n_globals=3, segments=True, separate=True
    ),
    "causal, unlimited left": make_problem(5, rows=27, window=(None, 0), causal=True, n_globals=3, lengths=True),
    "unlimited": make_problem(6, rows=18, window=(None, None), n_globals=2, segments=True),
    "cross": make_problem(7, rows=11, keys=26, heads=4, window=(None, None), lengths=True),
    "self only": make_problem(8, rows=17, window=(0, 0)),
    "all global, window beyond the end": make_problem(9, rows=12, window=(12, 40), n_globals=12),
    "one row": make_problem(10, rows=1, batch=1, window=(2, 0), n_globals=1),
    "unlimited right, own projections": make_problem(11, rows=25, window=(1, None), n_globals=3, separate=True),
    "globals side by side and at both ends": make_problem(13, rows=21, window=(2, 1), n_globals=5)._replace(
        global_idx=np.array([[20, 10, 0, 11, 20], [9, 8, 7, 20, 19]], np.int32)
    ),
    "fully masked rows": make_problem(12, rows=19, window=(1, 1), n_globals=2)._replace(
        segment_ids=np.array([[-1] * 19, [0] * 9 + [-1] * 10], np.int32), kv_len=np.array([19, 5], np.int32)
    ),
}
PLANS = {
    "dense": ["uneven, grouped heads, packed", "own projections of globals, lengths"],
    "one tile": [
        "even",
        "uneven, grouped heads, packed",
        "own projections of globals, lengths",
        "causal, packed, own projections",
        "fully masked rows",
    ],
    "blocks": list(CASES),
    "key chunks": ["uneven, grouped heads, packed", "causal, unlimited left", "cross"],
    "all heads": ["own projections of globals, lengths"],
}


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in PLANS.items() for case in cases])
def test_agrees_with_the_loops(name: str, case: str) -> None:
    assert_agrees(CASES[case], IMPLEMENTATIONS[name])


def test_hand_written_gradients_are_those_of_jax_in_float64() -> None:
    p = CASES["own projections of globals, lengths"]
    d_out, d_lse = cotangents(p)
    want = oracle.gradients(p, d_out, d_lse)
    with jax.enable_x64(True):
        inputs, spec, options = prepare(p)
        wide = jax.tree.map(lambda x: x.astype(jnp.float64) if x.dtype == jnp.float32 else x, inputs)
        d_out, d_lse = d_out.astype(np.float64), d_lse.astype(np.float64)
        grad = run_with_gradients(IMPLEMENTATIONS["dense"], (wide, spec, options), d_out, d_lse)[2]
    for name, x in grad.items():
        np.testing.assert_allclose(x, want[name], rtol=0, atol=1e-12, err_msg=name)


sides = st.one_of(st.none(), st.integers(0, 9), st.just(60))


@settings(max_examples=5, derandomize=True)
@given(
    seed=st.integers(0, 999),
    rows=st.integers(1, 41),
    window=st.tuples(sides, sides),
    causal=st.booleans(),
    n_globals=st.one_of(st.none(), st.integers(0, 41)),
    separate=st.booleans(),
    segments=st.booleans(),
    lengths=st.booleans(),
    block=st.sampled_from([4, 16]),
)
def test_agrees_at_any_size(block: int, n_globals: int | None, separate: bool, **shape: object) -> None:
    separate = separate and n_globals is not None
    p = make_problem(batch=2, heads=2, key_heads=1, width=3, n_globals=n_globals, separate=separate, **shape)  # type: ignore[arg-type]
    assert_agrees(p, blocked(block=block))
