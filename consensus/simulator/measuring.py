"""Measure a `Profile` from what nodes were seen to say and what turned out to be true.

`Seen` is plain text and numbers, from a ledger or from anywhere else. Only honest nodes' opinions describe models; what
nodes without a model answered tells how often a guess hits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.gaussian_fits import Signal, correlate, find_latent, fit_signal, split_blindness
from consensus.simulator.profiles import (
    KindProfile,
    ModelLine,
    Profile,
    RoleProfile,
    Sight,
    compute_kappa,
    count_wrong_answers,
    solve_trap,
)

_EDGE = 1e-4  # probabilities nearer to 0 or 1 than this count as this
_LEAST_PRIOR = 0.01
_LEAST_SEPARATION = 0.1


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

    Everything is a rate over all that nodes revealed, of questions asked; what the network then accepted plays no part.
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
    label = lambda one: names.index(kind_of[one.question])
    accuracy = _share(answers, lambda one: one.is_so, label, len(names))
    prior = [min(max(share, _LEAST_PRIOR), 1 - _LEAST_PRIOR) for share in accuracy]
    limit = float(_logit(np.asarray(cap)))
    sure = _Measured(answers, label, len(names), limit, wrong=-1, blind_at=1.0)
    doubt = _Measured(verdicts, label, len(names), limit, wrong=1, blind_at=0.0)
    right = [_correlate_right(sure, k, share) for k, share in enumerate(accuracy)]
    judged = [_correlate_stated(doubt, k) for k in range(len(names))]
    coincide = _coincidences(answers, label, len(names))
    traps = _find_traps(answers, label, coincide)
    generators = [sure.describe(k, prior[k], pair, traps) for k, pair in enumerate(right)]
    verifiers = [doubt.describe(k, 0.5, pair, traps) for k, pair in enumerate(judged)]
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
                generators=generators[k],
                verifiers=verifiers[k],
            )
            for k, name in enumerate(names)
        ),
        generators=sure.sum_up(generators, right),
        verifiers=doubt.sum_up(verifiers, judged),
        cap=cap,
        guess=float(np.mean(guesses)) if guesses else 0.0,
        kappa=compute_kappa(_coincidences(answers, lambda one: 0, 1)[0]),
        models=(*_lines(answers, "generator"), *_lines(verdicts, "verifier")),
    )


class Correlated(NamedTuple):
    """How errors on one kind of question correlate."""

    shared: float  # between two models
    own: float  # share of the rest that is a node's own
    pairs: int  # of nodes of one model that this rests on


class _Measured:
    """The opinions of one role, and the signal fitted to them."""

    def __init__(
        self,
        opinions: Sequence[Opinion],
        label: Callable[[Opinion], int],
        labels: int,
        limit: float,
        wrong: int,
        blind_at: float,
    ) -> None:
        self.opinions, self.label, self.limit = opinions, label, limit
        rows = _distinct(opinions)
        self.counts = np.bincount([label(one) for one in rows], minlength=labels)
        self.signal = fit_signal(*self._columns(rows), labels, limit, wrong, blind_at)
        likely = self.signal.weigh(self._columns(opinions)[0], self._columns(opinions)[2], limit)
        self.likely = dict(zip(opinions, zip(*(part.tolist() for part in likely), strict=True), strict=True))

    def _columns(self, opinions: Sequence[Opinion]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-odds, side and label."""
        stated = _logit(np.array([one.probability for one in opinions]))
        side = np.array([1 if one.is_so else -1 for one in opinions])
        return stated, side, np.array([self.label(one) for one in opinions])

    def is_wrong(self, one: Opinion) -> bool:
        """Whether it is about a wrong answer."""
        return one.is_so == (self.signal.wrong == 1)

    def is_blind(self, one: Opinion) -> bool:
        """Whether that is likelier than not."""
        share, (seeing, blind) = self.signal.blind[self.label(one)], self.likely[one]
        return self.is_wrong(one) and share * blind > (1 - share) * seeing

    def pair_up(self, kind: int | None) -> tuple[list[tuple[Opinion, Opinion]], list[tuple[Opinion, Opinion]]]:
        """Pairs of nodes' opinions on one thing: of two models, each model once, and of one model. Of a kind or all."""
        by_place: dict[tuple[str, ...], dict[str, Opinion]] = defaultdict(dict)
        for one in self.opinions:
            if kind is None or self.label(one) == kind:
                place = (one.question, one.candidate) if self.signal.wrong == 1 else (one.question,)
                by_place[place][one.node] = one
        across: list[tuple[Opinion, Opinion]] = []
        within: list[tuple[Opinion, Opinion]] = []
        for said in by_place.values():
            across += combinations({one.model: one for one in said.values()}.values(), 2)
            within += [pair for pair in combinations(said.values(), 2) if pair[0].model == pair[1].model]
        return across, within

    def find_blindness(self, kind: int, chances: Mapping[tuple[str, str], float]) -> tuple[float, float]:
        """What `split_blindness` makes of the wrong answers of a kind, each model once."""
        models: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
        for one in self.opinions:
            if self.label(one) == kind and self.is_wrong(one):
                models[one.question, one.candidate][one.model] = self.likely[one]
        return split_blindness([(chances.get(place, 0.0), list(said.values())) for place, said in models.items()])

    def describe(
        self, kind: int, prior: float, correlated: Correlated, chances: Mapping[tuple[str, str], float]
    ) -> Sight:
        """Of stated = temperature x (d' x noise +- d'^2 / 2 + logit prior) + bias all but the prior; blindness."""
        difference, deviation = self.signal.differences[kind], self.signal.deviation
        separation = max(difference / deviation, _LEAST_SEPARATION)
        temperature = deviation / separation
        bias = self.signal.means[kind] - temperature * float(_logit(np.asarray(prior)))
        return Sight(separation, bias, temperature, correlated.shared, *self.find_blindness(kind, chances))

    def sum_up(self, kinds: Sequence[Sight], correlated: Sequence[Correlated]) -> RoleProfile:
        """The role: means over its opinions."""
        mean = Sight(*(float(np.average(column, weights=self.counts)) for column in zip(*kinds, strict=True)))
        pairs = [one.pairs for one in correlated]
        own = float(np.average([one.own for one in correlated], weights=pairs)) if any(pairs) else 0.0
        return RoleProfile(len({one.model for one in self.opinions}), own, mean)


