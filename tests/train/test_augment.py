"""Noise leaves the subject alone and never says a word of a held-out wording."""

import random

import pytest

from deslm_jax.knowledge import normalise
from train.augment import Noise, made_up_name, noisy_question, word_pool
from train.facts import Wordings, load_templates, split_templates

LOUD = Noise(drop=0.3, insert=0.6, replace=0.3, made_up=0.3, clean=0.0)


@pytest.fixture(scope="module")
def wordings() -> Wordings:
    return split_templates(load_templates())


def _held_out_words(wordings: Wordings) -> set[str]:
    """Straight from the templates, not through the code under test."""
    groups = [*wordings.calibrate.values(), *wordings.test.values()]
    return {word for group in groups for text in group for word in normalise(text.replace("{subject}", " ")).split()}


def test_no_foreign_word_is_of_a_held_out_wording(wordings):
    """What noise adds to a trained wording; a run that leaked such words once scored .20 too high."""
    pool, held_out = word_pool(wordings), _held_out_words(wordings)
    randomness = random.Random(0)
    added: set[str] = set()
    for templates in wordings.train.values():
        for template in templates * 20:
            said = set(normalise(noisy_question(template, "Zzyzx", LOUD, pool, randomness)).split())
            added |= said - set(normalise(template).split()) - {"zzyzx"}
    assert len(added) > 500
    assert not added & held_out


def test_a_made_up_name_that_hits_a_held_out_word_is_drawn_again():
    drawn = {made_up_name(random.Random(seed), words=1).lower() for seed in range(300)}
    banned = frozenset(list(drawn)[:100])
    again = {made_up_name(random.Random(seed), banned, words=1).lower() for seed in range(300)}
    assert not again & banned
    assert again & drawn


def test_the_subject_survives_any_noise(wordings):
    pool, randomness = word_pool(wordings), random.Random(1)
    for templates in wordings.train.values():
        for template in templates:
            assert "Papua New Guinea" in noisy_question(template, "Papua New Guinea", LOUD, pool, randomness)


def test_every_kind_of_noise_strikes_and_clean_means_clean(wordings):
    pool, template = word_pool(wordings), wordings.train["capital"][0]
    words = len(template.split())
    ask = lambda noise: {noisy_question(template, "Peru", noise, pool, random.Random(i)) for i in range(200)}
    assert ask(LOUD._replace(clean=1.0)) == {template.replace("{subject}", "Peru")}
    assert min(len(text.split()) for text in ask(Noise(drop=0.5, clean=0.0))) < words
    assert max(len(text.split()) for text in ask(Noise(insert=0.5, clean=0.0))) > words
    replaced = ask(Noise(replace=0.5, clean=0.0))
    assert {len(text.split()) for text in replaced} == {words}
    assert len(replaced) > 50
