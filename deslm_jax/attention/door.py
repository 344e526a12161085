"""The public door: checks the arguments of a call, then hands it to the implementation that fits."""

from collections.abc import Callable
from typing import Any, Literal, overload

import jax

from deslm_jax.attention.blocked import attend_blocked
from deslm_jax.attention.checks import checked_inputs
from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions
from deslm_jax.attention.mask import SparseAttentionSpec
from deslm_jax.attention.reference import attend_dense

Implementation = Callable[[AttentionInputs, SparseAttentionSpec, AttentionOptions], tuple[jax.Array, jax.Array]]
IMPLEMENTATIONS: dict[str, Implementation] = {"blocked": attend_blocked, "dense": attend_dense}


@overload
def sparse_attention(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    *,
    spec: SparseAttentionSpec,
    global_idx: jax.Array | None = None,
    q_global: jax.Array | None = None,
    k_global: jax.Array | None = None,
    v_global: jax.Array | None = None,
    segment_ids: jax.Array | None = None,
    kv_len: jax.Array | None = None,
    scale: float | None = None,
    dropout_rate: float = 0.0,
    dropout_rng: jax.Array | None = None,
    return_lse: Literal[False] = False,
    implementation: str | None = None,
) -> jax.Array: ...


@overload
def sparse_attention(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    *,
    spec: SparseAttentionSpec,
    global_idx: jax.Array | None = None,
    q_global: jax.Array | None = None,
    k_global: jax.Array | None = None,
    v_global: jax.Array | None = None,
    segment_ids: jax.Array | None = None,
    kv_len: jax.Array | None = None,
    scale: float | None = None,
    dropout_rate: float = 0.0,
    dropout_rng: jax.Array | None = None,
    return_lse: Literal[True],
    implementation: str | None = None,
) -> tuple[jax.Array, jax.Array]: ...


def sparse_attention(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    *,
    spec: SparseAttentionSpec,
    global_idx: jax.Array | None = None,
    q_global: jax.Array | None = None,
    k_global: jax.Array | None = None,
    v_global: jax.Array | None = None,
    segment_ids: jax.Array | None = None,
    kv_len: jax.Array | None = None,
    scale: float | None = None,
    dropout_rate: float = 0.0,
    dropout_rng: jax.Array | None = None,
    return_lse: bool = False,
    implementation: str | None = None,
) -> jax.Array | tuple[jax.Array, jax.Array]:
    """Attention of every row to its window and to the global tokens, which see and are seen by everyone.

    Args:
      q: [B,T,H,D] floating point. Query head h uses key head h*K//H.
      k, v: [B,S,K,D] of q's dtype; K divides H. S differs from T only for cross-attention: unlimited windows, not
        causal, no segments, no globals.
      spec: the window and whether it is causal.
      global_idx: integers [B,G], positions of global tokens, possibly traced and different for each example; in any
        order, -1 pads, repeats count once. A position of T or more is an error: NaN for that example under `jit`.
      q_global, k_global, v_global: separate projections (all three or none) with which global rows are computed:
        q_global [B,G,H,D] aligned with global_idx, k_global and v_global [B,S,K,D]. Local rows keep q, k and v for
        every column (Longformer, Beltagy et al. 2020).
      segment_ids: integers [B,T]; rows see keys of their own segment only; a negative id is padding.
      kv_len: integers [B]; keys from kv_len on are padding.
      scale: factor on the logits, 1/sqrt(D) unless given.
      dropout_rate, dropout_rng: dropout on the probabilities; bits depend on the rng and on (example, head, i, j) only.
      return_lse: also return the log-sum-exp of each row's allowed logits (-inf where none is allowed).
      implementation: "blocked" (linear memory) or "dense" (the oracle); None takes the best linear one for the device.

    Returns:
      [B,T,H,D] of q's dtype; a row with nothing to see is 0. With `return_lse`, also [B,T,H] float32.

    Raises:
      ValueError: an argument does not fit; the sentence names it and the fix.

    >>> import jax.numpy as jnp
    >>> x = jnp.ones((1, 8, 2, 4))
    >>> sparse_attention(x, x, x, spec=SparseAttentionSpec(window=(2, 2)), global_idx=jnp.array([[0, -1]])).shape
    (1, 8, 2, 4)
    """
    name = "blocked" if implementation is None else implementation
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"implementation is {implementation!r}: choose None or one of {sorted(IMPLEMENTATIONS)}")
    inputs, options = checked_inputs(
        AttentionInputs(q, k, v, global_idx, q_global, k_global, v_global, segment_ids, kv_len),
        spec,
        scale,
        dropout_rate,
        dropout_rng,
    )
    out, lse = IMPLEMENTATIONS[name](inputs, spec, options)
    return (out, lse) if return_lse else out


def dense_attention(q: jax.Array, k: jax.Array, v: jax.Array, *, spec: SparseAttentionSpec, **arguments: Any) -> Any:
    """`sparse_attention` by the dense oracle: the same arguments and results, memory T x S."""
    return sparse_attention(q, k, v, spec=spec, implementation="dense", **arguments)
