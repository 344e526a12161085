"""Measure a `Profile` from what nodes were seen to say and what turned out to be true.

`Seen` is plain text and numbers, from a ledger or from anywhere else. Only honest nodes' opinions describe models; what
nodes without a model answered tells how often a guess hits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.gaussian_fits import Signal, correlate, find_latent, fit_signal
from consensus.simulator.profiles import KindProfile, ModelLine, Profile, RoleProfile, compute_kappa

_EDGE = 1e-4  # probabilities nearer to 0 or 1 than this count as this


class Question(NamedTuple):
    """One question that was asked."""

    text: str
    kind: str
    is_canary: bool


class Opinion(NamedTuple):
    """One node's opinion: a generator's on its own answer, or a verifier's on one candidate."""

    question: str
    node: str
    model: str  # "" if it ran none
    candidate: str  # the answer, or the candidate that was judged
    probability: float  # that the answer is right, that the candidate is false
    is_so: bool  # what the probability is about was true
    found: bool = True  # a verdict names evidence


class Seen(NamedTuple):
    """What a run showed."""

    questions: tuple[Question, ...]
    answers: tuple[Opinion, ...]
    verdicts: tuple[Opinion, ...]


def measure(seen: Seen) -> Profile:
    """The profile of the models behind these opinions.

    Raises ValueError with one sentence if a role has no model, or its opinions were all right or all wrong.
    """
    kind_of = {question.text: question.kind for question in seen.questions}
    names = tuple(sorted({question.kind for question in seen.questions}))
    answers = [one for one in seen.answers if one.model]
    verdicts = [one for one in seen.verdicts if one.model]
    for role, opinions in (("generator", answers), ("verifier", verdicts)):
        if len({one.is_so for one in opinions}) < 2:
            raise ValueError(f"the run shows no {role} both right and wrong: run it with more questions")
    cap = max(max(one.probability, 1 - one.probability) for one in (*answers, *verdicts))
    limit = float(_logit(np.asarray(cap)))
    label = lambda one: names.index(kind_of[one.question])
    accuracy = _share(answers, lambda one: one.is_so, label, len(names))
    sure = _fit(answers, label, len(names), limit)
    doubt = _fit(verdicts, lambda one: 0, 1, limit)
    overall = float(np.mean([one.is_so for one in _distinct(answers)]))
    generators = _describe(sure, answers, _middle(sure, answers, label), overall)
    verifiers = _describe(doubt, verdicts, doubt.means[0], 0.5)
    coincide = _coincidences(answers, label, len(names))
    prior = [_sigmoid((mean - generators.bias) / generators.temperature) for mean in sure.means]
    evidence = _share(verdicts, lambda one: one.found, label, len(names))
    guesses = [one.is_so for one in seen.answers if not one.model]
    return Profile(
        kinds=tuple(
            KindProfile(
                name=name,
                share=_portion(seen.questions, name, False),
                canary_share=_portion(seen.questions, name, True),
                accuracy=accuracy[k],
                prior=prior[k],
                coincidence=coincide[k],
                evidence=evidence[k],
            )
            for k, name in enumerate(names)
        ),
        generators=_correlated(
            generators,
            answers,
            lambda one: (one.question,),
            lambda one: one.is_so - accuracy[label(one)],
            _show_right(overall),
        ),
        verifiers=_correlated(
            verifiers,
            verdicts,
            lambda one: (one.question, one.candidate),
            _residual(doubt, limit),
            _show_cut(doubt, limit),
        ),
        cap=cap,
        guess=float(np.mean(guesses)) if guesses else 0.0,
        kappa=compute_kappa(_coincidences(answers, lambda one: 0, 1)[0]),
        models=(*_lines(answers, "generator"), *_lines(verdicts, "verifier")),
    )


def _fit(opinions: Sequence[Opinion], label: Callable[[Opinion], int], labels: int, limit: float) -> Signal:
    rows = _distinct(opinions)
    log_odds = _logit(np.array([one.probability for one in rows]))
    side = np.array([1 if one.is_so else -1 for one in rows])
    return fit_signal(log_odds, side, np.array([label(one) for one in rows]), labels, limit)


def _middle(signal: Signal, opinions: Sequence[Opinion], label: Callable[[Opinion], int]) -> float:
    """The mean over opinions of their kind's middle."""
    return float(np.mean([signal.means[label(one)] for one in _distinct(opinions)]))


def _describe(signal: Signal, opinions: Sequence[Opinion], middle: float, prior: float) -> RoleProfile:
    """d', temperature and bias of stated = temperature x (d' x noise +- d'^2 / 2 + logit prior) + bias."""
    separation = max(signal.difference / signal.deviation, 1e-2)
    temperature = signal.deviation / separation
    bias = middle - temperature * float(_logit(np.asarray(prior)))
    return RoleProfile(len({one.model for one in opinions}), separation, bias, temperature, 0.0, 0.0)


