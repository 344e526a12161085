"""Generator examples: questions about facts in their trained wordings, or a user's own question and answer pairs."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from deslm_jax.prompts import encode_answer, encode_question
from deslm_jax.tokenizer import Tokenizer
from train.augment import Noise, WordPool, noisy_question
from train.batches import batch_function, example_indices, padded
from train.facts import Fact
from train.recipes import GeneratorRecipe
from train.sources import Source


class Question(NamedTuple):
    """One thing to ask, and its answer."""

    template: str  # holds "{subject}" once, or is the whole question
    subject: str  # "" for a pair
    relation: str  # "" for a pair
    answer: str

    @property
    def text(self) -> str:
        """The question as it stands."""
        return self.template.replace("{subject}", self.subject) if self.subject else self.template

    def noisy(self, noise: Noise, pool: WordPool, randomness: random.Random) -> str:
        """The question with noise around its subject; a pair has no known subject and stays as it is."""
        return noisy_question(self.template, self.subject, noise, pool, randomness) if self.subject else self.template


class Lesson(NamedTuple):
    """What there is to learn, and what to measure confidence on."""

    questions: Sequence[Question]  # trained
    calibration: Sequence[Question]  # never trained; some about facts that this model is not taught
    pool: WordPool  # foreign words for the noise
    tokenizer: Tokenizer
    data_sha256: str


def fact_questions(facts: Iterable[Fact], templates: dict[str, tuple[str, ...]]) -> list[Question]:
    """Returns every fact in every given wording of its relation, grouped by fact."""
    return [Question(t, fact.subject, fact.relation, fact.object) for fact in facts for t in templates[fact.relation]]


def pair_questions(source: Source) -> list[Question]:
    """Returns the records of a source with `question` and `answer`; ValueError naming the first without."""
    found = []
    for index in range(len(source)):
        record = source[index]
        missing = [name for name in ("question", "answer") if not record.get(name)]
        if missing:
            raise ValueError(f"Record {index} has no {missing[0]!r}; it has {', '.join(sorted(record))}.")
        found.append(Question(record["question"], "", "", record["answer"]))
    return found


def training_length(questions: Iterable[Question], tokenizer: Tokenizer) -> int:
    """Returns the tokens of the longest question with its mark, rounded up to a multiple of four."""
    longest = max(len(tokenizer.encode(question.text)) + 1 for question in questions)
    return -(-longest // 4) * 4


def generator_batches(
    lesson: Lesson, recipe: GeneratorRecipe, question_len: int, answer_len: int, rows: range, compact: bool
) -> Callable[[int], dict[str, np.ndarray]]:
    """Returns `batch_at(step)`: `question` int32 [B,S], `answer_in` and `answer_out` int32 [B,U], `counts` bool [B,U].

    `compact`, for a single device, keeps only the places of the answer that count: `places` int32 [N], `answer_out`
    int32 [N] and `counts` bool [N], N being what the fullest batch of the run needs. Two thirds of the places of short
    answers are padding, and their logits are the dearest thing in the step.
    """
    tokenizer, noise = lesson.tokenizer, recipe.noise()
    answers = [encode_answer(tokenizer, question.answer, answer_len) for question in lesson.questions]

    def make_row(index: int, randomness: random.Random) -> dict[str, np.ndarray]:
        question, answer = lesson.questions[index], answers[index]
        ids = _fitting(question, tokenizer, question_len, question.noisy(noise, lesson.pool, randomness))
        return {
            "question": padded(ids, question_len),
            "answer_in": padded([tokenizer.bos, *answer[:-1]], answer_len),
            "answer_out": padded(answer, answer_len),
            "counts": np.arange(answer_len) < len(answer),
        }

    batch_at = batch_function(make_row, len(answers), recipe.batch_size, recipe.seed, rows)
    if not compact:
        return batch_at
    capacity = _most_tokens(recipe, np.array([len(answer) for answer in answers]))
    return lambda step: _compacted(batch_at(step), capacity)


def _fitting(question: Question, tokenizer: Tokenizer, length: int, noisy: str) -> list[int]:
    """The noisy question, or the clean one where noise made it too long (or ate it)."""
    ids = [tokenizer.question, *tokenizer.encode(noisy)]
    return ids if 1 < len(ids) <= length else encode_question(tokenizer, question.text, length)


def _most_tokens(recipe: GeneratorRecipe, lengths: np.ndarray) -> int:
    """Answer tokens of the run's fullest batch, rounded up to a multiple of 32."""
    size = recipe.batch_size
    sums = (
        lengths[example_indices(recipe.seed, step, range(size), size, len(lengths))].sum()
        for step in range(recipe.steps)
    )
    return -(-int(max(sums)) // 32) * 32


def _compacted(batch: dict[str, np.ndarray], capacity: int) -> dict[str, np.ndarray]:
    places = np.flatnonzero(batch["counts"])
    count = len(places)
    return {
        "question": batch["question"],
        "answer_in": batch["answer_in"],
        "places": padded(places, capacity),
        "answer_out": padded(batch["answer_out"].reshape(-1)[places], capacity),
        "counts": np.arange(capacity) < count,
    }
