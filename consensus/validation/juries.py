"""Jury theorems: how often a vote is right, exactly, by asking our rules about every way the jurors can answer.

Probabilities are exact rationals; a rule only says which of two answers it takes. The law's tally (R4) is asked as for
a two-way class of unproven equals: kappa 0, rho 0, beta 1.
"""

from fractions import Fraction
from itertools import product
from math import comb, prod, sqrt

import numpy as np

from consensus.aggregation import door
from consensus.aggregation.votes import make_votes
from consensus.validation.rows import Row

CONDORCET = "Condorcet 1785; follows from the binomial"
CONDORCET_NUMBERS = (("0.6", 21, 0.825622), ("0.7", 11, 0.921775), ("0.55", 101, 0.843755))
NITZAN_PAROUSH = "Nitzan and Paroush 1982, theorem 1; follows by enumeration"
SKILLS = ("0.9", "0.8", "0.6", "0.6", "0.6")
CORRELATED = "beta-binomial jury (Boland 1989); follows by summation"
SETTINGS = {"law": {"kappa": 0.0, "rho": 0.0, "beta": 1.0}}
RULE_NAMES = {"law": "tally R4", "majority": "majority", "log-odds": "log-odds"}
TRIALS = 20_000  # Monte Carlo juries


def list_rows() -> list[Row]:
    """Condorcet's, Nitzan and Paroush's and the correlated jury."""
    rows = []
    for skill, jurors, expected in CONDORCET_NUMBERS:
        given = f"p {skill}, {jurors} jurors"
        for rule in ("law", "majority"):
            ours = float(sum_right(rule, make_binomial(Fraction(skill), jurors)))
            rows.append(Row("Condorcet's jury", given, RULE_NAMES[rule], CONDORCET, (expected,), (ours,), 1e-6))
        sigma = sqrt(expected * (1 - expected) / TRIALS)
        ours = simulate_majority(float(skill), jurors)
        given = f"{given}, {TRIALS} trials"
        rows.append(Row("Condorcet's jury", given, "majority", CONDORCET, (expected,), (ours,), 3 * sigma))
    told, equal = [float(skill) for skill in SKILLS], [0.7] * len(SKILLS)
    for rule, confidences, expected, name in (
        ("law", told, 0.90576, "log-odds vote"),
        ("log-odds", told, 0.90576, "log-odds vote"),
        ("law", equal, 0.84672, "unweighted vote"),
        ("majority", told, 0.84672, "unweighted vote"),
    ):
        ours = float(enumerate_right(rule, confidences))
        given = f"skills {' '.join(SKILLS)}"
        rows.append(Row(name, given, RULE_NAMES[rule], NITZAN_PAROUSH, (expected,), (ours,), 1e-6))
    for rule in ("law", "majority"):
        ours = float(sum_right(rule, make_beta_binomial(Fraction("0.6"), Fraction("0.1"), 21)))
        given = "p 0.6, correlation 0.1, 21 jurors"
        rows.append(Row("correlated jury", given, RULE_NAMES[rule], CORRELATED, (0.70418,), (ours,), 1e-4))
    limit = compute_jury_limit(0.6, 0.1)
    given = "p 0.6, correlation 0.1, jurors -> infinity"
    return [*rows, Row("correlated jury", given, "Beta tail", CORRELATED, (0.73607,), (limit,), 1e-4)]


def make_binomial(skill: Fraction, jurors: int) -> list[Fraction]:
    """P(k of the jurors are right), k = 0 to n, if each is with probability `skill`, independently."""
    return [comb(jurors, k) * skill**k * (1 - skill) ** (jurors - k) for k in range(jurors + 1)]


def make_beta_binomial(skill: Fraction, correlation: Fraction, jurors: int) -> list[Fraction]:
    """The same if the jurors' common skill is drawn from Beta(a, b) with mean `skill`, a + b = 1/correlation - 1."""
    a, b = skill * (1 / correlation - 1), (1 - skill) * (1 / correlation - 1)
    rise = lambda x, steps: Fraction(prod(x + i for i in range(steps)))
    return [comb(jurors, k) * rise(a, k) * rise(b, jurors - k) / rise(a + b, jurors) for k in range(jurors + 1)]


def sum_right(rule: str, chance: list[Fraction]) -> Fraction:
    """P(the rule takes the right answer) if k of n equal jurors are right with `chance[k]`."""
    jurors = len(chance) - 1
    answers = [[0] * k + [1] * (jurors - k) for k in range(jurors + 1)]
    taken = _decide(rule, answers, [0.7] * jurors)
    return sum((p for p, answer in zip(chance, taken, strict=True) if answer == 0), start=Fraction(0))


def enumerate_right(rule: str, confidences: list[float]) -> Fraction:
    """P(the rule takes the right answer) for jurors of the `SKILLS`, who say these confidences, independently."""
    skills = [Fraction(skill) for skill in SKILLS]
    patterns = list(product((0, 1), repeat=len(skills)))
    taken = _decide(rule, [list(pattern) for pattern in patterns], confidences)
    right = Fraction(0)
    for pattern, answer in zip(patterns, taken, strict=True):
        chance = prod(1 - skill if wrong else skill for skill, wrong in zip(skills, pattern, strict=True))
        right += chance * (answer == 0)
    return right


def simulate_majority(skill: float, jurors: int, trials: int = TRIALS, seed: int = 0) -> float:
    """Share of simulated juries whose majority is right."""
    wrong_TN = np.random.default_rng(seed).random((trials, jurors)) >= skill
    taken_T = door.aggregate("majority", make_votes(wrong_TN.astype(np.int64), candidates=2), 2).answer_T
    return float((taken_T == 0).mean())


def compute_jury_limit(skill: float, correlation: float, points: int = 60) -> float:
    """P(common skill > 1/2), to which a correlated jury tends: the Beta tail by Gauss-Legendre quadrature."""
    a, b = skill * (1 / correlation - 1), (1 - skill) * (1 / correlation - 1)
    node, weight = np.polynomial.legendre.leggauss(points)
    integrate = lambda low, high: (
        (high - low) / 2 * float(weight @ _density((high - low) / 2 * node + (high + low) / 2, a, b))
    )
    upper, lower = integrate(0.5, 1.0), integrate(0.0, 0.5)
    return upper / (upper + lower)


def _density(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """Beta(a, b) without its constant."""
    density: np.ndarray = x ** (a - 1) * (1 - x) ** (b - 1)
    return density


def _decide(rule: str, answers: list[list[int]], confidences: list[float]) -> list[int]:
    """The rule's answer to each pattern of answers, 0 being right."""
    votes = make_votes(answers, 2, [confidences] * len(answers))
    taken: list[int] = door.aggregate(rule, votes, 2, **SETTINGS.get(rule, {})).answer_T.tolist()
    return taken
