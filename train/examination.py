"""What finished models are asked, and the figures that come of it: only wordings, facts and subjects kept apart."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from deslm_jax.bundle import Bundle
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig
from deslm_jax.knowledge import KnowledgeBase, normalise
from deslm_jax.records import Record
from train.augment import word_pool
from train.claims import EVIDENCE_RECORDS, Claim, ClaimMaker
from train.facts import (
    Fact,
    Wordings,
    is_held_out_subject,
    is_untaught_subject,
    load_facts,
    load_templates,
    split_templates,
    taught_subset,
)
from train.fitting import answer_all, fake_logits
from train.questions import Question, fact_questions
from train.recipes import DiscriminatorRecipe
from train.scores import answer_report, binary_report

_SEEN_QUESTIONS = 1000  # of the trained questions, enough for a third of a percent
_CLAIMS_EACH = 4  # of every held-out question: half true


class Examination(NamedTuple):
    """The facts and wordings of an examination."""

    facts: tuple[Fact, ...]
    wordings: Wordings
    knowledge: KnowledgeBase
    questions: list[Question]  # every fact in the test wordings, which nothing was trained or fitted on


class Answers(NamedTuple):
    """What one generator answers to `Examination.questions`."""

    texts: list[str]
    confidence_N: np.ndarray  # calibrated
    right_N: np.ndarray  # bool


def examination(facts_path: Path | None = None, templates_path: Path | None = None) -> Examination:
    """Returns the examination of a table of facts, the bundled one by default."""
    facts = load_facts(facts_path)
    wordings = split_templates(load_templates(templates_path, dict.fromkeys(fact.relation for fact in facts)))
    knowledge = KnowledgeBase([Record(i, *fact) for i, fact in enumerate(facts)], wordings.train)
    return Examination(facts, wordings, knowledge, fact_questions(facts, wordings.test))


def ask(bundle: Bundle, questions: Sequence[Question]) -> Answers:
    """Returns a generator's answers to questions; right means equal but for case, accents and punctuation."""
    texts, logits = answer_all(
        cast(GeneratorConfig, bundle.config), bundle.params, bundle.tokenizer, [question.text for question in questions]
    )
    right = [normalise(text) == normalise(question.answer) for text, question in zip(texts, questions, strict=True)]
    return Answers(texts, bundle.calibration(logits), np.array(right, bool))


def generator_figures(exam: Examination, bundle: Bundle, answers: Answers) -> dict[str, Any]:
    """Returns the reports of one generator by what it was taught, and the baseline's exact match on taught facts."""
    recipe = bundle.provenance["settings"]["recipe"]
    taught = set(taught_subset(exam.facts, recipe["seed"], recipe["taught_fraction"]))
    seen = fact_questions([fact for fact in exam.facts if fact in taught], exam.wordings.train)
    seen = random.Random(0).sample(seen, min(len(seen), _SEEN_QUESTIONS))
    seen_answers = ask(bundle, seen)
    known = np.array([(q.subject, q.relation, q.answer) in taught for q in exam.questions])
    nobody = np.array([is_untaught_subject(question.subject) for question in exam.questions])
    part = lambda chosen: answer_report(answers.confidence_N[chosen], answers.right_N[chosen])
    common = _most_frequent_objects(exam.facts)
    return {
        "seen_wordings": answer_report(seen_answers.confidence_N, seen_answers.right_N),
        "unseen_wordings": part(known),
        "facts_taught_to_others": part(~known & ~nobody),
        "subjects_taught_to_nobody": part(nobody),
        "all_but_untaught_subjects": part(~nobody),
        "baseline_most_frequent_object": _share(
            [common[q.relation] == q.answer for q, k in zip(exam.questions, known, strict=True) if k]
        ),
    }


def held_out_claims(exam: Examination, plausible: bool = False) -> list[Claim]:
    """Returns claims about subjects and in wordings that no verifier was trained or calibrated on.

    `plausible`: false answers are all true of another subject, as often as they are true, so that neither their kind
    nor their frequency gives them away.
    """
    recipe = DiscriminatorRecipe().plain()
    if plausible:
        recipe = replace(recipe, same_relation=1.0, same_subject=0.0, spliced=0.0, other=0.0)
    make_claim, randomness = ClaimMaker(exam.knowledge, exam.facts, word_pool(exam.wordings), recipe), random.Random(0)
    questions = [question for question in exam.questions if is_held_out_subject(question.subject)]
    return [make_claim(question, randomness) for question in questions for _ in range(_CLAIMS_EACH)]


