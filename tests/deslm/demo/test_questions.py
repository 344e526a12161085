"""Which questions the demo asks, and which of them are canaries."""

import pytest

from deslm.demo.questions import Canaries, choose_questions
from deslm.errors import UserError
from train.facts import Fact, is_untaught_subject, load_facts, load_templates, split_templates

FACTS = load_facts()
WORDINGS = split_templates(load_templates(relations={fact.relation for fact in FACTS}))
PLAN = Canaries(share=0.25, unanswerable=0.4, lead=10)


def choose(**changes):
    options = {"seed": 3, "taught": 60, "untaught": 20, "canaries": PLAN} | changes
    return choose_questions(FACTS, WORDINGS, **options)


def test_counts_and_kinds():
    questions = choose()
    assert len({question.text for question in questions}) == 80
    assert sum(question.taught for question in questions) == 60
    assert all(question.taught != is_untaught_subject(question.subject) for question in questions)


def test_no_question_is_in_a_wording_anybody_was_trained_on():
    trained = {(r, template) for r, templates in WORDINGS.train.items() for template in templates}
    for question in choose():
        wording = question.text.replace(question.subject, "{subject}")
        assert (question.relation, wording) not in trained


def test_truth_is_the_fact():
    table = {(fact.subject, fact.relation): fact.object for fact in FACTS}
    assert all(table[question.subject, question.relation] == question.truth for question in choose())


def test_canaries_come_early_in_the_planned_shares():
    questions = choose()
    canaries = [question for question in questions if question.canary]
    assert len(canaries) == 20
    assert sum(not question.taught for question in canaries) == 8
    early = [question.canary for question in questions[:20]]
    assert sum(early) == 10
    assert early not in ([True] * 10 + [False] * 10, [True, False] * 10)  # no place gives a canary away


def test_the_seed_alone_decides():
    assert choose() == choose()
    assert choose() != choose(seed=4)


def test_a_question_about_two_facts_is_one_sentence():
    wording = "Tell me about {subject}."
    facts = [Fact("Peru", "capital", "Lima"), Fact("Peru", "currency", "sol")]
    shared = WORDINGS._replace(test={"capital": (wording,), "currency": (wording,)})
    with pytest.raises(UserError, match="asks for the capital of Peru and for the currency of Peru"):
        choose_questions(facts, shared, seed=0, taught=1, untaught=0, canaries=PLAN)


def test_too_many_questions_is_one_sentence():
    with pytest.raises(UserError, match="lower --questions"):
        choose(taught=10_000)
