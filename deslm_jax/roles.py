"""The two models as a node uses them: plain functions from text to numbers.

    GeneratorRole.from_bundle("runs/g0").answer(["What is the capital of Peru?"])
    DiscriminatorRole.from_bundle("runs/d0", knowledge).judge([("What is the capital of Peru?", "Lima")])

Work is cut into batches of 8 or 64 rows, so a role compiles at most twice in its life.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, Self, TypeVar, cast

import jax
import numpy as np

from deslm_jax.bundle import Bundle, load_bundle
from deslm_jax.calibration import confidence_logit
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig
from deslm_jax.decode import generate
from deslm_jax.discriminator import Discriminator
from deslm_jax.initial import Params
from deslm_jax.prompts import (
    VerdictBatch,
    encode_question,
    encode_verdict_input,
    normalise_text,
    question_batch,
    verdict_batch,
)

_SMALL, _LARGE = 8, 64  # rows of a batch
_EVIDENCE_RECORDS = 2
_Item = TypeVar("_Item")


class Answer(NamedTuple):
    """What a generator says."""

    text: str
    confidence: float  # calibrated probability that the text is right, within the calibration's cap


class Verdict(NamedTuple):
    """What a discriminator says of one answer."""

    p_fake: float  # calibrated probability that the answer is false; 0.5 where there is nothing to go by
    evidence: tuple[int, ...]  # ids of the knowledge base's records it rests on; empty: none found


class _Record(Protocol):
    @property
    def record_id(self) -> int: ...
    @property
    def text(self) -> str: ...


class Knowledge(Protocol):
    """What a discriminator searches; `knowledge.KnowledgeBase` is one."""

    def search(self, question: str, k: int) -> Sequence[_Record]:
        """Returns the `k` records that fit the question best, best first; none if nothing fits."""


_NO_VERDICT = Verdict(0.5, ())


class GeneratorRole:
    """Answers questions with a confidence."""

    def __init__(self, bundle: Bundle) -> None:
        """`bundle` must hold a generator; another kind is a ValueError."""
        _require_kind(bundle, "generator")
        self.bundle = bundle
        self._cfg = cast(GeneratorConfig, bundle.config)
        self._params = jax.device_put(bundle.params)

    @classmethod
    def from_bundle(cls, folder: str | Path) -> Self:
        """Returns the role of the model in `folder`; errors as `load_bundle`."""
        return cls(load_bundle(folder))

    def answer(self, questions: Sequence[str]) -> list[Answer]:
        """Returns an answer to each question, in order.

        A question that is empty, or longer than the model reads, is a ValueError, and nothing is answered.
        """
        tokenizer, length = self.bundle.tokenizer, self._cfg.max_source_len
        for question in questions:
            encode_question(tokenizer, question, self._cfg.max_question_len)
        answers: list[Answer] = []
        for rows, n_real in _batches(questions):
            batch = question_batch(tokenizer, rows, length)
            written = jax.device_get(generate(self._cfg, self._params, batch.ids_BS, batch.mask_BS))
            confidence_B = self.bundle.calibration(confidence_logit(written.log_probability_B))
            texts = [tokenizer.decode(ids[:n]) for ids, n in zip(written.ids_BU, written.lengths_B, strict=True)]
            answers += [Answer(t, float(c)) for t, c in zip(texts[:n_real], confidence_B[:n_real], strict=True)]
        return answers


class DiscriminatorRole:
    """Judges answers against a knowledge base."""

    def __init__(self, bundle: Bundle, knowledge: Knowledge) -> None:
        """`bundle` must hold a discriminator; another kind is a ValueError."""
        _require_kind(bundle, "discriminator")
        self.bundle, self.knowledge = bundle, knowledge
        self._cfg = cast(DiscriminatorConfig, bundle.config)
        self._params = jax.device_put(bundle.params)

    @classmethod
    def from_bundle(cls, folder: str | Path, knowledge: Knowledge) -> Self:
        """Returns the role of the model in `folder` over `knowledge`; errors as `load_bundle`."""
        return cls(load_bundle(folder), knowledge)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
        """Returns a verdict on each (question, answer), in order.

        Where the knowledge base has nothing on the question, or the answer is empty or too long to read, the verdict is
        0.5 without evidence, which carries no weight. A question that is empty, or longer than the model reads, is a
        ValueError, and nothing is judged.
        """
        tokenizer = self.bundle.tokenizer
        verdicts = [_NO_VERDICT] * len(pairs)
        cases, places = [], []
        for i, (question, answer) in enumerate(pairs):
            encode_question(tokenizer, question, self._cfg.max_question_len)
            records = self.knowledge.search(normalise_text(question), _EVIDENCE_RECORDS)
            if records and self._is_readable(question, answer):
                cases.append((question, answer, tuple(record.text for record in records)))
                places.append((i, tuple(record.record_id for record in records)))
        p_fake = [p for rows, n_real in _batches(cases) for p in self._p_fake(rows)[:n_real]]
        for (i, ids), p in zip(places, p_fake, strict=True):
            verdicts[i] = Verdict(p, ids)
        return verdicts

    def _is_readable(self, question: str, answer: str) -> bool:
        try:
            encode_verdict_input(self.bundle.tokenizer, question, answer, (), self._cfg.max_source_len)
        except ValueError:
            return False
        return True

    def _p_fake(self, cases: Sequence[tuple[str, str, Sequence[str]]]) -> list[float]:
        batch = verdict_batch(self.bundle.tokenizer, cases, self._cfg.max_source_len)
        return self.bundle.calibration(np.asarray(_fake_logits(self._cfg, self._params, batch))).tolist()


@partial(jax.jit, static_argnums=0)
def _fake_logits(cfg: DiscriminatorConfig, params: Params, batch: VerdictBatch) -> jax.Array:
    """Compiled once for each config and shape, however many roles share them; float32 [B]."""
    model = Discriminator(cfg)
    logits = model.apply({"params": params}, batch.ids_BT, batch.mask_BT, token_types=batch.types_BT)
    return cast(jax.Array, logits)


def _require_kind(bundle: Bundle, kind: str) -> None:
    if bundle.kind != kind:
        raise ValueError(f"This model folder holds a {bundle.kind}, but a {kind} is needed here.")


def _batches(items: Sequence[_Item]) -> Iterator[tuple[list[_Item], int]]:
    """Yields (8 or 64 rows, the last one repeated to fill up; how many of them are real)."""
    for start in range(0, len(items), _LARGE):
        rows = list(items[start : start + _LARGE])
        size = _SMALL if len(rows) <= _SMALL else _LARGE
        yield rows + rows[-1:] * (size - len(rows)), len(rows)
