"""Argument checks of the attention door: one sentence each, naming the argument and the fix."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax.attention.dropout import dropout_seeds
from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions
from deslm_jax.attention.mask import SparseAttentionSpec


def checked_inputs(
    raw: AttentionInputs,
    spec: SparseAttentionSpec,
    scale: float | None,
    dropout_rate: float,
    dropout_rng: jax.Array | None,
) -> tuple[AttentionInputs, AttentionOptions]:
    """The arguments as implementations expect them: integer arrays int32, seeds drawn, scale filled in.

    Raises:
      ValueError: an argument has the wrong type, shape or range, or does not go with another.
    """
    if not isinstance(spec, SparseAttentionSpec):
        raise ValueError(
            f"spec must be a SparseAttentionSpec, not {type(spec).__name__}: SparseAttentionSpec(window=(256, 256))"
        )
    _check_qkv(raw)
    inputs = raw._replace(
        global_idx_BG=_int32("global_idx", raw.global_idx_BG, "[B,G]", (raw.q_BTHD.shape[0], None)),
        segment_ids_BT=_int32("segment_ids", raw.segment_ids_BT, "[B,T]", raw.q_BTHD.shape[:2]),
        kv_len_B=_int32("kv_len", raw.kv_len_B, "[B]", raw.q_BTHD.shape[:1]),
    )
    _check_cross(inputs, spec)
    _check_globals(inputs)
    options = AttentionOptions(_checked_scale(scale, raw.q_BTHD.shape[-1]), _checked_rate(dropout_rate))
    if options.dropout_rate > 0:
        if dropout_rng is None:
            raise ValueError("dropout_rate is above 0 but dropout_rng is missing: pass a PRNG key or dropout_rate=0")
        batch, _, heads, _ = raw.q_BTHD.shape
        inputs = inputs._replace(dropout_seeds_BH2=dropout_seeds(dropout_rng, batch, heads))
    return inputs, options


def _check_qkv(raw: AttentionInputs) -> None:
    q, k, v = raw.q_BTHD, raw.k_BSKD, raw.v_BSKD
    for name, x, legend in (("q", q, "[B,T,H,D]"), ("k", k, "[B,S,K,D]"), ("v", v, "[B,S,K,D]")):
        if x.ndim != 4:
            raise ValueError(f"{name} has shape {x.shape}: it must be {legend}")
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise ValueError(f"{name} has dtype {x.dtype}: cast it to a floating point dtype")
        if x.dtype != q.dtype:
            raise ValueError(f"{name} is {x.dtype} but q is {q.dtype}: cast them to one dtype")
        if 0 in x.shape:
            raise ValueError(f"{name} has shape {x.shape}: no axis may be empty")
    if k.shape != v.shape:
        raise ValueError(f"v has shape {v.shape} but k has {k.shape}: they must be equal")
    if k.shape[0] != q.shape[0] or k.shape[3] != q.shape[3]:
        raise ValueError(f"k has shape {k.shape} but q has {q.shape}: B (first) and D (last) must be equal")
    if q.shape[2] % k.shape[2] != 0:
        raise ValueError(f"q has {q.shape[2]} heads and k {k.shape[2]}: the heads of k must divide those of q")


def _int32(name: str, x: Any, legend: str, shape: tuple[int | None, ...]) -> jax.Array | None:
    if x is None:
        return None
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        raise ValueError(f"{name} has dtype {x.dtype}: pass int32")
    if x.ndim != len(shape) or any(want is not None and got != want for got, want in zip(x.shape, shape, strict=True)):
        wanted = tuple("any" if want is None else want for want in shape)
        raise ValueError(f"{name} has shape {x.shape}: it must be {legend}, here {wanted}")
    return x.astype(jnp.int32)


def _check_cross(inputs: AttentionInputs, spec: SparseAttentionSpec) -> None:
    n_rows, n_keys = inputs.q_BTHD.shape[1], inputs.k_BSKD.shape[1]
    if n_rows == n_keys:
        return
    lengths = f"q has {n_rows} rows and k {n_keys} keys"
    if spec.causal or spec.window != (None, None):
        raise ValueError(f"{lengths}: cross-attention needs SparseAttentionSpec(window=(None, None), causal=False)")
    if inputs.segment_ids_BT is not None:
        raise ValueError(f"{lengths}: segment_ids name rows and keys alike; use kv_len for padded keys")
    if inputs.global_idx_BG is not None:
        raise ValueError(f"{lengths}: global_idx names rows and keys alike; leave it out, every row sees every key")


def _check_globals(inputs: AttentionInputs) -> None:
    batch, n_rows, heads, width = inputs.q_BTHD.shape
    projections = (inputs.q_global_BGHD, inputs.k_global_BSKD, inputs.v_global_BSKD)
    names = ("q_global", "k_global", "v_global")
    given = [name for name, x in zip(names, projections, strict=True) if x is not None]
    if given:
        if len(given) < 3:
            raise ValueError(f"only {' and '.join(given)} given: pass all of {', '.join(names)}, or none")
        if inputs.global_idx_BG is None:
            raise ValueError("q_global is given without global_idx: pass the positions of its rows")
        n_globals = inputs.global_idx_BG.shape[1]
        shapes = ((batch, n_globals, heads, width), inputs.k_BSKD.shape, inputs.v_BSKD.shape)
        for name, x, shape in zip(names, projections, shapes, strict=True):
            if x.shape != shape:  # type: ignore[union-attr]
                raise ValueError(f"{name} has shape {x.shape}: here it must be {shape}")  # type: ignore[union-attr]
            if x.dtype != inputs.q_BTHD.dtype:  # type: ignore[union-attr]
                raise ValueError(f"{name} is {x.dtype} but q is {inputs.q_BTHD.dtype}: cast them to one dtype")  # type: ignore[union-attr]
    idx = inputs.global_idx_BG
    if idx is not None and idx.size and not isinstance(idx, jax.core.Tracer) and int(np.asarray(idx).max()) >= n_rows:
        raise ValueError(
            f"global_idx names position {int(np.asarray(idx).max())} of {n_rows}: pad unused slots with -1"
        )


def _checked_scale(scale: float | None, width: int) -> float:
    if scale is None:
        return 1.0 / math.sqrt(width)
    if isinstance(scale, jax.Array | np.ndarray) or not math.isfinite(scale):
        raise ValueError(f"scale is {scale!r}: pass a finite Python float, or multiply q by a traced one")
    return float(scale)


def _checked_rate(dropout_rate: float) -> float:
    if isinstance(dropout_rate, jax.Array | np.ndarray) or not 0 <= dropout_rate < 1:
        raise ValueError(f"dropout_rate is {dropout_rate!r}: pass a Python float of at least 0 and below 1")
    return float(dropout_rate)
