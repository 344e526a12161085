"""Writing an answer: greedy, drawn or by beam search, with a cache, compiled once for each shape.

    generate(cfg, params, enc_ids)                                                          # greedy
    generate(cfg, params, enc_ids, method=Sample(temperature=0.7, top_p=0.9), rng=jax.random.key(0))
    generate(cfg, params, enc_ids, method=Beam(n=4, length_penalty=2.0, n_best=2))

The prompt is encoded once, and so are the keys and values that the decoder reads from it; hypotheses of a beam share
them. Each step computes one place. The loop ends when every row has written its end token.
"""

from functools import partial
from typing import Any, NamedTuple, cast, get_args

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax.cache import Cache, CacheKind, empty_cache, follow
from deslm_jax.config import GeneratorConfig
from deslm_jax.decoding.answers import Generation
from deslm_jax.decoding.beam import search
from deslm_jax.decoding.choose import Draw, draw_of
from deslm_jax.decoding.limits import Limits
from deslm_jax.decoding.methods import Beam, Greedy, Method, Sample
from deslm_jax.decoding.writing import write
from deslm_jax.generator import Generator, Memory
from deslm_jax.initial import Params

__all__ = ["Beam", "Generation", "Greedy", "Sample", "generate"]
Array = jax.Array | np.ndarray


class _Prompt(NamedTuple):
    ids_BS: Array
    mask_BS: Array | None
    global_mask_BS: Array | None


class _Plan(NamedTuple):
    """What a program is compiled for, beside shapes."""

    cfg: GeneratorConfig
    limits: Limits
    cache: CacheKind
    beam: Beam | None  # its length penalty left out: that is an argument


def generate(
    cfg: GeneratorConfig,
    params: Params,
    enc_ids: Array,
    encoder_mask: Array | None = None,
    global_mask: Array | None = None,
    max_len: int | None = None,
    *,
    method: Method = Greedy(),  # noqa: B008 - frozen and without fields
    rng: jax.Array | None = None,
    cache: CacheKind = "full",
    min_len: int = 0,
    no_repeat_ngram: int = 0,
) -> Generation:
    """Returns an answer to each prompt, with the model's own probability of it and of each of its tokens.

    `enc_ids` int32 [B,S], masks bool [B,S] as in `Generator.__call__`; at most `max_len` tokens an answer (default:
    `cfg.max_target_len`), the end token included. Every new shape compiles once.
    `method`: `Greedy()`, `Sample(...)`, `Beam(...)`. With `n_best` answers a row, those of row b begin at b * n_best.
    `rng`: for `Sample`, `jax.random.key(seed)`, from which each row takes a key by its place in the batch; or a key for
    each row, [B]: then an answer is a function of its prompt and its key, whatever else is in the batch.
    `cache`: "full", or "ring" for a config with a `decoder_window`: memory then does not grow with `max_len`.
    `min_len` tokens come before the end token; no run of `no_repeat_ngram` tokens is written twice. With
    `cfg.decoder_start_id`, `forced_bos_id` and `forced_eos_id` these give the tokens of Hugging Face `generate` with
    `max_new_tokens=max_len`, `min_new_tokens` and `no_repeat_ngram_size`.

    ValueError: more globals than the capacity; a `max_len` outside 1 ... `cfg.max_target_len`; `Sample` without
    `rng`; a number that makes no sense.
    """
    max_len = cfg.max_target_len if max_len is None else max_len
    if not isinstance(max_len, int | np.integer) or not 1 <= max_len <= cfg.max_target_len:
        raise ValueError(
            f"max_len must be an integer between 1 and max_target_len {cfg.max_target_len}, not {max_len!r}."
        )
    if not isinstance(method, Method):
        raise ValueError(f"method must be Greedy(), Sample(...) or Beam(...), not {method!r}.")
    if np.ndim(enc_ids) != 2:
        raise ValueError(f"enc_ids must be [B,S], a row of ids for each prompt, not of shape {np.shape(enc_ids)}.")
    if 0 in enc_ids.shape:
        raise ValueError(f"enc_ids must hold at least one prompt of one token, not be of shape {enc_ids.shape}.")
    if cache not in get_args(CacheKind):
        raise ValueError(f'cache must be "full" or "ring", not {cache!r}.')
    for name, value in (("min_len", min_len), ("no_repeat_ngram", no_repeat_ngram)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"{name} must be an integer of at least 0, not {value!r}.")
    _check_globals(cfg, enc_ids, encoder_mask, global_mask)
    forced = {"forced_bos_id": cfg.forced_bos_id, "forced_eos_id": cfg.forced_eos_id}
    limits = Limits(
        int(max_len), cfg.eos_id, cfg.pad_id, cfg.start_id, int(min_len), no_repeat_ngram=int(no_repeat_ngram), **forced
    )
    prompt = _Prompt(enc_ids, encoder_mask, global_mask)
    if isinstance(method, Beam):
        fixed = Beam(n=method.n, early_stopping=method.early_stopping, n_best=method.n_best)
        plan = _Plan(cfg, limits, cache, fixed)
        return _searched(plan, params, prompt, jnp.float32(method.length_penalty))
    how = draw_of(method, _row_keys(rng, enc_ids.shape[0])) if isinstance(method, Sample) else None
    return _written(_Plan(cfg, limits, cache, None), params, prompt, how)


