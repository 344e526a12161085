"""Synthetic agents: what every node would say to every task, written down before the law is asked.

Three generator models on 70 % of the facts each and two verifier models, each run by several honest nodes, with the
skill and the correlated errors that small models showed; and the dishonest nodes of the demo. An answer is an index
into the task's universe of possible answers; which index is the truth changes from task to task.
"""

from typing import NamedTuple

import numpy as np

from consensus.units import Q16

SHARED_WRONG = 12  # wrong answers that honest models choose among
UNIVERSE = 1 + SHARED_WRONG + 2  # the truth, those, the inflator's and the copycat's own wrong answer


class Agents(NamedTuple):
    """Skill and behaviour. Accuracies are on question wordings that training never saw."""

    generator_accuracy: float = 0.70  # on facts the model was taught
    taught_share: float = 0.70  # of the facts, to each generator
    guess_accuracy: float = 0.04  # on facts the model was not taught
    lure: float = 0.42  # share of wrong answers that are the question's favourite: two of them coincide 21 %
    generator_separation: float = 1.5  # d' of the confidence between right and wrong: AUROC .86
    generator_error_correlation: float = 0.3  # of the wording's difficulty, between models
    generator_bias: float = 0.3  # what calibration leaves in the log-odds of a confidence
    generator_temperature: float = 0.85
    verifier_separation: float = 3.3  # d' of a verdict: accuracy .95, AUROC .99
    verifier_correlation: float = 0.97  # of the two verifiers' signals: errors correlate .9
    cap: float = 0.98  # of any honest probability
    evidence_found: float = 0.99
    generators: tuple[str, ...] = ("honest",) * 6 + ("inflator", "copycat")
    discriminators: tuple[str, ...] = ("honest",) * 6 + ("flag-all", "withholder")
    generator_models: int = 3
    verifier_models: int = 2


class Plan(NamedTuple):
    """Which tasks are asked, and in what order."""

    taught: int = 300
    untaught: int = 100
    canaries: int = 80  # of these questions
    canaries_unanswerable: float = 0.2  # share of the canaries about subjects nobody was taught
    early_canaries: int = 40  # how many of the canaries fall into the first tasks
    early_tasks: int = 60  # how many first tasks those are
    in_flight: int = 8  # tasks open at once


class Tasks(NamedTuple):
    """One run's tasks, in order. T tasks, A generators, B discriminators, U universe."""

    is_taught_T: np.ndarray  # 0 or 1: some generators were taught the fact
    is_canary_T: np.ndarray
    truth_T: np.ndarray  # the universe index that is true
    answer_TA: np.ndarray
    confidence_q16_TA: np.ndarray
    verdict_q16_TBU: np.ndarray
    evidence_TBU: np.ndarray
    reveals_TB: np.ndarray  # 0: withholds
    generator_draws_TG16: np.ndarray
    discriminator_draws_TD16: np.ndarray
    candidate_draw_T16: np.ndarray
    audit_draw_T16: np.ndarray


def draw_tasks(agents: Agents, plan: Plan, seats: tuple[int, int], seed: int) -> Tasks:
    """Everything random of one run, from one seed."""
    rng = np.random.default_rng(seed)
    is_taught_T, is_canary_T = _order(plan, rng)
    T = len(is_taught_T)
    truth_T = rng.integers(0, UNIVERSE, T)
    answer_TA, confidence_TA = _generators(agents, is_taught_T == 1, rng)
    verdict_TBU, evidence_TBU = _discriminators(agents, T, rng)
    # so far the truth is answer 0: turn the universe, so that no rule can tell it by its number
    answer_TA = (answer_TA + truth_T[:, None]) % UNIVERSE
    turned_TU = (np.arange(UNIVERSE)[None, :] - truth_T[:, None]) % UNIVERSE
    turn = lambda x_TBU: np.take_along_axis(x_TBU, np.broadcast_to(turned_TU[:, None, :], x_TBU.shape), axis=2)
    reveals_B = [int(behaviour != "withholder") for behaviour in agents.discriminators]
    draws = lambda *shape: rng.integers(0, 256, (T, *shape, 16))
    return Tasks(
        is_taught_T=is_taught_T,
        is_canary_T=is_canary_T,
        truth_T=truth_T,
        answer_TA=answer_TA,
        confidence_q16_TA=_q16(confidence_TA),
        verdict_q16_TBU=_q16(turn(verdict_TBU)),
        evidence_TBU=turn(evidence_TBU).astype(np.int64),
        reveals_TB=np.broadcast_to(reveals_B, (T, len(reveals_B))).astype(np.int64),
        generator_draws_TG16=draws(seats[0]),
        discriminator_draws_TD16=draws(seats[1]),
        candidate_draw_T16=draws(),
        audit_draw_T16=draws(),
    )


