"""Writing an answer: greedy decoding with a cache, compiled once for each shape.

The prompt is encoded once, and so are the keys and values that the decoder reads from it; each step computes one
position. The loop ends when every row has written its end token. A way of choosing tokens is a function from logits
to (token, its log-probability); greedy is the one there is.
"""

from functools import partial
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax.config import GeneratorConfig
from deslm_jax.generator import Generator, Memory, empty_cache
from deslm_jax.initial import Params
from deslm_jax.layers import KeysValues

Array = jax.Array | np.ndarray
_Stepped = tuple[jax.Array, tuple[KeysValues, ...]]


class Generation(NamedTuple):
    """Answers of a batch. U is the length decoded for at most."""

    ids_BU: jax.Array  # int32, what was written, the end token included; padding after it
    lengths_B: jax.Array  # int32, tokens written, the end token included
    token_log_probability_BU: jax.Array  # float32, of each token written; 0 after the end
    log_probability_B: jax.Array  # float32, of the whole answer: their sum
    finished_B: jax.Array  # bool, whether the row ended by itself rather than by running out of room

    @property
    def confidence_B(self) -> jax.Array:
        """The model's own probability of the whole answer, float32 [B]: raw, see `calibration`."""
        return jnp.exp(self.log_probability_B)


class _State(NamedTuple):
    position: jax.Array  # int32 scalar, next place to write
    last_B: jax.Array  # int32, the token written last, the start token at first
    past: tuple[KeysValues, ...]  # keys and values of what was written, [B,U,H,D] a layer
    written: Generation


def generate(
    cfg: GeneratorConfig,
    params: Params,
    enc_ids: Array,
    encoder_mask: Array | None = None,
    global_mask: Array | None = None,
    max_len: int | None = None,
) -> Generation:
    """Returns the greedy answer to each prompt.

    `enc_ids` int32 [B,S], masks bool [B,S] as in `Generator.__call__`; at most `max_len` tokens an answer (default:
    `cfg.max_target_len`), the end token included. Every new shape compiles once. More globals than the config's
    capacity, or a `max_len` outside 1 ... `cfg.max_target_len`, is a ValueError.
    """
    max_len = cfg.max_target_len if max_len is None else max_len
    if not 1 <= max_len <= cfg.max_target_len:
        raise ValueError(f"max_len must be between 1 and max_target_len {cfg.max_target_len}, not {max_len}.")
    capacity = cfg.global_capacity(enc_ids.shape[1])
    if capacity < enc_ids.shape[1]:
        marked = np.asarray(_default_globals(cfg, enc_ids, encoder_mask) if global_mask is None else global_mask)
        if marked.sum(axis=1).max(initial=0) > capacity:
            raise ValueError(f"A prompt has more global tokens than max_globals {capacity}: raise it in the config.")
    return _generate(cfg, max_len, params, enc_ids, encoder_mask, global_mask)


def _default_globals(cfg: GeneratorConfig, enc_ids: Array, encoder_mask: Array | None) -> Array:
    """Returns who is global where the caller does not say: see `Encoder`; bool [B,S]."""
    marked = enc_ids != cfg.pad_id if encoder_mask is None else encoder_mask
    return marked if cfg.global_tokens == "question" and not cfg.sees_all(enc_ids.shape[1]) else marked & False


@partial(jax.jit, static_argnums=(0, 1))
def _generate(
    cfg: GeneratorConfig,
    max_len: int,
    params: Params,
    enc_ids: Array,
    encoder_mask: Array | None,
    global_mask: Array | None,
) -> Generation:
    encoded = Generator(cfg).apply({"params": params}, enc_ids, encoder_mask, global_mask, method="memory")
    memory = cast(Memory, encoded)
    n_rows = enc_ids.shape[0]
    start = _State(
        jnp.int32(0),
        jnp.full((n_rows,), cfg.start_id, jnp.int32),
        empty_cache(cfg, n_rows, max_len),
        Generation(
            jnp.full((n_rows, max_len), cfg.pad_id, jnp.int32),
            jnp.zeros((n_rows,), jnp.int32),
            jnp.zeros((n_rows, max_len), jnp.float32),
            jnp.zeros((n_rows,), jnp.float32),
            jnp.zeros((n_rows,), bool),
        ),
    )
    unfinished = lambda state: (state.position < max_len) & ~jnp.all(state.written.finished_B)
    return jax.lax.while_loop(unfinished, partial(_step, cfg, params, memory), start).written


def _step(cfg: GeneratorConfig, params: Params, memory: Memory, state: _State) -> _State:
    """Writes one more token of every row that is not finished."""
    inputs = (state.last_B, state.position, state.past, memory)
    logits_BV, past = cast(_Stepped, Generator(cfg).apply({"params": params}, *inputs, method="step"))
    token_B, log_probability_B = _greedy(logits_BV)
    done_B = state.written.finished_B
    token_B = jnp.where(done_B, cfg.pad_id, token_B)
    log_probability_B = jnp.where(done_B, 0.0, log_probability_B)
    write = lambda rows, new_B: jax.lax.dynamic_update_slice_in_dim(rows, new_B[:, None], state.position, axis=1)
    written = Generation(
        write(state.written.ids_BU, token_B),
        state.written.lengths_B + (~done_B).astype(jnp.int32),
        write(state.written.token_log_probability_BU, log_probability_B),
        state.written.log_probability_B + log_probability_B,
        done_B | (token_B == cfg.eos_id),
    )
    return _State(state.position + 1, token_B, past, written)


def _greedy(logits_BV: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns (the likeliest token, int32 [B]; its log-probability, float32 [B])."""
    token_B = jnp.argmax(logits_BV, axis=-1).astype(jnp.int32)
    top_B = jnp.max(logits_BV, axis=-1)
    return token_B, top_B - jax.nn.logsumexp(logits_BV, axis=-1)
