"""A model small enough to train in microseconds, for the tests of the step, the loop and the checkpoints."""

import jax
import jax.numpy as jnp
import numpy as np

from train.losses import Sums, masked_cross_entropy
from train.step import Optimizer, TrainState, init

VOCAB, WIDTH, LENGTH = 11, 8, 4
OPTIMIZER = Optimizer(learning_rate=0.05, warmup_steps=3, steps=40)


def toy_params(seed: int = 0) -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(seed))
    return {
        "table": jax.random.normal(keys[0], (VOCAB, WIDTH)) * 0.5,
        "out": jax.random.normal(keys[1], (WIDTH, VOCAB)) * 0.5,
        "bias": jnp.zeros(VOCAB),
    }


def toy_state(seed: int = 0) -> TrainState:
    return init(toy_params(seed), OPTIMIZER, seed)


def toy_loss(params, batch, key) -> Sums:
    hidden = jnp.tanh(params["table"][batch["ids"]])
    logits = hidden @ params["out"] + params["bias"][None, None]
    return masked_cross_entropy(logits, batch["targets"], batch["mask"])


def toy_dropout_loss(params, batch, key) -> Sums:
    """The same with noise that depends on the step's key, so that resuming at the wrong key shows."""
    noise = jax.random.bernoulli(key, 0.8, params["table"].shape).astype(jnp.float32)
    return toy_loss({**params, "table": params["table"] * noise}, batch, key)


def toy_batch(step: int, rows: int = 16) -> dict[str, np.ndarray]:
    """Rows of very different length, so that a mean of means is not the mean."""
    rng = np.random.default_rng([7, step])
    ids = rng.integers(0, VOCAB, (rows, LENGTH)).astype(np.int32)
    lengths = np.where(np.arange(rows) < rows // 2, 1, LENGTH)
    return {"ids": ids, "targets": (ids * 3 + 1) % VOCAB, "mask": np.arange(LENGTH)[None] < lengths[:, None]}