def real_claims(exam: Examination, answers: Answers) -> list[Claim]:
    """Returns what a generator really answers about held-out subjects, with the evidence found."""
    claims = []
    for question, text, right in zip(exam.questions, answers.texts, answers.right_N, strict=True):
        if is_held_out_subject(question.subject) and text.strip():
            hits = exam.knowledge.search(question.text, EVIDENCE_RECORDS)
            records = tuple(exam.knowledge.records[hit.record_id].text for hit in hits)
            claims.append(Claim(question.text, text, records, not right, "real"))
    return claims


def judge(bundle: Bundle, claims: Sequence[Claim]) -> np.ndarray:
    """Returns a verifier's calibrated probability that each claim is false; a closed-book control sees no evidence."""
    closed = not bundle.provenance["settings"]["recipe"]["evidence"]
    cases = [(claim.question, claim.answer, () if closed else claim.evidence) for claim in claims]
    config = cast(DiscriminatorConfig, bundle.config)
    return bundle.calibration(fake_logits(config, bundle.params, bundle.tokenizer, cases))


def discriminator_figures(exam: Examination, bundle: Bundle, answers: Mapping[str, Answers]) -> dict[str, Any]:
    """Returns the reports of one verifier: on claims of known kinds, and on what each generator really answers."""
    claims = held_out_claims(exam)
    p_fake = judge(bundle, claims)
    kinds = sorted({claim.kind for claim in claims})
    hit = (p_fake >= 0.5) == np.array([claim.fake for claim in claims])
    real = [claim for one in answers.values() for claim in real_claims(exam, one)]
    figures: dict[str, Any] = {
        "held_out_subjects": binary_report(p_fake, [claim.fake for claim in claims]),
        "accuracy_by_kind": {k: _share(hit[[c.kind == k for c in claims]].tolist()) for k in kinds},
        "baseline_majority": _majority(claims),
        "baseline_string_match": _string_match(claims),
    }
    if real:
        figures["real_candidates"] = binary_report(judge(bundle, real), [claim.fake for claim in real])
        figures["real_candidates"]["baseline_majority"] = _majority(real)
        figures["real_candidates"]["baseline_string_match"] = _string_match(real)
    return figures


def control_figures(exam: Examination, bundle: Bundle) -> dict[str, Any]:
    """Returns the report of the closed-book control on plausible claims; it must stay at chance.

    An implausible answer ("symbol of iron: 26") may be seen through without evidence, which is no leak.
    """
    claims = held_out_claims(exam, plausible=True)
    return binary_report(judge(bundle, claims), [claim.fake for claim in claims])


def shared_errors(exam: Examination, answers: Mapping[str, Answers], verifiers: Mapping[str, Bundle]) -> dict[str, Any]:
    """Returns how alike the models err: what the protocol's kappa and rho stand for.

    `wrong_answers_coincide`: how often two generators that are both wrong are wrong alike, on facts that somebody was
    taught. `verifier_error_correlation`: of p_fake - fake between two verifiers, on claims about held-out subjects.
    """
    figures: dict[str, Any] = {}
    asked = [i for i, question in enumerate(exam.questions) if not is_untaught_subject(question.subject)]
    both = same = 0
    for first, second in combinations(answers.values(), 2):
        for i in asked:
            if not first.right_N[i] and not second.right_N[i]:
                both += 1
                same += normalise(first.texts[i]) == normalise(second.texts[i])
    if both:
        figures["wrong_answers_coincide"] = round(same / both, 4)
    if len(verifiers) > 1:
        claims = held_out_claims(exam)
        fake = np.array([claim.fake for claim in claims], float)
        errors = np.corrcoef([judge(bundle, claims) - fake for bundle in verifiers.values()])
        figures["verifier_error_correlation"] = round(float(errors[np.triu_indices(len(errors), 1)].mean()), 4)
    return figures


def _most_frequent_objects(facts: Sequence[Fact]) -> dict[str, str]:
    counts: dict[str, Counter[str]] = {}
    for fact in facts:
        counts.setdefault(fact.relation, Counter())[fact.object] += 1
    return {relation: counter.most_common(1)[0][0] for relation, counter in counts.items()}


def _majority(claims: Sequence[Claim]) -> float | None:
    share = _share([claim.fake for claim in claims])
    return share if share is None else max(share, round(1 - share, 4))


def _string_match(claims: Sequence[Claim]) -> float | None:
    """Accuracy of calling an answer true exactly if the first record found ends in it."""
    called = [not claim.evidence or not claim.evidence[0].endswith(f": {claim.answer}") for claim in claims]
    return _share([said == claim.fake for said, claim in zip(called, claims, strict=True)])


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None
