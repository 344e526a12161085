"""Cached decoding is the full forward pass, one token at a time."""

import dataclasses
from functools import partial

import jax
import numpy as np
import pytest

from deslm_jax import Generator, GeneratorConfig
from deslm_jax.decode import generate

PROMPTS = np.array([[4, 9, 12, 30, 21, 0], [4, 8, 0, 0, 0, 0], [4, 33, 17, 19, 35, 28]], np.int32)


@partial(jax.jit, static_argnums=0)
def _full(cfg, params, enc, dec):
    return jax.nn.log_softmax(Generator(cfg).apply({"params": params}, enc, dec))


def _check_against_full(cfg, params, prompts, out):
    """Every token written is the argmax of the full pass over what was written before, at its log-probability."""
    ids, lengths = np.asarray(out.ids_BU), np.asarray(out.lengths_B)
    start = np.full((len(ids), 1), cfg.bos_id, np.int32)
    log_p = np.asarray(_full(cfg, params, prompts, np.concatenate([start, ids[:, :-1]], axis=1)))
    for b, n in enumerate(lengths):
        np.testing.assert_array_equal(ids[b, :n], log_p[b, :n].argmax(axis=-1))
        np.testing.assert_allclose(out.token_log_probability_BU[b, :n], log_p[b, :n].max(axis=-1), atol=2e-5)
        assert (ids[b, n:] == cfg.pad_id).all() and (np.asarray(out.token_log_probability_BU)[b, n:] == 0).all()
        assert bool(out.finished_B[b]) == (ids[b, n - 1] == cfg.eos_id)
        assert (ids[b, : n - 1] != cfg.eos_id).all()
    np.testing.assert_allclose(out.log_probability_B, np.asarray(out.token_log_probability_BU).sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(out.confidence_B, np.exp(out.log_probability_B), rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"positions": "rotary", "decoder_layers": 2},
        {"positions": "learned", "feed_forward": "gated", "use_bias": False},
        {"positions": "sinusoidal", "global_projections": True},
    ],
)
def test_cached_decoding_is_the_full_forward_pass(tiny, make_loud, change):
    cfg = GeneratorConfig(**tiny, **change, max_target_len=6)
    different = 0
    for seed in range(3):
        params = make_loud(Generator(cfg), seed)
        out = generate(cfg, params, PROMPTS)
        _check_against_full(cfg, params, PROMPTS, out)
        different += len(np.unique(np.asarray(out.ids_BU), axis=0))
    assert different > 4  # the answers depend on the prompts: the check is not about one constant answer


def test_a_finished_row_stops_and_the_others_go_on(tiny_generator):
    cfg, params = tiny_generator
    free = np.asarray(generate(cfg, params, PROMPTS).ids_BU)
    # Declare a token of the first answer to be the end: the rows that write it must stop there.
    cfg = dataclasses.replace(cfg, eos_id=int(free[0, 2]))
    out = generate(cfg, params, PROMPTS)
    _check_against_full(cfg, params, PROMPTS, out)
    ends = [list(row).index(cfg.eos_id) + 1 if cfg.eos_id in row else len(row) for row in free]
    np.testing.assert_array_equal(out.lengths_B, ends)
    assert out.lengths_B[0] <= 3 and bool(out.finished_B[0])


def test_the_batch_and_its_padding_do_not_matter(tiny_generator):
    cfg, params = tiny_generator
    whole = generate(cfg, params, PROMPTS)
    alone = generate(cfg, params, PROMPTS[1:2, :2])
    np.testing.assert_array_equal(alone.ids_BU[0], whole.ids_BU[1])
    np.testing.assert_allclose(alone.log_probability_B[0], whole.log_probability_B[1], atol=1e-5)


def test_a_shorter_room_cuts_the_answer(tiny_generator):
    cfg, params = tiny_generator
    short = generate(cfg, params, PROMPTS, max_len=2)
    assert short.ids_BU.shape == (3, 2)
    np.testing.assert_array_equal(short.ids_BU, generate(cfg, params, PROMPTS).ids_BU[:, :2])


def test_bad_arguments_are_one_sentence(tiny_generator):
    cfg, params = tiny_generator
    for length in (0, 7):
        with pytest.raises(ValueError, match=f"between 1 and max_target_len 6, not {length}"):
            generate(cfg, params, PROMPTS, max_len=length)
    few = dataclasses.replace(cfg, max_globals=2, dense_up_to=1)
    for mask in (None, PROMPTS != 0):
        with pytest.raises(ValueError, match="more global tokens than max_globals 2"):
            generate(few, params, PROMPTS, global_mask=mask)
