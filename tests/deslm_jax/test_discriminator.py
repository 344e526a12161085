"""The discriminator: its match flags against Python sets, and what its logit may depend on."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deslm_jax import Discriminator, DiscriminatorConfig
from deslm_jax.discriminator import match_flags
from deslm_jax.initial import shapes_of

V, T = 12, 9
_flags = jax.jit(match_flags, static_argnums=3)


def _flags_by_sets(ids, types, counts):
    flags = np.zeros((len(ids), 3), bool)
    words = lambda wanted: {i for i, t, c in zip(ids, types, counts, strict=True) if c and wanted(t)}
    question, answer, evidence = words(lambda t: t == 0), words(lambda t: t == 1), words(lambda t: t >= 2)
    for place, (i, t, c) in enumerate(zip(ids, types, counts, strict=True)):
        if c:
            flags[place] = (t == 1 and i in evidence, t >= 2 and i in answer, t >= 1 and i in question)
    return flags


_row = st.lists(st.tuples(st.integers(0, V - 1), st.integers(0, 3), st.booleans()), min_size=T, max_size=T).map(
    lambda tokens: [list(column) for column in zip(*tokens, strict=True)]
)


@given(st.lists(_row, min_size=2, max_size=2))
def test_flags_are_what_sets_say(rows):
    ids, types, counts = (np.array(column) for column in zip(*rows, strict=True))
    found = _flags(ids.astype(np.int32), types.astype(np.int32), counts, V)
    np.testing.assert_array_equal(found, [_flags_by_sets(*row) for row in rows])


def test_flags_never_take_a_square_of_the_length():
    length, vocabulary = 2048, 50
    ids = jnp.zeros((1, length), jnp.int32)
    jaxpr = jax.make_jaxpr(lambda i: match_flags(i, i, i == 0, vocabulary))(ids)
    largest = max(var.aval.size for eqn in jaxpr.eqns for var in eqn.outvars)
    assert largest <= 3 * length


@pytest.fixture(scope="module")
def case():
    """Question, answer, two records of evidence, padding."""
    ids = np.array([[4, 10, 11, 5, 12, 6, 10, 12, 6, 13, 0, 0]], np.int32)
    types = np.array([[0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 0, 0]], np.int32)
    return ids, types


@partial(jax.jit, static_argnums=0)
def _compiled(cfg, params, ids, types, mask):
    return Discriminator(cfg).apply({"params": params}, ids, mask, None, types)


def _logit(cfg, params, ids, types, mask=None):
    return np.asarray(_compiled(cfg, params, ids, types, ids != 0 if mask is None else mask))


def test_one_logit_a_row(tiny_discriminator, case):
    cfg, params = tiny_discriminator
    logit = _logit(cfg, params, *case)
    assert logit.shape == (1,) and logit.dtype == np.float32


def test_what_fills_the_padding_does_not_matter(tiny_discriminator, case):
    cfg, params = tiny_discriminator
    ids, types = case
    mask = ids != 0
    clean = _logit(cfg, params, ids, types, mask)
    for poison, kind in ((13, 1), (11, 2), (cfg.vocab_size + 5, 0)):
        poisoned = np.where(mask, ids, poison).astype(np.int32), np.where(mask, types, kind).astype(np.int32)
        np.testing.assert_allclose(_logit(cfg, params, *poisoned, mask), clean, atol=2e-6)
    np.testing.assert_allclose(_logit(cfg, params, ids[:, :10], types[:, :10]), clean, atol=2e-5)


def test_each_flag_reaches_the_logit_through_its_own_embedding(tiny_discriminator, case):
    cfg, params = tiny_discriminator
    ids, types = case

    def logit(table, ids):
        return Discriminator(cfg).apply({"params": params | {"match_table": table}}, ids, None, None, types)[0]

    gradient = jax.jit(jax.grad(logit))
    assert (np.abs(gradient(params["match_table"], ids)).max(axis=1) > 1e-6).all()
    strangers = np.where(types == 0, ids, ids + 8 * types).astype(np.int32)  # no word occurs in two segments
    np.testing.assert_array_equal(gradient(params["match_table"], strangers), 0)


def test_marks_never_match(tiny_discriminator, case):
    """Structure ids repeat in every segment; only text may match, so without text the match table is not read."""
    cfg, params = tiny_discriminator
    ids, types = case
    marks = np.where(ids == 0, 0, np.minimum(ids, cfg.first_text_id - 1)).astype(np.int32)
    louder = params | {"match_table": params["match_table"] * 10}
    np.testing.assert_array_equal(_logit(cfg, params, marks, types), _logit(cfg, louder, marks, types))
    assert np.abs(_logit(cfg, params, ids, types) - _logit(cfg, louder, ids, types)).max() > 1e-2


def test_types_and_evidence_matter_and_the_embedding_can_be_left_out(tiny_discriminator, case):
    cfg, params = tiny_discriminator
    ids, types = case
    swapped = types.copy()
    swapped[0, 5:8], swapped[0, 8:10] = 3, 2
    assert np.abs(_logit(cfg, params, ids, types) - _logit(cfg, params, ids, swapped)).max() > 1e-3
    plain = dataclasses.replace(cfg, match_embedding=False)
    assert "match_table" not in shapes_of(Discriminator(plain))


def test_the_head_has_the_hidden_layers_asked_for():
    for layers in (0, 1, 3):
        cfg = DiscriminatorConfig(vocab_size=40, d_model=16, n_heads=2, d_ff=16, head_layers=layers, head_width=8)
        heads = [name for name in shapes_of(Discriminator(cfg)) if name.startswith("head_")]
        assert len(heads) == layers + 1


def test_too_long_is_one_sentence(tiny_discriminator):
    cfg, params = tiny_discriminator
    with pytest.raises(ValueError, match="input has 13 tokens, but max_source_len is 12"):
        Discriminator(cfg).apply({"params": params}, np.ones((1, 13), np.int32))


def test_the_longformer_head_gives_the_difference_of_two_labels(tiny, make_loud, case):
    """By NumPy from what the encoder puts at the first place: tanh(dense), then the labels' difference."""
    cfg = DiscriminatorConfig(**tiny, head="longformer", n_labels=2, match_embedding=False, token_types=1)
    model, ids = Discriminator(cfg), case[0]
    params = make_loud(model)
    run = jax.jit(lambda params: model.apply({"params": params}, ids, capture_intermediates=True))
    logit, kept = run(params)
    first = np.asarray(kept["intermediates"]["encoder"]["__call__"][0])[:, 0]
    hidden = np.tanh(first @ params["head_0"]["kernel"] + params["head_0"]["bias"])
    labels = hidden @ params["head_out"]["kernel"] + params["head_out"]["bias"]
    np.testing.assert_allclose(logit, labels[:, 1] - labels[:, 0], atol=1e-5)
