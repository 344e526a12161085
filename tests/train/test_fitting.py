"""What is calibrated is what a node computes: the trainer's answers and logits against the roles'."""

import numpy as np
import pytest

from deslm_jax.bundle import Bundle
from deslm_jax.calibration import Calibration
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.generator import Generator
from deslm_jax.initial import init_params
from deslm_jax.knowledge import KnowledgeBase
from deslm_jax.records import Record
from deslm_jax.roles import DiscriminatorRole, GeneratorRole
from deslm_jax.tokenizer import Tokenizer
from train.facts import load_facts
from train.fitting import answer_all, calibrate_generator, fake_logits
from train.questions import Question

FACTS = load_facts()[:40]
TINY = {"d_model": 16, "n_heads": 2, "d_ff": 32, "encoder_layers": 1}
LOOSE = Calibration(temperature=1.0, bias=0.0, cap=0.999999)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train([f"{' '.join(fact)}?" for fact in FACTS], 600)


def _questions(count):
    return [f"What is the {fact.relation} of {fact.subject}{'?' * (i % 3)}" for i, fact in enumerate(FACTS[:count])]


def test_answers_and_confidence_are_those_of_a_node(tokenizer):
    """Also where rows and lengths are padded otherwise."""
    config = GeneratorConfig(vocab_size=tokenizer.vocab_size, max_source_len=40, max_target_len=5, **TINY)
    params = init_params(Generator(config), 3)
    texts, logits = answer_all(config, params, tokenizer, _questions(10))
    spoken = GeneratorRole(Bundle("generator", config, params, tokenizer, LOOSE, {})).answer(_questions(10))
    assert texts == [answer.text for answer in spoken]
    np.testing.assert_allclose(LOOSE(logits), [answer.confidence for answer in spoken], rtol=1e-4)
    assert len(answer_all(config, params, tokenizer, [])[0]) == 0
    wrong = [Question(text, "", "", "?!") for text in _questions(10)]
    calibration, report = calibrate_generator(config, params, tokenizer, wrong, cap=0.9)
    assert calibration.cap == 0.9
    assert report["exact_match"] == 0.0
    assert report["mean_confidence"] < 0.2


def test_verdict_logits_are_those_of_a_node(tokenizer):
    config = DiscriminatorConfig(vocab_size=tokenizer.vocab_size, max_source_len=80, head_width=16, **TINY)
    params = init_params(Discriminator(config), 3)
    knowledge = KnowledgeBase([Record(i, *fact) for i, fact in enumerate(FACTS)])
    pairs = [(question, fact.object) for question, fact in zip(_questions(12), FACTS, strict=False)]
    cases = [(q, a, tuple(knowledge.records[h.record_id].text for h in knowledge.search(q, 2))) for q, a in pairs]
    verdicts = DiscriminatorRole(Bundle("discriminator", config, params, tokenizer, LOOSE, {}), knowledge).judge(pairs)
    assert all(verdict.evidence for verdict in verdicts)
    p_fake = LOOSE(fake_logits(config, params, tokenizer, cases))
    np.testing.assert_allclose(p_fake, [verdict.p_fake for verdict in verdicts], rtol=1e-4)
    assert np.ptp(p_fake) > 1e-3
