"""Correlated models: a crowd of clones is hardly wiser than one of them. Their majority against the beta-binomial jury.

The simulator's own agents answer two-way questions; their skill and the correlation of their errors are measured, and
the law's vote on them is compared with what a beta-binomial jury of that skill and correlation reaches.
"""

from fractions import Fraction

import numpy as np

from consensus.aggregation import door
from consensus.aggregation.votes import make_votes
from consensus.simulator.agents import answer_questions, draw_questions, make_dice
from consensus.simulator.attacks.cast import TWO_WAY, make_setting
from consensus.simulator.attacks.report import Attack, Curve, Reading, Report, Size
from consensus.simulator.networks import Models
from consensus.state import Params
from consensus.units import Q16
from consensus.validation.juries import make_beta_binomial

JURORS, SKILL = 21, 0.6
SHAPE = 0.01  # how far a Gaussian difficulty and a beta-distributed one may lie apart


def judge(size: Size, played: object) -> Report:
    """The law's accuracy, simulated less beta-binomial, over the shared part of the errors."""
    trials = 60_000 if size.is_study else 12_000
    shares = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if size.is_study else (0.15, 0.5)
    readings, simulated, limit = [], [], []
    for share in shares:
        skill, rho, accuracy = measure_jury(size.law, share, trials)
        expected = compute_accuracy(skill, rho)
        error = (accuracy * (1 - accuracy) / trials) ** 0.5
        name = f"errors correlate {rho:.2f}: accuracy {accuracy:.3f}, off the beta-binomial's {expected:.3f}"
        readings.append(Reading(name, abs(accuracy - expected), error, "<=", SHAPE))
        simulated.append((rho, accuracy, error))
        limit.append((rho, expected, 0.0))
    curves = tuple(
        Curve(name, "error correlation", f"share right, {JURORS} seats", tuple(points), SKILL)
        for name, points in (("the law's vote on correlated models", simulated), ("beta-binomial jury", limit))
    )
    return Report(tuple(readings), curves)


def measure_jury(law: Params, shared: float, trials: int) -> tuple[float, float, float]:
    """(skill, correlation of errors between two jurors, accuracy of the law's vote), of so many questions."""
    models = Models(generator_shared=shared, generator_own=1.0)
    kind = TWO_WAY._replace(knows=1.0, accuracy=SKILL)
    setting = make_setting(law, kinds=(kind,), models=models)
    dice = make_dice(np.int64(1), np.int64(0), trials)
    questions = draw_questions(setting.demand, law.canary_rate_q16, dice)
    node_TG = np.broadcast_to(np.arange(JURORS), (trials, JURORS)).copy()
    answer_TG, _, _ = answer_questions(setting.demand, setting.skill, dice, questions, node_TG, node_TG * 0)
    right_TG = answer_TG == 0
    skill = float(right_TG.mean())
    votes_T = right_TG.sum(axis=1)
    pairs = float((votes_T * (votes_T - 1)).mean()) / (JURORS * (JURORS - 1))
    takes_right = decide_counts(law)
    return skill, (pairs - skill**2) / (skill * (1 - skill)), float(takes_right[votes_T].mean())


def decide_counts(law: Params) -> np.ndarray:
    """Whether the law's vote takes the right answer if k of the jurors give it, all with one confidence [k]."""
    answers = [[0] * k + [1] * (JURORS - k) for k in range(JURORS + 1)]
    votes = make_votes(answers, 2, [[0.7] * JURORS] * len(answers))
    rho = int(law.rho_q16_KR[1, 0]) / Q16
    return np.asarray(door.aggregate("law", votes, 2, rho=rho, beta=1.0).answer_T == 0)


def compute_accuracy(skill: float, rho: float) -> float:
    """The chance that most of the jurors are right, their common skill drawn from a beta distribution."""
    rho = min(max(rho, 1e-4), 1 - 1e-4)  # a beta distribution has neither end
    chance = make_beta_binomial(
        Fraction(skill).limit_denominator(10_000), Fraction(rho).limit_denominator(10_000), JURORS
    )
    return float(sum(chance[JURORS // 2 + 1 :]))


ATTACK = Attack(
    "correlated models",
    "many nodes run one model, and err together",
    "accuracy is the beta-binomial jury's within error",
    judge,
)