def _correlated(
    role: RoleProfile,
    opinions: Sequence[Opinion],
    place: Callable[[Opinion], tuple[str, ...]],
    residual: Callable[[Opinion], float],
    show: Callable[[np.ndarray], np.ndarray],
) -> RoleProfile:
    """The role with the correlation of two models, and of two nodes of one model, whose opinions share a place."""
    by_place: dict[tuple[str, ...], dict[str, Opinion]] = defaultdict(dict)
    for one in opinions:
        by_place[place(one)][one.node] = one
    across: list[tuple[float, float]] = []
    within: list[tuple[float, float]] = []
    for said in by_place.values():
        for one, other in combinations(said.values(), 2):
            (within if one.model == other.model else across).append((residual(one), residual(other)))
    shared = find_latent(correlate(across), show)
    if not within or all(one == other for one, other in within):
        return role._replace(shared=shared)
    own = 1 - (find_latent(correlate(within), show) - shared) / max(1 - shared, 1e-3)
    return role._replace(shared=shared, own=min(max(own, 0.0), 1.0))


def _show_right(accuracy: float) -> Callable[[np.ndarray], np.ndarray]:
    """Of a Gaussian error, whether it is small enough."""
    return lambda normal: (normal < np.quantile(normal, accuracy)) - accuracy


def _show_cut(signal: Signal, limit: float) -> Callable[[np.ndarray], np.ndarray]:
    """Of a Gaussian error, the stated log-odds above their mean, cut off at +-limit; every second draw on one side."""

    def cut(normal: np.ndarray) -> np.ndarray:
        side = np.where(np.arange(len(normal)) % 2 == 0, 1, -1)
        stated = np.clip(signal.means[0] + side * signal.difference / 2 + signal.deviation * normal, -limit, limit)
        for one in (1, -1):
            stated[side == one] -= stated[side == one].mean()
        return stated

    return cut


def _residual(signal: Signal, limit: float) -> Callable[[Opinion], float]:
    """What a stated log-odds is above the mean that the signal has on its side, cut off alike."""
    normal = np.random.default_rng(0).standard_normal(20_000)
    mean = {
        is_so: float(
            np.clip(
                signal.means[0] + (1 if is_so else -1) * signal.difference / 2 + signal.deviation * normal,
                -limit,
                limit,
            ).mean()
        )
        for is_so in (True, False)
    }
    return lambda one: float(_logit(np.asarray(one.probability))) - mean[one.is_so]


def _coincidences(answers: Sequence[Opinion], label: Callable[[Opinion], int], labels: int) -> list[float]:
    """By label, how often two wrong answers of different models to one question are the same."""
    by_question: dict[str, dict[str, Opinion]] = defaultdict(dict)
    for one in answers:
        if not one.is_so:
            by_question[one.question][one.model] = one
    same: list[list[bool]] = [[] for _ in range(labels)]
    for said in by_question.values():
        for one, other in combinations(said.values(), 2):
            same[label(one)].append(one.candidate == other.candidate)
    return [float(np.mean(row)) if row else 0.0 for row in same]


def _share(
    opinions: Sequence[Opinion], test: Callable[[Opinion], bool], label: Callable[[Opinion], int], labels: int
) -> list[float]:
    rows: list[list[bool]] = [[] for _ in range(labels)]
    for one in _distinct(opinions):
        rows[label(one)].append(test(one))
    return [float(np.mean(row)) if row else 0.0 for row in rows]


def _portion(questions: Iterable[Question], kind: str, is_canary: bool) -> float:
    chosen = [question.kind == kind for question in questions if question.is_canary == is_canary]
    return float(np.mean(chosen)) if chosen else 0.0


def _lines(opinions: Sequence[Opinion], role: str) -> list[ModelLine]:
    lines = []
    for model in sorted({one.model for one in opinions}):
        own = [one for one in _distinct(opinions) if one.model == model]
        stated, truth = np.array([one.probability for one in own]), np.array([one.is_so for one in own], dtype=float)
        right = truth if role == "generator" else (stated >= 0.5) == (truth == 1)
        figures = [float(np.mean(x)) for x in (right, stated, (stated - truth) ** 2)]
        lines.append(ModelLine(model, role, len(own), *figures))
    return lines


def _distinct(opinions: Sequence[Opinion]) -> list[Opinion]:
    """Each model's opinion once a question and candidate, however many of its nodes stated it."""
    return list({(one.question, one.model, one.candidate, one.probability): one for one in opinions}.values())


def _logit(probability: np.ndarray) -> Any:
    inside = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.log(inside / (1 - inside))


def _sigmoid(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
