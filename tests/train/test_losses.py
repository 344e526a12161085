"""The losses against loops over single numbers, and what padding may not do."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from train.losses import Sums, binary_cross_entropy, masked_cross_entropy, means


def _batch(seed: int, rows: int = 6, length: int = 5, vocab: int = 7):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (rows, length, vocab)).astype(np.float32)
    targets = rng.integers(0, vocab, (rows, length)).astype(np.int32)
    lengths = rng.integers(0, length + 1, rows)
    lengths[0], lengths[1] = 0, length
    return logits, targets, np.arange(length)[None] < lengths[:, None]


def _slow_cross_entropy(logits, targets, mask, smoothing):
    loss = right = 0.0
    for b in range(logits.shape[0]):
        for u in range(logits.shape[1]):
            if not mask[b, u]:
                continue
            row = [float(x) for x in logits[b, u]]
            log_z = math.log(sum(math.exp(x) for x in row))
            wanted = [smoothing / len(row) + (1 - smoothing) * (v == targets[b, u]) for v in range(len(row))]
            loss += sum(w * (log_z - x) for w, x in zip(wanted, row, strict=True))
            right += row.index(max(row)) == targets[b, u]
    return loss, mask.sum(), right


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_the_slow_one(smoothing):
    logits, targets, mask = _batch(0)
    targets[2] = logits[2].argmax(-1)
    got = masked_cross_entropy(jnp.asarray(logits), jnp.asarray(targets), jnp.asarray(mask), smoothing)
    np.testing.assert_allclose(np.array(got), _slow_cross_entropy(logits, targets, mask, smoothing), rtol=1e-5)


def test_poisoned_padding_leaks_into_neither_loss_nor_gradient():
    logits, targets, mask = _batch(1)
    poisoned = np.where(mask[..., None], logits, 1e30 * np.sign(logits)).astype(np.float32)
    loss = lambda x: masked_cross_entropy(x, jnp.asarray(targets), jnp.asarray(mask)).loss
    clean, gradient = jax.value_and_grad(loss)(jnp.asarray(logits))
    dirty, dirty_gradient = jax.value_and_grad(loss)(jnp.asarray(poisoned))
    assert clean == dirty
    np.testing.assert_array_equal(gradient, dirty_gradient)
    assert not np.asarray(gradient)[~mask].any()


def test_sums_of_two_halves_are_the_sums_of_the_batch():
    """What makes the mean global: uneven halves add up, while the mean of their means would not be the mean."""
    logits, targets, mask = map(jnp.asarray, _batch(2))
    whole = masked_cross_entropy(logits, targets, mask)
    halves = [masked_cross_entropy(logits[i::2], targets[i::2], mask[i::2]) for i in (0, 1)]
    np.testing.assert_allclose(np.array(Sums(*map(sum, zip(*halves, strict=True)))), np.array(whole), rtol=1e-6)
    mean_of_means = np.mean([float(means(half)["loss"]) for half in halves])
    assert abs(mean_of_means - float(means(whole)["loss"])) > 1e-3


def test_binary_cross_entropy_is_the_slow_one():
    logits = np.array([-800.0, 3.0, -2.0, 0.5, 900.0], np.float32)
    labels = np.array([0, 1, 1, 0, 0], np.int32)
    p = [1 / (1 + math.exp(min(-float(x), 700))) for x in logits]
    slow = sum(-math.log(p[i] if labels[i] else 1 - p[i]) for i in range(4)) + 900
    got = binary_cross_entropy(jnp.asarray(logits), jnp.asarray(labels))
    np.testing.assert_allclose(np.array(got), [slow, 5, 2], rtol=1e-5)


def test_an_empty_batch_has_mean_zero():
    nothing = jnp.zeros((2, 3), bool)
    got = masked_cross_entropy(jnp.ones((2, 3, 4)), jnp.zeros((2, 3), jnp.int32), nothing)
    assert all(float(value) == 0.0 for value in means(got).values())
