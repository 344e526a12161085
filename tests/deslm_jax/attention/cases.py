"""Problems small enough for the loops of the oracle, and how to run an implementation on one and measure its error."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax.attention.blocked import attend_with_plan
from deslm_jax.attention.checks import checked_inputs
from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions
from deslm_jax.attention.mask import SparseAttentionSpec
from deslm_jax.attention.plan import Plan, choose_plan
from deslm_jax.attention.reference import attend_dense
from tests.deslm_jax.attention import oracle
from tests.deslm_jax.attention.oracle import Problem

_FIELDS = {
    "q": "q_BTHD",
    "k": "k_BSKD",
    "v": "v_BSKD",
    "q_global": "q_global_BGHD",
    "k_global": "k_global_BSKD",
    "v_global": "v_global_BSKD",
}
Prepared = tuple[AttentionInputs, SparseAttentionSpec, AttentionOptions]
Run = Callable[[AttentionInputs, SparseAttentionSpec, AttentionOptions], tuple[jax.Array, jax.Array]]
# Compiling is what these tests cost; the code is the same and its arithmetic nearly so.
QUICK_COMPILE = {"xla_backend_optimization_level": 0}


def make_problem(
    seed: int,
    *,
    batch: int = 2,
    rows: int = 32,
    keys: int | None = None,
    heads: int = 2,
    key_heads: int = 2,
    width: int = 8,
    window: tuple[int | None, int | None] = (4, 4),
    causal: bool = False,
    n_globals: int | None = None,
    separate: bool = False,
    segments: bool = False,
    lengths: bool = False,
) -> Problem:
    """A random problem: globals in any order, with repeats and pads; packed segments with padding anywhere."""
    rng = np.random.default_rng(seed)
    keys = rows if keys is None else keys

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    p = Problem(
        normal(batch, rows, heads, width),
        normal(batch, keys, key_heads, width),
        normal(batch, keys, key_heads, width),
        window,
        causal,
    )
    if n_globals is not None:
        global_idx = rng.integers(-1, rows, (batch, n_globals)).astype(np.int32)
        if n_globals > 1:
            global_idx[:, -1] = global_idx[:, 0]
        p = p._replace(global_idx=global_idx)
    if separate:
        p = p._replace(
            q_global=normal(batch, n_globals or 0, heads, width),
            k_global=normal(batch, keys, key_heads, width),
            v_global=normal(batch, keys, key_heads, width),
        )
    if segments:
        ids = np.sort(rng.integers(0, 3, (batch, rows)), axis=1)
        p = p._replace(segment_ids=np.where(rng.random((batch, rows)) < 0.15, -1, ids).astype(np.int32))
    if lengths:
        p = p._replace(kv_len=rng.integers(1, keys + 1, batch).astype(np.int32))
    return p


def blocked(**sizes: Any) -> Run:
    """The blocked implementation under `choose_plan(**sizes)`, some of its fields replaced."""
    replaced = {name: sizes.pop(name) for name in ("keys", "head_by_head") if name in sizes}

    def run(
        inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions
    ) -> tuple[jax.Array, jax.Array]:
        n_keys = inputs.k_BSKD.shape[1]
        plan: Plan = choose_plan(inputs.q_BTHD.shape[1], n_keys, spec, platform="cpu", **sizes)._replace(**replaced)
        return attend_with_plan(inputs, spec, options, plan._replace(keys=min(plan.keys, n_keys)))

    return run


IMPLEMENTATIONS: dict[str, Run] = {
    "dense": attend_dense,
    "one tile": blocked(),
    "blocks": blocked(block=8),
    "key chunks": blocked(block=8, keys=8),
    "all heads": blocked(block=8, head_by_head=False),
}


def prepare(p: Problem, rate: float = 0.0, rng: jax.Array | None = None) -> Prepared:
    """The problem as the door hands it to an implementation."""
    spec = SparseAttentionSpec(p.window, p.causal)
    arrays = (p.q, p.k, p.v, p.global_idx, p.q_global, p.k_global, p.v_global, p.segment_ids, p.kv_len)
    raw = AttentionInputs(*(None if x is None else jnp.asarray(x) for x in arrays))
    inputs, options = checked_inputs(raw, spec, p.scale, rate, rng)
    return inputs, spec, options


def cotangents(p: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Random cotangents of (out, lse)."""
    rng = np.random.default_rng(7)
    return rng.normal(size=p.q.shape).astype(np.float32), rng.normal(size=p.q.shape[:3]).astype(np.float32)


def run_with_gradients(
    run: Run, prepared: Prepared, d_out: np.ndarray, d_lse: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """(out, lse, gradients by name), everything but spec and options traced."""
    inputs, spec, options = prepared
    arrays = {name: getattr(inputs, field) for name, field in _FIELDS.items() if getattr(inputs, field) is not None}
    step = _compiled(run, spec, options)
    (_, (out, lse)), grad = step(arrays, inputs, jnp.asarray(d_out), jnp.asarray(d_lse))
    return np.asarray(out), np.asarray(lse), {name: np.asarray(x) for name, x in grad.items()}


@cache
def _compiled(run: Run, spec: SparseAttentionSpec, options: AttentionOptions) -> Any:
    def loss(arrays: dict[str, jax.Array], inputs: AttentionInputs, d_out: jax.Array, d_lse: jax.Array) -> Any:
        out, lse = run(inputs._replace(**{_FIELDS[name]: x for name, x in arrays.items()}), spec, options)
        # d_lse of a row that sees nothing is not a number to multiply -inf with.
        return (out * d_out).sum() + jnp.where(lse > -jnp.inf, lse * d_lse, 0).sum(), (out, lse)

    return jax.jit(jax.value_and_grad(loss, has_aux=True), compiler_options=QUICK_COMPILE)


def assert_agrees(
    p: Problem,
    run: Run,
    prepared: Prepared | None = None,
    forward: float = 2e-6,
    backward: float = 2e-5,
) -> None:
    """Forward, lse and every gradient of `run` against the oracle."""
    d_out, d_lse = cotangents(p)
    out, lse, grad = run_with_gradients(run, prepare(p) if prepared is None else prepared, d_out, d_lse)
    want_out, want_lse = oracle.attend(p)
    np.testing.assert_allclose(out, want_out, rtol=0, atol=forward)
    np.testing.assert_array_equal(np.isneginf(lse), np.isneginf(want_lse))
    np.testing.assert_allclose(lse, want_lse, rtol=0, atol=forward)
    want = oracle.gradients(p, d_out, np.where(np.isneginf(want_lse), 0, d_lse))
    assert grad.keys() == want.keys()
    for name, x in grad.items():
        np.testing.assert_allclose(x, want[name], rtol=0, atol=backward, err_msg=f"gradient of {name}")
