"""The roles of a node: any number of rows, two compilations, no verdict without evidence."""

from typing import NamedTuple

import jax
import numpy as np
import pytest

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from deslm_jax.bundle import Bundle
from deslm_jax.calibration import Calibration, confidence_logit
from deslm_jax.decode import _written, generate
from deslm_jax.prompts import question_batch, verdict_batch
from deslm_jax.roles import DiscriminatorRole, GeneratorRole, _fake_logits

CALIBRATION = Calibration(2.0, 0.3, 0.95)
LONG = "Peru " * 80


class Record(NamedTuple):
    """One fact found."""

    record_id: int
    text: str


class Knowledge:
    """Knows Peru."""

    def search(self, question, k):
        """Returns two records where the question names Peru."""
        return (
            [Record(4, "capital of Peru: Lima."), Record(9, "currency of Peru: sol.")][:k] if "Peru" in question else []
        )


def _bundle(config, model, tokenizer, make_loud):
    return Bundle(type(model).__name__.lower(), config, make_loud(model), tokenizer, CALIBRATION, {})


@pytest.fixture(scope="module")
def generator(tiny, tokenizer, make_loud):
    """A generator role with an untrained model."""
    config = GeneratorConfig(**tiny | {"vocab_size": tokenizer.vocab_size, "max_source_len": 24}, max_target_len=5)
    return GeneratorRole(_bundle(config, Generator(config), tokenizer, make_loud))


@pytest.fixture(scope="module")
def discriminator(tiny, tokenizer, make_loud):
    """A discriminator role with an untrained model."""
    config = DiscriminatorConfig(**tiny | {"vocab_size": tokenizer.vocab_size, "max_source_len": 64, "max_globals": 64})
    return DiscriminatorRole(_bundle(config, Discriminator(config), tokenizer, make_loud), Knowledge())


QUESTIONS = [f"What is the capital of Peru, {word}?" for word in "abcdefghijk"]


def test_answers_are_decoded_and_calibrated(generator, tokenizer):
    answers = generator.answer(QUESTIONS[:2])
    batch = question_batch(tokenizer, QUESTIONS[:2] * 4, 24)
    out = generate(generator.bundle.config, generator.bundle.params, batch.ids_BS, batch.mask_BS)
    for b, answer in enumerate(answers):
        assert answer.text == tokenizer.decode(np.asarray(out.ids_BU)[b])
        p = CALIBRATION(confidence_logit(out.log_probability_B[b]))
        assert answer.confidence == pytest.approx(float(p), abs=1e-6)


def test_any_number_of_questions_compiles_twice_and_answers_alike(generator):
    generator.answer(QUESTIONS[:1])
    generator.answer(QUESTIONS)
    compiled = _written._cache_size()
    many = generator.answer(QUESTIONS * 13)  # 143: batches of 64, 64 and 15
    assert len(many) == 143 and generator.answer([]) == []
    few = [answer for question in QUESTIONS for answer in generator.answer([question])]
    assert [a.text for a in few] * 13 == [a.text for a in many]
    np.testing.assert_allclose([a.confidence for a in few] * 13, [a.confidence for a in many], atol=1e-5)
    assert _written._cache_size() == compiled


@pytest.mark.parametrize(
    ("question", "words"), [("", "empty"), (" \n ", "empty"), (LONG, "reads at most"), ("x" * 20_480, "reads at most")]
)
def test_bad_questions_are_one_sentence(generator, discriminator, question, words):
    with pytest.raises(ValueError, match=words):
        generator.answer(["What is it?", question])
    with pytest.raises(ValueError, match=words):
        discriminator.judge([("What is it?", "Lima"), (question, "Lima")])


def test_a_verdict_reads_the_evidence_found(discriminator, tokenizer):
    question = QUESTIONS[0]
    (verdict,) = discriminator.judge([(question, "Lima")])
    evidence = ("capital of Peru: Lima.", "currency of Peru: sol.")
    batch = verdict_batch(tokenizer, [(question, "Lima", evidence)], 64)
    read = jax.jit(lambda p: discriminator.bundle.model.apply({"params": p}, batch[0], batch[1], None, batch[2]))
    logit = read(discriminator.bundle.params)
    assert verdict.evidence == (4, 9)
    assert verdict.p_fake == pytest.approx(float(CALIBRATION(logit)[0]), abs=1e-5)


def test_without_evidence_or_a_readable_answer_there_is_no_verdict(discriminator):
    pairs = [("Who?", "Lima"), (QUESTIONS[0], "Lima"), (QUESTIONS[0], "  "), (QUESTIONS[0], LONG)]
    verdicts = discriminator.judge(pairs)
    assert [v.evidence for v in verdicts] == [(), (4, 9), (), ()]
    assert [v.p_fake for v in verdicts][::2] == [0.5, 0.5] and verdicts[3] == (0.5, ())
    assert discriminator.judge([]) == []


def test_order_and_batch_do_not_matter_to_a_verdict(discriminator):
    pairs = [(question, answer) for question in QUESTIONS for answer in ("Lima", "sol")]
    discriminator.judge(pairs[:1])
    together = discriminator.judge(pairs)
    compiled = _fake_logits._cache_size()
    alone = [verdict for pair in pairs[::-1] for verdict in discriminator.judge([pair])][::-1]
    np.testing.assert_allclose([v.p_fake for v in together], [v.p_fake for v in alone], atol=1e-5)
    assert len({round(v.p_fake, 6) for v in together}) > 5
    assert _fake_logits._cache_size() == compiled


def test_a_role_refuses_the_other_model(generator, discriminator):
    with pytest.raises(ValueError, match="holds a generator, but a discriminator is needed"):
        DiscriminatorRole(generator.bundle, Knowledge())
    with pytest.raises(ValueError, match="holds a discriminator, but a generator is needed"):
        GeneratorRole(discriminator.bundle)
