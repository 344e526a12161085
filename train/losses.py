"""The two losses, as sums. A mean is taken once, over the *global* batch, by the step: the same number comes out under
jit with a sharded batch and under pmap, however padding is spread over the devices.

Both return `Sums`, which add: `Sums` of two halves of a batch, added leaf by leaf, are the `Sums` of the batch.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class Sums(NamedTuple):
    """What a batch adds up to; divide `loss` and `right` by `weight`."""

    loss: jax.Array  # float32 [], nats summed over everything that counts
    weight: jax.Array  # float32 [], how many tokens (generator) or examples (discriminator) counted
    right: jax.Array  # float32 [], how many of those the most likely class got right


def masked_cross_entropy(logits: jax.Array, targets: jax.Array, mask: jax.Array, smoothing: float = 0.0) -> Sums:
    """Cross-entropy of the next token over the tokens of `mask` alone; logits [..., V], targets and mask [...].

    A masked place adds exactly nothing, to the loss and to the gradient, whatever its finite logits are. With
    `smoothing` s the target is (1-s) of the token and s of the uniform distribution (Szegedy et al. 2015).
    """
    logits = logits.astype(jnp.float32)
    log_z = jax.nn.logsumexp(logits, axis=-1)
    chosen = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    nll = log_z - chosen
    if smoothing:
        nll = (1.0 - smoothing) * nll + smoothing * (log_z - logits.mean(axis=-1))
    # Not argmax: it costs more than the whole loss on a CPU, and two floats hardly ever tie.
    hit = chosen >= jax.lax.stop_gradient(logits).max(axis=-1)
    weights = mask.astype(jnp.float32)
    return Sums(_total(nll, weights), weights.sum(), _total(hit.astype(jnp.float32), weights))


def binary_cross_entropy(logits_B: jax.Array, labels_B: jax.Array, smoothing: float = 0.0) -> Sums:
    """Binary cross-entropy with logits; label 1 is fake, 0 is real. Smoothing s moves a label to s/2 or 1 - s/2."""
    logits_B, labels_B = logits_B.astype(jnp.float32), labels_B.astype(jnp.float32)
    nll_B = optax.sigmoid_binary_cross_entropy(logits_B, labels_B * (1.0 - smoothing) + 0.5 * smoothing)
    hit_B = (logits_B > 0) == (labels_B > 0.5)
    return Sums(nll_B.sum(), jnp.float32(logits_B.size), hit_B.astype(jnp.float32).sum())


def means(sums: Sums) -> dict[str, jax.Array]:
    """`loss` and `accuracy` of sums; an empty batch gives zeros, not NaN."""
    weight = jnp.maximum(sums.weight, 1.0)
    return {"loss": sums.loss / weight, "accuracy": sums.right / weight}


def _total(values: jax.Array, weights: jax.Array) -> jax.Array:
    return jnp.where(weights > 0, values * weights, 0.0).sum()