def _correlate_right(role: _Measured, kind: int, accuracy: float) -> Correlated:
    """The correlation of what makes an answer right."""
    return _correlate(*role.pair_up(kind), lambda one: one.is_so - accuracy, _show_right(accuracy))


def _correlate_stated(role: _Measured, kind: int) -> Correlated:
    """The correlation of stated log-odds around their means, among opinions that are not blind."""
    seeing = [
        [pair for pair in pairs if not role.is_blind(pair[0]) and not role.is_blind(pair[1])]
        for pairs in role.pair_up(kind)
    ]
    signal, limit = role.signal, role.limit
    return _correlate(seeing[0], seeing[1], _residual(signal, kind, limit), _show_cut(signal, kind, limit))


def _correlate(
    across: Sequence[tuple[Opinion, Opinion]],
    within: Sequence[tuple[Opinion, Opinion]],
    residual: Callable[[Opinion], float],
    show: Callable[[np.ndarray], np.ndarray],
) -> Correlated:
    """The latent correlations behind the residuals of pairs of two models, and of pairs of one model."""
    pairs = lambda chosen: [(residual(one), residual(other)) for one, other in chosen]
    shared = find_latent(correlate(pairs(across)), show)
    if all(one == other for one, other in pairs(within)):
        return Correlated(shared, 0.0, len(within))
    own = 1 - (find_latent(correlate(pairs(within)), show) - shared) / max(1 - shared, 1e-3)
    return Correlated(shared, min(max(own, 0.0), 1.0), len(within))


def _show_right(accuracy: float) -> Callable[[np.ndarray], np.ndarray]:
    """Of a Gaussian error, whether it is small enough."""
    return lambda normal: (normal < np.quantile(normal, accuracy)) - accuracy


def _show_cut(signal: Signal, kind: int, limit: float) -> Callable[[np.ndarray], np.ndarray]:
    """Of a Gaussian error, the stated log-odds above their mean, cut off at +-limit; every second draw on one side."""

    def cut(normal: np.ndarray) -> np.ndarray:
        side = np.where(np.arange(len(normal)) % 2 == 0, 1, -1)
        mean = signal.expect(np.full(len(normal), kind), side)
        stated = np.clip(mean + signal.deviation * normal, -limit, limit)
        for one in (1, -1):
            stated[side == one] -= stated[side == one].mean()
        return stated

    return cut


def _residual(signal: Signal, kind: int, limit: float) -> Callable[[Opinion], float]:
    """What a stated log-odds is above the mean that the signal has on its side, cut off alike."""
    normal = np.random.default_rng(0).standard_normal(20_000)
    expected = {side: float(signal.expect(np.array([kind]), np.array([side]))[0]) for side in (1, -1)}
    cut = lambda side: np.clip(expected[side] + signal.deviation * normal, -limit, limit)
    mean = {side == 1: float(cut(side).mean()) for side in (1, -1)}
    return lambda one: float(_logit(np.asarray(one.probability))) - mean[one.is_so]


def _group_wrong(answers: Sequence[Opinion]) -> list[list[Opinion]]:
    """The wrong answers to each question that had any, one a model."""
    by_question: dict[str, dict[str, Opinion]] = defaultdict(dict)
    for one in answers:
        if not one.is_so:
            by_question[one.question][one.model] = one
    return [list(said.values()) for said in by_question.values()]


def _coincidences(answers: Sequence[Opinion], label: Callable[[Opinion], int], labels: int) -> list[float]:
    """By label, how often two wrong answers of different models to one question are the same."""
    same: list[list[bool]] = [[] for _ in range(labels)]
    for said in _group_wrong(answers):
        for one, other in combinations(said, 2):
            same[label(one)].append(one.candidate == other.candidate)
    return [float(np.mean(row)) if row else 0.0 for row in same]


def _find_traps(
    answers: Sequence[Opinion], label: Callable[[Opinion], int], coincide: Sequence[float]
) -> dict[tuple[str, str], float]:
    """By question and wrong answer the chance that it is a trap's: 0 where two models err differently."""
    found = {}
    for first, *others in _group_wrong(answers):
        if all(one.candidate == first.candidate for one in others):
            trap = solve_trap(coincide[label(first)])
            accident = (1 - trap) / count_wrong_answers(coincide[label(first)]) ** len(others)
            found[first.question, first.candidate] = trap / (trap + accident)
    return found


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
