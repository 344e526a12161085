"""From a trained model to honest probabilities: its answers and verdicts on questions it was never trained on."""

import random
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from deslm_jax.calibration import Calibration, confidence_logit, fit_calibration
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig
from deslm_jax.decode import generate
from deslm_jax.discriminator import Discriminator
from deslm_jax.prompts import encode_verdict_input, question_batch, verdict_batch
from deslm_jax.tokenizer import Vocabulary
from train.claims import ClaimMaker
from train.questions import Question
from train.recipes import DiscriminatorRecipe
from train.scores import answer_report, binary_report

_ROWS = 64  # of a batch: few shapes to compile, little padding


def answer_all(
    config: GeneratorConfig, params: Any, tokenizer: Vocabulary, questions: Sequence[str], length: int | None = None
) -> tuple[list[str], np.ndarray]:
    """Returns the greedy answers and their raw confidence logits, float64 [N].

    `length` tokens are read a question (default: what the longest of them needs, at most the config's).
    """
    needed = max((len(tokenizer.encode(text)) + 1 for text in questions), default=1)
    length = length or min(config.max_source_len, -(-needed // 8) * 8)
    texts: list[str] = []
    log_probabilities: list[np.ndarray] = []
    for start in range(0, len(questions), _ROWS):
        rows = list(questions[start : start + _ROWS])
        batch = question_batch(tokenizer, rows + rows[-1:] * (_ROWS - len(rows)), length)
        written = jax.device_get(generate(config, params, batch.ids_BS, batch.mask_BS))
        texts += [tokenizer.decode(ids) for ids in written.ids_BU[: len(rows)]]
        log_probabilities.append(written.log_probability_B[: len(rows)])
    return texts, confidence_logit(np.concatenate(log_probabilities)) if log_probabilities else np.zeros(0)


def calibrate_generator(
    config: GeneratorConfig, params: Any, tokenizer: Vocabulary, questions: Sequence[Question], cap: float
) -> tuple[Calibration, dict[str, Any]]:
    """Returns the calibration fitted on these questions, and how the model did on them.

    Without questions the calibration is the identity, and says so by an empty report.
    """
    if not questions:
        return Calibration(), {}
    texts, logits = answer_all(config, params, tokenizer, [question.text for question in questions])
    right = np.array([text == question.answer for text, question in zip(texts, questions, strict=True)])
    calibration = fit_calibration(logits, right, cap)
    return calibration, answer_report(calibration(logits), right)


def fake_logits(
    config: DiscriminatorConfig, params: Any, tokenizer: Vocabulary, cases: Sequence[tuple[str, str, Sequence[str]]]
) -> np.ndarray:
    """Returns the logit that each (question, answer, evidence) is fake, float64 [N]."""
    if not cases:
        return np.zeros(0)
    model = Discriminator(config)
    forward = jax.jit(lambda p, ids, mask, types: model.apply({"params": p}, ids, mask, None, types))
    needed = max(len(encode_verdict_input(tokenizer, *case, config.max_source_len)[0]) for case in cases)
    length = -(-needed // 8) * 8
    logits = []
    for start in range(0, len(cases), _ROWS):
        rows = list(cases[start : start + _ROWS])
        batch = verdict_batch(tokenizer, rows + rows[-1:] * (_ROWS - len(rows)), min(length, config.max_source_len))
        logits.append(np.asarray(forward(params, *batch))[: len(rows)])
    return np.concatenate(logits).astype(np.float64)


def calibrate_discriminator(
    config: DiscriminatorConfig,
    params: Any,
    tokenizer: Vocabulary,
    make_claim: ClaimMaker,
    questions: Sequence[Question],
    recipe: DiscriminatorRecipe,
    claims_each: int = 4,
) -> tuple[Calibration, dict[str, Any]]:
    """Returns the calibration fitted on claims about these questions, and how the model did on them.

    Without questions the calibration is the identity, and says so by an empty report.
    """
    randomness = random.Random(recipe.seed)
    claims = [make_claim(question, randomness) for question in questions for _ in range(claims_each)]
    if not claims:
        return Calibration(), {}
    logits = fake_logits(config, params, tokenizer, [claim[:3] for claim in claims])
    fake = np.array([claim.fake for claim in claims])
    calibration = fit_calibration(logits, fake, recipe.confidence_cap)
    return calibration, binary_report(calibration(logits), fake)
