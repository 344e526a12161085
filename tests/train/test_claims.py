"""Claims: a fake is false, a true one is true, also in invented worlds; and nothing of a held-out subject gets in."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from deslm_jax.knowledge import KnowledgeBase, normalise
from deslm_jax.prompts import verdict_batch
from deslm_jax.records import Record
from train.augment import word_pool
from train.claims import ClaimMaker, claim_batches, claim_length, encode_claim
from train.facts import is_held_out_subject, load_facts, load_templates, split_templates
from train.questions import fact_questions
from train.recipes import DiscriminatorRecipe
from train.tokenizer import fact_tokenizer

FACTS = load_facts()
ALLOWED = [fact for fact in FACTS if not is_held_out_subject(fact.subject)]
WORDINGS = split_templates(load_templates())
POOL = word_pool(WORDINGS)
KNOWLEDGE = KnowledgeBase([Record(i, *fact) for i, fact in enumerate(FACTS)], WORDINGS.train)
QUESTIONS = fact_questions(ALLOWED, WORDINGS.train)
RECIPE = DiscriminatorRecipe(noise_drop=0.2, noise_replace=0.2, shuffled_evidence=0.5)


def _claims(recipe, count, seed=0):
    make_claim, randomness = ClaimMaker(KNOWLEDGE, ALLOWED, POOL, recipe), random.Random(seed)
    for _ in range(count):
        question = randomness.choice(QUESTIONS)
        yield question, make_claim(question, randomness)


def test_about_real_subjects_fake_means_false():
    kinds = Counter()
    for question, claim in _claims(RECIPE.plain(), 2000):
        assert claim.fake == (normalise(claim.answer) != normalise(question.answer)), claim
        assert claim.question == question.text
        kinds[claim.kind] += 1
    assert 0.45 < kinds["true"] / 2000 < 0.55
    assert min(kinds[kind] for kind in ("other_subject", "other_relation", "spliced", "anything")) > 20


def test_another_relation_of_the_same_subject_is_a_fake():
    about = {}
    for fact in ALLOWED:
        about.setdefault(fact.subject, set()).add(fact.object)
    found = [(q, c) for q, c in _claims(RECIPE.plain(), 2000) if c.kind == "other_relation"]
    assert all(claim.answer in about[question.subject] for question, claim in found)
    assert ("iron", "symbol") in {(f.subject, f.relation) for f in FACTS}


def test_in_an_invented_world_the_evidence_decides():
    """True answers stand in the evidence beside the question's relation and the invented name; false ones do not."""
    invented = replace(RECIPE, made_up=1.0, noise_drop=0.0, noise_replace=0.0)
    real_names = 0
    for question, claim in _claims(invented, 1000):
        name = claim.question
        for part in question.template.split("{subject}"):
            name = name.removeprefix(part).removesuffix(part) if part else name
        line = f"{question.relation} of {name}: {claim.answer}"
        assert (normalise(line) in map(normalise, claim.evidence)) == (not claim.fake), (question, claim)
        real_names += name == question.subject
    assert 100 < real_names < 320


def test_no_held_out_subject_is_seen_in_training():
    held_out = {normalise(fact.subject) for fact in FACTS if is_held_out_subject(fact.subject)}
    allowed = {normalise(fact.subject) for fact in ALLOWED}
    objects = {normalise(fact.object) for fact in ALLOWED}
    assert len(held_out) > 50
    for _, claim in _claims(RECIPE, 2000, seed=1):
        for line in claim.evidence:
            about = normalise(line.split(" of ", 1)[1].split(":")[0])
            assert about not in held_out or about in allowed, claim
        if claim.kind == "other_subject":
            assert normalise(claim.answer) in objects


def test_evidence_is_what_a_node_finds_and_the_control_sees_none():
    for question, claim in _claims(RECIPE.plain(), 50):
        assert claim.evidence == tuple(KNOWLEDGE.records[h.record_id].text for h in KNOWLEDGE.search(question.text, 2))
    assert all(not claim.evidence for _, claim in _claims(replace(RECIPE, evidence=False), 50))


@pytest.fixture(scope="module")
def tokenizer():
    return fact_tokenizer(None, FACTS, WORDINGS, 1500)


def test_rows_are_what_a_node_encodes(tokenizer):
    for _, claim in _claims(RECIPE, 50):
        row, batch = encode_claim(claim, tokenizer, 96), verdict_batch(tokenizer, [claim[:3]], 96)
        np.testing.assert_array_equal(row["ids"], batch.ids_BT[0])
        np.testing.assert_array_equal(row["types"], batch.types_BT[0])
        assert row["fake"] == claim.fake
    assert encode_claim(claim, tokenizer, 8) is None


def test_a_batch_of_claims_is_a_function_of_seed_and_step(tokenizer):
    """The search is cached between calls; the cache must not show."""
    make_claim = ClaimMaker(KNOWLEDGE, ALLOWED, POOL, RECIPE)
    length = claim_length(ClaimMaker(KNOWLEDGE, ALLOWED, POOL, RECIPE.plain()), QUESTIONS, tokenizer, 0)
    batches = lambda maker: claim_batches(maker, QUESTIONS, tokenizer, replace(RECIPE, batch_size=8), length, range(8))
    used = batches(make_claim)
    used(0)
    for name, leaf in used(5).items():
        np.testing.assert_array_equal(leaf, batches(ClaimMaker(KNOWLEDGE, ALLOWED, POOL, RECIPE))(5)[name])
        assert leaf.shape == ((8,) if name == "fake" else (8, length))
