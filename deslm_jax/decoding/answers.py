"""What decoding returns."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

State = Any  # a pytree: whatever the step remembers of the places before
# (tokens read last, int32 [B,N]; their position, int32 scalar; state) -> (logits of the next, float32 [B,N,V]; state)
Step = Callable[[jax.Array, jax.Array, State], tuple[jax.Array, State]]


class Generation(NamedTuple):
    """Answers of a batch. U is the length decoded for at most; `n_best` answers of a row are neighbours, best first.

    Log-probabilities are always those of the model's own distribution: before temperature, cuts and forced tokens.
    """

    ids_BU: jax.Array  # int32, what was written, the end token included; padding after it
    lengths_B: jax.Array  # int32, tokens written, the end token included
    token_log_probability_BU: jax.Array  # float32, of each token written; 0 after the end
    log_probability_B: jax.Array  # float32, of the whole answer: their sum
    finished_B: jax.Array  # bool, whether the row ended by itself rather than by running out of room
    score_B: jax.Array  # float32, what beam search ranks by (HF `sequences_scores`); elsewhere the log-probability

    @property
    def confidence_B(self) -> jax.Array:
        """The model's own probability of the whole answer, float32 [B]: raw, see `calibration`."""
        return jnp.exp(self.log_probability_B)

    @property
    def token_confidence_BU(self) -> jax.Array:
        """The model's own probability of each token written, float32 [B,U]; 1 after the end."""
        return jnp.exp(self.token_log_probability_BU)