def _check_globals(cfg: GeneratorConfig, enc_ids: Array, encoder_mask: Array | None, global_mask: Array | None) -> None:
    """Raises ValueError where a row has more global tokens than slots: under jit it can only become NaN."""
    capacity, length = cfg.global_capacity(enc_ids.shape[1]), enc_ids.shape[1]
    few = global_mask is None and cfg.global_tokens != "question"
    if capacity == length or few or cfg.sees_all(length):
        return
    given = [mask for mask in (encoder_mask, global_mask) if mask is not None]
    if any(isinstance(x, jax.core.Tracer) for x in (enc_ids, *given)):
        return
    marked = np.asarray(enc_ids != cfg.pad_id if encoder_mask is None else encoder_mask, bool)
    if global_mask is not None:  # a padded position is never global
        marked = marked & np.asarray(global_mask, bool)
    if marked.sum(axis=1).max(initial=0) > capacity:
        raise ValueError(f"A prompt has more global tokens than max_globals {capacity}: raise it in the config.")


def _row_keys(rng: jax.Array | None, n_rows: int) -> jax.Array:
    """Returns one random key a row, of `rng` or from it."""
    if rng is None:
        raise ValueError("Sample draws at random: pass rng, for example jax.random.key(0).")
    if (
        not isinstance(rng, jax.Array)
        or not jnp.issubdtype(rng.dtype, jax.dtypes.prng_key)
        or rng.shape not in ((), (n_rows,))
    ):
        raise ValueError(f"rng must be one key, as of jax.random.key(0), or one for each of the {n_rows} rows.")
    return jax.random.split(rng, n_rows) if rng.ndim == 0 else rng


@partial(jax.jit, static_argnums=0)
def _written(plan: _Plan, params: Params, prompt: _Prompt, how: Draw | None) -> Generation:
    memory = _read(plan, params, prompt)
    n_rows = prompt.ids_BS.shape[0]
    state = empty_cache(plan.cfg, n_rows, plan.limits.max_len, kind=plan.cache)
    return write(partial(_step, plan.cfg, params, memory), state, n_rows, plan.limits, how)


@partial(jax.jit, static_argnums=0)
def _searched(plan: _Plan, params: Params, prompt: _Prompt, length_penalty: jax.Array) -> Generation:
    beam = cast(Beam, plan.beam)
    memory = _read(plan, params, prompt)
    n_rows = prompt.ids_BS.shape[0]
    state = empty_cache(plan.cfg, n_rows, plan.limits.max_len, beam.n, plan.cache)
    step = partial(_step, plan.cfg, params, memory)
    return search(step, follow, state, n_rows, plan.limits, beam, length_penalty)


def _read(plan: _Plan, params: Params, prompt: _Prompt) -> Memory:
    return cast(Memory, Generator(plan.cfg).apply({"params": params}, *prompt, method="memory"))


def _step(
    cfg: GeneratorConfig, params: Params, memory: Memory, last_BN: jax.Array, position: jax.Array, state: Any
) -> tuple[jax.Array, Cache]:
    stepped = Generator(cfg).apply({"params": params}, last_BN, position, state, memory, method="step")
    return cast(tuple[jax.Array, Cache], stepped)
