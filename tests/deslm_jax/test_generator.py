"""The generator: shapes, what may depend on what, and the same numbers however it is run."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import Generator, GeneratorConfig
from deslm_jax.initial import shapes_of

ENC = np.array([[4, 9, 12, 30, 21, 0, 0], [4, 8, 0, 0, 0, 0, 0]], np.int32)
DEC = np.array([[1, 14, 25, 33, 0], [1, 17, 28, 0, 0]], np.int32)


@partial(jax.jit, static_argnums=0)
def _compiled(cfg, params, enc, dec, mask, global_mask):
    return Generator(cfg).apply({"params": params}, enc, dec, mask, global_mask)


def _logits(cfg, params, enc, dec, mask=None, global_mask=None):
    return _compiled(cfg, params, enc, dec, enc != 0 if mask is None else mask, global_mask)


def test_logits_of_every_place_over_the_vocabulary(tiny_generator):
    cfg, params = tiny_generator
    logits = _logits(cfg, params, ENC, DEC)
    assert logits.shape == (2, 5, cfg.vocab_size) and logits.dtype == jnp.float32


def test_jit_is_eager(tiny_generator):
    cfg, params = tiny_generator
    eager = Generator(cfg).apply({"params": params}, ENC, DEC)  # where the mask is read off the padding ids
    np.testing.assert_allclose(_logits(cfg, params, ENC, DEC), eager, atol=2e-5)


def test_what_fills_the_padding_does_not_matter(tiny_generator):
    cfg, params = tiny_generator
    mask = ENC != 0
    clean = _logits(cfg, params, ENC, DEC, mask)
    for poison in (5, cfg.vocab_size + 7):  # a token, and an id whose embedding is NaN
        poisoned = np.where(mask, ENC, poison).astype(np.int32)
        np.testing.assert_allclose(_logits(cfg, params, poisoned, DEC, mask), clean, atol=2e-6)
    shorter = _logits(cfg, params, ENC[:, :5], DEC, mask[:, :5])
    np.testing.assert_allclose(shorter, clean, atol=2e-5)


def test_holes_in_the_mask_are_not_seen(tiny_generator):
    cfg, params = tiny_generator
    mask = (ENC != 0) & (np.arange(7) != 2)
    other = ENC.copy()
    other[:, 2] = 35
    np.testing.assert_allclose(_logits(cfg, params, other, DEC, mask), _logits(cfg, params, ENC, DEC, mask), atol=2e-6)
    assert np.abs(_logits(cfg, params, other, DEC) - _logits(cfg, params, ENC, DEC)).max() > 1e-2


def test_a_place_depends_on_earlier_tokens_and_the_prompt_only(tiny_generator):
    """By gradients: unused ids as targets, so the tied table is reached through the inputs alone."""
    cfg, params = tiny_generator

    def target(table, place):
        logits = Generator(cfg).apply({"params": params | {"embedding": {"token_table": table}}}, ENC[:1], DEC[:1])
        return jnp.sum(jax.lax.dynamic_index_in_dim(logits[0], place, keepdims=False)[39])

    gradient = jax.jit(jax.grad(target))
    for place in range(4):
        moved = np.abs(gradient(params["embedding"]["token_table"], place)).max(axis=1) > 1e-7
        np.testing.assert_array_equal(moved[DEC[0, :4]], np.arange(4) <= place)
        assert moved[ENC[0, :5]].all()


def test_the_rows_of_a_batch_are_strangers(tiny_generator):
    cfg, params = tiny_generator
    both = _logits(cfg, params, ENC, DEC)
    np.testing.assert_allclose(both[1:], _logits(cfg, params, ENC[1:], DEC[1:]), atol=2e-5)


def test_pmap_gives_the_same(tiny_generator):
    cfg, params = tiny_generator
    shards = (np.repeat(ENC, 4, axis=0).reshape(8, 1, -1), np.repeat(DEC, 4, axis=0).reshape(8, 1, -1))
    run = lambda params, enc, dec: Generator(cfg).apply({"params": params}, enc, dec)
    spread = jax.pmap(run, in_axes=(None, 0, 0))(params, *shards)
    whole = np.repeat(_logits(cfg, params, ENC, DEC), 4, axis=0)
    np.testing.assert_allclose(np.asarray(spread)[:, 0], whole, atol=2e-5)


def test_global_tokens_change_the_answer(tiny_generator):
    cfg, params = tiny_generator
    nobody = dataclasses.replace(cfg, global_tokens="none", window=1)
    everybody = dataclasses.replace(nobody, global_tokens="question")
    assert np.abs(_logits(nobody, params, ENC, DEC) - _logits(everybody, params, ENC, DEC)).max() > 1e-2
    chosen = _logits(nobody, params, ENC, DEC, None, ENC != 0)
    np.testing.assert_allclose(chosen, _logits(everybody, params, ENC, DEC), atol=2e-6)


def _count(tree):
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("feed_forward", ["gelu_tanh", "gated"])
def test_parameters_are_counted_by_hand(bias, feed_forward):
    d, f, v, layers, decoders = 16, 24, 40, 2, 1
    cfg = GeneratorConfig(
        vocab_size=v,
        d_model=d,
        n_heads=2,
        d_ff=f,
        encoder_layers=layers,
        decoder_layers=decoders,
        use_bias=bias,
        feed_forward=feed_forward,
        positions="learned",
        max_source_len=10,
        max_target_len=6,
    )
    up = f * (2 if feed_forward == "gated" else 1)
    norm, attention = d + bias * d, 4 * d * d + bias * 4 * d
    mlp = d * up + f * d + bias * (up + d)
    expected = v * d + (10 + 6) * d + layers * (2 * norm + attention + mlp) + norm
    expected += decoders * (3 * norm + 2 * attention + mlp) + norm
    assert _count(shapes_of(Generator(cfg))) == expected


def test_the_default_generator_is_as_small_as_the_docs_say():
    assert _count(shapes_of(Generator(GeneratorConfig(vocab_size=3000)))) == 661_344


def test_too_long_is_one_sentence(tiny_generator):
    cfg, params = tiny_generator
    with pytest.raises(ValueError, match="prompt has 13 tokens, but max_source_len is 12"):
        _logits(cfg, params, np.ones((1, 13), np.int32), DEC[:1])
    with pytest.raises(ValueError, match="answer has 7 tokens, but max_target_len is 6"):
        _logits(cfg, params, ENC[:1], np.ones((1, 7), np.int32))
