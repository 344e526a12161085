"""One training step: a pure function `step(state, batch) -> (state, metrics)`.

The step is the same under jit (one program over a sharded batch) and under pmap (one program a device): sums become
global through `axis_name`, so the loss is always a mean over the global batch. Randomness is a function of
(seed, step), both of which live in the state; nothing else is needed to resume.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from train.losses import Sums, means

Batch = Mapping[str, jax.Array]
Params = Any
LossFn = Callable[[Params, Batch, jax.Array], Sums]
Metrics = dict[str, jax.Array]


class TrainState(NamedTuple):
    """Everything a run is at one moment; a checkpoint is exactly this."""

    step: jax.Array  # int32 [], steps taken
    seed: jax.Array  # uint32 [], seed of dropout
    params: Params  # pytree float32, the model
    optimizer_state: Any  # pytree, optax


class Optimizer(NamedTuple):
    """The settings of AdamW under a warm-up and cosine schedule (Loshchilov & Hutter 2019)."""

    learning_rate: float = 3e-3  # at the top of the schedule
    warmup_steps: int = 50  # linear from 0
    steps: int = 600  # the schedule ends here, at `floor` of the top
    floor: float = 0.01  # share of the learning rate at the end
    weight_decay: float = 0.01  # decoupled; matrices only, never biases, norms or scales
    b1: float = 0.9
    b2: float = 0.98
    clip_norm: float = 1.0  # the global norm of the gradient is cut to this

    def schedule(self) -> optax.Schedule:
        """Learning rate as a function of the step."""
        warmup = min(self.warmup_steps, max(self.steps - 1, 1))
        return optax.warmup_cosine_decay_schedule(
            0.0, self.learning_rate, warmup, max(self.steps, warmup + 1), self.learning_rate * self.floor
        )

    def transform(self) -> optax.GradientTransformation:
        """Clip, AdamW, schedule."""
        return optax.chain(
            optax.clip_by_global_norm(self.clip_norm),
            optax.adamw(self.schedule(), self.b1, self.b2, weight_decay=self.weight_decay, mask=_is_matrix),
        )

    def rate(self, step: jax.Array) -> jax.Array:
        """Returns the learning rate of a step."""
        with jax.numpy_dtype_promotion("standard"):
            return jnp.asarray(self.schedule()(step), jnp.float32)

    def update(self, gradient: Params, optimizer_state: Any, params: Params) -> tuple[Params, Any]:
        """Returns the new parameters and the new state of the optimizer."""
        # optax raises floats to integer powers, which strict promotion forbids; nothing else is relaxed.
        with jax.numpy_dtype_promotion("standard"):
            updates, optimizer_state = self.transform().update(gradient, optimizer_state, params)
        return optax.apply_updates(params, updates), optimizer_state


def init(params: Params, optimizer: Optimizer, seed: int) -> TrainState:
    """The state before the first step."""
    return TrainState(jnp.int32(0), jnp.uint32(seed % 2**32), params, optimizer.transform().init(params))


def make_step(
    loss_fn: LossFn, optimizer: Optimizer, axis_name: str | None = None
) -> Callable[[TrainState, Batch], tuple[TrainState, Metrics]]:
    """The pure step for a loss; wrap it with `train.parallel`.

    `loss_fn(params, batch, dropout_key)` returns sums. Under pmap (`axis_name`) the sums and gradients are added over
    the devices and each device draws its own dropout.
    """
    add = (lambda tree: jax.lax.psum(tree, axis_name)) if axis_name else (lambda tree: tree)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        if axis_name:
            key = jax.random.fold_in(key, jax.lax.axis_index(axis_name))

        def total_loss(params: Params) -> tuple[jax.Array, Sums]:
            sums = loss_fn(params, batch, key)
            return sums.loss, sums

        (_, local), gradient = jax.value_and_grad(total_loss, has_aux=True)(state.params)
        sums, gradient = add((local, gradient))
        gradient = jax.tree.map(lambda leaf: leaf / jnp.maximum(sums.weight, 1.0), gradient)
        params, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
        metrics = {
            **means(sums),
            "gradient_norm": optax.tree.norm(gradient),
            "learning_rate": optimizer.rate(state.step),
        }
        return TrainState(state.step + 1, state.seed, params, optimizer_state), metrics

    return step


def _is_matrix(params: Params) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim >= 2, params)