def _order(plan: Plan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(is_taught, is_canary) [T] in the order of asking."""
    unanswerable = round(plan.canaries * plan.canaries_unanswerable)
    canaries = rng.permutation([0] * unanswerable + [1] * (plan.canaries - unanswerable))
    others = [1] * (plan.taught - plan.canaries + unanswerable) + [0] * (plan.untaught - unanswerable)
    questions = np.stack([rng.permutation(others), np.zeros(len(others), dtype=int)], axis=1)
    canaries = np.stack([canaries, np.ones_like(canaries)], axis=1)
    first = plan.early_tasks - plan.early_canaries
    early = np.concatenate([canaries[: plan.early_canaries], questions[:first]])
    later = np.concatenate([canaries[plan.early_canaries :], questions[first:]])
    order = np.concatenate([rng.permutation(early), rng.permutation(later)]).astype(np.int64)
    return order[:, 0], order[:, 1]


def _generators(agents: Agents, is_taught_T: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Answers [T,A] with the truth as 0, and confidences [T,A]."""
    T, M = len(is_taught_T), agents.generator_models
    knows_TM = is_taught_T[:, None] & (rng.random((T, M)) < agents.taught_share)
    right_TM = np.where(
        knows_TM,
        _correlated(rng, T, M, agents.generator_error_correlation) < agents.generator_accuracy,
        rng.random((T, M)) < agents.guess_accuracy,
    )
    lure = np.array([agents.lure] + [(1 - agents.lure) / (SHARED_WRONG - 1)] * (SHARED_WRONG - 1))
    wrong_TM = 1 + rng.choice(SHARED_WRONG, (T, M), p=lure)
    answer_TM = np.where(right_TM, 0, wrong_TM)
    prior = agents.taught_share * agents.generator_accuracy
    d = agents.generator_separation
    signal_TM = rng.normal(np.where(right_TM, d / 2, -d / 2))
    log_odds_TM = (d * signal_TM + np.log(prior / (1 - prior))) * agents.generator_temperature + agents.generator_bias
    confidence_TM = np.clip(1 / (1 + np.exp(-log_odds_TM)), 1 - agents.cap, agents.cap)

    answers, confidences, honest = [], [], 0
    for behaviour in agents.generators:
        if behaviour == "honest":
            answers.append(answer_TM[:, honest % M])
            confidences.append(confidence_TM[:, honest % M])
            honest += 1
            continue
        lucky_T = rng.random(T) < agents.guess_accuracy
        own = UNIVERSE - (2 if behaviour == "inflator" else 1)
        answers.append(np.where(lucky_T, 0, own))
        stated_T = {"copycat": np.roll(confidence_TM[:, 0], 1), "shy": np.zeros(T)}.get(behaviour, np.full(T, 0.99))
        if behaviour == "long-con":  # honest for half of the run, an inflator for the other half
            is_early_T = np.arange(T) < T // 2
            answers[-1] = np.where(is_early_T, answer_TM[:, 0], answers[-1])
            stated_T = np.where(is_early_T, confidence_TM[:, 0], stated_T)
        confidences.append(stated_T)
    return np.stack(answers, axis=1), np.stack(confidences, axis=1)


def _discriminators(agents: Agents, T: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [T,B,U] that each answer of the universe (0 is true) is false, and found evidence [T,B,U]."""
    M, d = agents.verifier_models, agents.verifier_separation
    common_TU = rng.normal(size=(T, 1, UNIVERSE))
    own_TMU = rng.normal(size=(T, M, UNIVERSE))
    noise_TMU = agents.verifier_correlation**0.5 * common_TU + (1 - agents.verifier_correlation) ** 0.5 * own_TMU
    is_false_U = np.arange(UNIVERSE) > 0
    signal_TMU = noise_TMU + np.where(is_false_U, d / 2, -d / 2)
    q_TMU = np.clip(1 / (1 + np.exp(-d * signal_TMU)), 1 - agents.cap, agents.cap)
    found_TU = rng.random((T, 1, UNIVERSE)) < agents.evidence_found

    verdicts, evidence, honest = [], [], 0
    for behaviour in agents.discriminators:
        stated = {"flag-all": 0.99, "approve-all": 0.01, "lazy": 0.45, "long-con": 0.99}.get(behaviour)
        honest_q_TU, flat_TU = q_TMU[:, honest % M], np.full((T, UNIVERSE), stated or 0.5)
        is_honest_T1 = (np.arange(T) < {"long-con": T // 2}.get(behaviour, 0 if stated else T))[:, None]
        verdicts.append(np.where(is_honest_T1, honest_q_TU, flat_TU))
        evidence.append(found_TU[:, 0] | ~is_honest_T1)
        honest += stated is None
    return np.stack(verdicts, axis=1), np.stack(evidence, axis=1)


def _correlated(rng: np.random.Generator, T: int, M: int, correlation: float) -> np.ndarray:
    """Uniforms [T,M] whose normal scores correlate between the models."""
    z = correlation**0.5 * rng.normal(size=(T, 1)) + (1 - correlation) ** 0.5 * rng.normal(size=(T, M))
    # the logistic stands in for the normal distribution function: within .01
    return 1 / (1 + np.exp(-1.702 * z))


def _q16(x: np.ndarray) -> np.ndarray:
    return np.round(x * Q16).astype(np.int64)
