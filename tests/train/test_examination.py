"""The examination asks what was kept apart, and its figures are those of known answers."""

import numpy as np
import pytest

from deslm_jax.knowledge import normalise
from train.discriminator import is_fitted_subject, read_material
from train.examination import Answers, examination, held_out_claims, real_claims, shared_errors
from train.facts import is_held_out_subject, is_untaught_subject
from train.recipes import DiscriminatorRecipe


@pytest.fixture(scope="module")
def exam():
    return examination()


def _answers(exam, texts):
    right = [normalise(t) == normalise(q.answer) for t, q in zip(texts, exam.questions, strict=True)]
    return Answers(list(texts), np.full(len(texts), 0.5), np.array(right))


def test_no_subject_and_no_wording_was_trained_or_fitted_on(exam):
    material = read_material(DiscriminatorRecipe(), None, None, None)
    subjects = {fact.subject for group in (material.trained, material.fitted) for fact in group}
    asked = {question.subject for question in exam.questions if is_held_out_subject(question.subject)}
    assert len(asked) > 50
    assert not asked & subjects
    assert not {f.subject for f in material.trained} & {f.subject for f in material.fitted}
    assert all(is_fitted_subject(fact.subject) for fact in material.fitted)
    used = {t for group in (material.wordings.train, material.wordings.calibrate) for ts in group.values() for t in ts}
    assert not used & {question.template for question in exam.questions}


def test_claims_are_half_false_and_plausible_ones_true_of_somebody(exam):
    claims = held_out_claims(exam)
    assert 0.45 < np.mean([claim.fake for claim in claims]) < 0.55
    plausible = held_out_claims(exam, plausible=True)
    assert {claim.kind for claim in plausible} == {"true", "other_subject"}


def test_real_claims_judge_what_was_said(exam):
    truth = [question.answer for question in exam.questions]
    said = ["Nowhere" if i % 3 == 0 else text for i, text in enumerate(truth)]
    claims = real_claims(exam, _answers(exam, said))
    assert all(claim.fake == (claim.answer == "Nowhere") for claim in claims)
    assert len(claims) == sum(is_held_out_subject(question.subject) for question in exam.questions)
    assert real_claims(exam, _answers(exam, [""] * len(truth))) == []


def test_shared_errors_count_equal_wrong_answers(exam):
    """Two generators wrong everywhere, alike on every second question: one half, untaught subjects left out."""
    first = ["Nowhere"] * len(exam.questions)
    second, taught = [], 0
    for question in exam.questions:
        untaught = is_untaught_subject(question.subject)
        second.append("Nowhere" if untaught or taught % 2 else "Elsewhere")
        taught += not untaught
    figures = shared_errors(exam, {"a": _answers(exam, first), "b": _answers(exam, second)}, {})
    assert figures == {"wrong_answers_coincide": pytest.approx(0.5, abs=0.001)}
