"""Generator batches: compact and full batches train alike, and what does not fit falls back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.config import GeneratorConfig
from deslm_jax.generator import Generator
from deslm_jax.initial import init_params
from train.augment import word_pool
from train.facts import load_facts, load_templates, split_templates
from train.generator import generator_loss
from train.questions import Lesson, fact_questions, generator_batches, training_length
from train.recipes import GeneratorRecipe
from train.tokenizer import fact_tokenizer

RECIPE = GeneratorRecipe(batch_size=8, steps=6, noise_insert=0.8, noise_clean=0.0, dropout=0.0)
ANSWER_LEN = 12


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    facts = load_facts()
    wordings = split_templates(load_templates())
    questions = fact_questions(facts[:60], wordings.train)
    return Lesson(questions, (), word_pool(wordings), fact_tokenizer(None, facts, wordings, 1500), "")


def test_compact_and_full_batches_give_the_same_loss_and_gradient(lesson):
    length = training_length(lesson.questions, lesson.tokenizer)
    full, compact = (
        generator_batches(lesson, RECIPE, length, ANSWER_LEN, range(8), compact=flag)(3) for flag in (False, True)
    )
    assert compact["places"].size < full["counts"].size
    config = GeneratorConfig(
        vocab_size=lesson.tokenizer.vocab_size,
        d_model=16,
        n_heads=2,
        d_ff=32,
        encoder_layers=1,
        max_target_len=ANSWER_LEN,
    )
    model = Generator(config)

    def loss(params, batch):
        sums = generator_loss(model, RECIPE)(params, batch, jax.random.key(0))
        return sums.loss, sums

    gradient = jax.jit(jax.grad(loss, has_aux=True))
    params = init_params(model, 0)
    (full_gradient, full_sums), (compact_gradient, compact_sums) = gradient(params, full), gradient(params, compact)
    np.testing.assert_allclose(full_sums, compact_sums, rtol=1e-5)
    for a, b in zip(jax.tree.leaves(full_gradient), jax.tree.leaves(compact_gradient), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * float(jnp.abs(a).max()))


def test_every_batch_of_the_run_fits_its_places(lesson):
    batch_at = generator_batches(lesson, RECIPE, 40, ANSWER_LEN, range(8), compact=True)
    full_at = generator_batches(lesson, RECIPE, 40, ANSWER_LEN, range(8), compact=False)
    for step in range(RECIPE.steps):
        compact, full = batch_at(step), full_at(step)
        assert compact["counts"].sum() == full["counts"].sum()
        np.testing.assert_array_equal(compact["answer_out"][compact["counts"]], full["answer_out"][full["counts"]])


def test_the_decoder_reads_the_answer_one_place_late(lesson):
    batch = generator_batches(lesson, RECIPE, 40, ANSWER_LEN, range(8), compact=False)(0)
    tokenizer = lesson.tokenizer
    assert set(batch["answer_in"][:, 0]) == {tokenizer.bos}
    for read, written, counts in zip(batch["answer_in"], batch["answer_out"], batch["counts"], strict=True):
        n = counts.sum()
        np.testing.assert_array_equal(read[1:n], written[: n - 1])
        assert written[n - 1] == tokenizer.eos
        assert not written[n:].any()


def test_noise_that_does_not_fit_is_left_out(lesson):
    """At the length of the longest clean question, rows are full of clean questions and none is cut."""
    length = training_length(lesson.questions, lesson.tokenizer)
    clean = {tuple(lesson.tokenizer.encode(question.text)) for question in lesson.questions}
    at = lambda size: generator_batches(lesson, RECIPE, size, ANSWER_LEN, range(8), compact=False)
    tight = [tuple(row[1:][row[1:] > 0].tolist()) for step in range(6) for row in at(length)(step)["question"]]
    loose = [tuple(row[1:][row[1:] > 0].tolist()) for step in range(6) for row in at(80)(step)["question"]]
    assert sum(row in clean for row in tight) > sum(row in clean for row in loose)
    assert all(row in clean for row, other in zip(tight, loose, strict=True) if len(other) + 1 > length)
