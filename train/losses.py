"""The two losses, as sums. A mean is taken once, over the *global* batch, by the step: the same number comes out under
jit with a sharded batch and under pmap, however padding is spread over the devices.

Both return `Sums`, which add: `Sums` of two halves of a batch, added leaf by leaf, are the `Sums` of the batch.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class Sums(NamedTuple):
    """What a batch adds up to; divide `loss` and `right` by `weight`, and `whole_right` by `rows`."""

    loss: jax.Array  # float32 [], nats summed over everything that counts
    weight: jax.Array  # float32 [], how many tokens (generator) or examples (discriminator) counted
    right: jax.Array  # float32 [], how many of those the most likely class got right
    whole_right: jax.Array  # float32 [], rows in which everything was right (teacher forced)
    rows: jax.Array  # float32 [], rows with anything that counts


def masked_cross_entropy(logits_BUV: jax.Array, targets_BU: jax.Array, mask_BU: jax.Array, smoothing: float = 0.0) -> Sums:
    """Cross-entropy of the next token, over the tokens of `mask_BU` alone.

    A padded position adds exactly nothing, to the loss and to the gradient, whatever its logits are. With `smoothing`
    s the target is (1-s) of the token and s of the uniform distribution (Szegedy et al. 2015).
    """
    mask_BU = mask_BU.astype(bool)
    logits_BUV = jnp.where(mask_BU[..., None], logits_BUV, 0.0).astype(jnp.float32)
    log_z_BU = jax.nn.logsumexp(logits_BUV, axis=-1)
    chosen_BU = jnp.take_along_axis(logits_BUV, targets_BU[..., None], axis=-1)[..., 0]
    nll_BU = log_z_BU - chosen_BU
    if smoothing:
        nll_BU = (1.0 - smoothing) * nll_BU + smoothing * (log_z_BU - logits_BUV.mean(axis=-1))
    hit_BU = jnp.argmax(logits_BUV, axis=-1) == targets_BU
    any_B = mask_BU.any(axis=-1)
    return Sums(
        loss=_total(nll_BU, mask_BU),
        weight=_count(mask_BU),
        right=_count(hit_BU & mask_BU),
        whole_right=_count((hit_BU | ~mask_BU).all(axis=-1) & any_B),
        rows=_count(any_B),
    )


def binary_cross_entropy(logits_B: jax.Array, labels_B: jax.Array, weights_B: jax.Array, smoothing: float = 0.0) -> Sums:
    """Binary cross-entropy with logits; label 1 is fake, 0 is real. Rows of weight 0 (padding of the batch) count for nothing.

    Smoothing s moves a label to s/2 or 1 - s/2.
    """
    labels_B = labels_B.astype(jnp.float32)
    kept_B = weights_B > 0
    logits_B = jnp.where(kept_B, logits_B, 0.0).astype(jnp.float32)
    soft_B = labels_B * (1.0 - smoothing) + 0.5 * smoothing
    nll_B = optax.sigmoid_binary_cross_entropy(logits_B, soft_B)
    hit_B = (logits_B > 0) == (labels_B > 0.5)
    right = _total(hit_B.astype(jnp.float32), weights_B)
    weight = weights_B.astype(jnp.float32).sum()
    return Sums(loss=_total(nll_B, weights_B), weight=weight, right=right, whole_right=right, rows=weight)


def means(sums: Sums) -> Mapping[str, Any]:
    """`loss`, `accuracy` and `exact` of sums; an empty batch gives zeros, not NaN."""
    weight, rows = jnp.maximum(sums.weight, 1.0), jnp.maximum(sums.rows, 1.0)
    return {"loss": sums.loss / weight, "accuracy": sums.right / weight, "exact": sums.whole_right / rows}


def _total(values: jax.Array, weights: jax.Array) -> jax.Array:
    weights = weights.astype(jnp.float32)
    return jnp.where(weights > 0, values * weights, 0.0).sum()


def _count(flags: jax.Array) -> jax.Array:
    return flags.astype(jnp.float32).sum()
