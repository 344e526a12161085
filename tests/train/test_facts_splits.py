"""Splits are disjoint, the same everywhere, and large enough to measure with."""

import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deslm_jax.knowledge import KnowledgeBase
from train.facts import (
    BUNDLED_FACTS,
    GENERIC_TEMPLATES,
    Wordings,
    ask,
    held_out_words,
    is_held_out_subject,
    is_untaught_subject,
    load_facts,
    load_templates,
    split_templates,
    taught_facts,
    taught_subset,
    template_split,
    write_trained_wordings,
)

NAMES = [f"name {i}" for i in range(20_000)]


def test_three_wordings_of_every_relation_are_never_trained() -> None:
    templates = load_templates()
    wordings = split_templates(templates)
    for relation, all_of_it in templates.items():
        train, calibrate, test = (part[relation] for part in wordings)
        assert (len(calibrate), len(test)) == (1, 2)
        assert sorted([*train, *calibrate, *test]) == sorted(all_of_it)
        for name, part in zip(("train", "calibrate", "test"), (train, calibrate, test), strict=True):
            assert {template_split(relation, template) for template in part} == {name}


def test_the_order_of_a_file_decides_nothing() -> None:
    templates = {"capital": GENERIC_TEMPLATES, "height": GENERIC_TEMPLATES}
    shuffled = {r: random.Random(1).sample(t, len(t)) for r, t in reversed(templates.items())}
    first, second = split_templates(templates), split_templates(shuffled)
    for mine, theirs in zip(first, second, strict=True):
        assert {r: set(t) for r, t in mine.items()} == {r: set(t) for r, t in theirs.items()}
    assert first.test["capital"] != first.test["height"]  # the relation is part of the hash


def test_an_unknown_template_has_no_split() -> None:
    with pytest.raises(ValueError, match="no template of 'capital'"):
        template_split("capital", "Where is {subject}?")


def test_the_splits_are_the_frozen_ones() -> None:
    wordings = split_templates(load_templates())
    subjects = sorted({fact.subject for fact in load_facts()})
    lines = [f"{r}\t{part[r]}" for part in wordings[1:] for r in sorted(part)]
    lines += [f"{s}\t{is_held_out_subject(s)}\t{is_untaught_subject(s)}" for s in subjects]
    lines += [f"{fact.subject}\t{fact.relation}" for fact in taught_subset(load_facts(), model_seed=0)]
    digest = sha256("\n".join(lines).encode()).hexdigest()[:16]
    assert digest == "1c9d971620e0cf3f", (
        f"the splits changed to {digest}: every figure measured before compares no more. If facts.tsv or templates.tsv "
        "changed on purpose, read the new held-out wordings, set this digest and measure again; else mend splits.py."
    )


def test_subject_splits_have_their_sizes_and_are_independent() -> None:
    held_out = {name for name in NAMES if is_held_out_subject(name)}
    untaught = {name for name in NAMES if is_untaught_subject(name)}
    assert len(held_out) / len(NAMES) == pytest.approx(0.2, abs=0.01)
    assert len(untaught) / len(NAMES) == pytest.approx(0.1, abs=0.01)
    assert len(held_out & untaught) / len(NAMES) == pytest.approx(0.02, abs=0.005)


@given(st.text(st.characters(max_codepoint=255)))
def test_spelling_does_not_move_a_subject(name: str) -> None:
    assert is_untaught_subject(name) == is_untaught_subject(f" {name.upper().lower()}! ")
    assert is_held_out_subject(name) == is_held_out_subject(f"{name.upper().lower()}.")


def test_a_generator_is_taught_its_share_and_nothing_untaught() -> None:
    facts = load_facts()
    taught = taught_facts(facts)
    subsets = [set(taught_subset(facts, model_seed)) for model_seed in range(3)]
    for subset in subsets:
        assert subset < set(taught)
        assert len(subset) / len(taught) == pytest.approx(0.7, abs=0.04)
    assert len(subsets[0] & subsets[1]) / len(taught) == pytest.approx(0.49, abs=0.05)
    assert not any(is_untaught_subject(fact.subject) for subset in subsets for fact in subset)
    assert set(taught_subset(facts[:300], 0)) == subsets[0] & set(facts[:300])  # decided fact by fact
    assert taught_subset(facts, 0, fraction=1.0) == taught
    with pytest.raises(ValueError, match="fraction"):
        taught_subset(facts, 0, fraction=0.0)


def test_the_bundled_table_gives_enough_unseen_questions() -> None:
    facts, wordings = load_facts(), split_templates(load_templates())
    questions = {ask(t, f.subject): f for f in facts for t in wordings.test[f.relation]}
    untaught = [f for f in questions.values() if is_untaught_subject(f.subject)]
    assert len(questions) - len(untaught) > 600
    assert len(untaught) >= 60
    assert len({f.relation for f in untaught}) >= 8  # not all of one kind


def test_held_out_words_are_those_no_trained_wording_has() -> None:
    train = {"r": ("What is the Größe of {subject}?",)}
    held_out = held_out_words(Wordings(train, {"r": ("Say the GRÖSSE, {subject}!",)}, {"r": ("{subject}: how tall?",)}))
    assert held_out == {"say", "how", "tall"}


def test_no_bundled_question_needs_a_word_never_trained() -> None:
    """Unseen wordings are measured, not unseen words: what a relation is called must have been met."""
    assert held_out_words(split_templates(load_templates())) == frozenset()


def test_trained_wordings_as_a_file_are_what_the_mapping_is(tmp_path: Path) -> None:
    wordings = split_templates(load_templates())
    path = tmp_path / "wordings.tsv"
    write_trained_wordings(wordings, path)
    assert [p.name for p in tmp_path.iterdir()] == ["wordings.tsv"]
    from_file = KnowledgeBase.from_path(BUNDLED_FACTS, wordings=path)
    from_mapping = KnowledgeBase.from_path(BUNDLED_FACTS, wordings=wordings.train)
    question = "How many protons does iron have?"
    assert from_file.search(question, 3) == from_mapping.search(question, 3)
    assert not any(test in path.read_text() for test in wordings.test["capital"])
