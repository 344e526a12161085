"""How text is laid out as tokens: the one place that training and the roles of a node both call.

generator input     <question> What is the capital of Peru?
generator output    Lima </s>                       (the decoder reads it shifted right behind <s>)
verifier input      <question> … <answer> Lima <evidence> … <evidence> …     with a token type for each token

With a byte-level vocabulary (`byte_level`) <s> stands for <question>, </s> for <answer> and <evidence>.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deslm_jax.tokenizer import Vocabulary, pad_rows

_QUESTION_TYPE, _ANSWER_TYPE, _EVIDENCE_TYPE = 0, 1, 2  # as in `discriminator`


class QuestionBatch(NamedTuple):
    """Padded generator inputs."""

    ids_BS: np.ndarray  # int32
    mask_BS: np.ndarray  # bool, True where a token is


class VerdictBatch(NamedTuple):
    """Padded verifier inputs."""

    ids_BT: np.ndarray  # int32
    mask_BT: np.ndarray  # bool, True where a token is
    types_BT: np.ndarray  # int32: 0 question, 1 answer, 2 the first record of evidence, 3 the second ...


def normalise_text(text: str) -> str:
    """Returns `text` composed (Unicode NFC), with every run of white space made one blank and none at the ends.

    >>> normalise_text("  What is\\tthe capital of Peru? ")
    'What is the capital of Peru?'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def encode_question(tokenizer: Vocabulary, question: str, max_len: int) -> list[int]:
    """Returns the generator's input. An empty question, or one of more than `max_len` tokens, is a ValueError."""
    text = normalise_text(question)
    if not text:
        raise ValueError("The prompt is empty: ask a question.")
    ids = [tokenizer.question, *tokenizer.encode(text)]
    if len(ids) > max_len:
        raise ValueError(f"The prompt has {len(ids)} tokens, but this model reads at most {max_len}: ask more briefly.")
    return ids


def encode_answer(tokenizer: Vocabulary, answer: str, max_len: int) -> list[int]:
    """Returns what the decoder must write, the end token last. More than `max_len` tokens is a ValueError."""
    ids = [*tokenizer.encode(normalise_text(answer)), tokenizer.eos]
    if len(ids) > max_len:
        raise ValueError(f"The answer has {len(ids)} tokens, but this model writes at most {max_len}.")
    return ids


def encode_verdict_input(
    tokenizer: Vocabulary, question: str, answer: str, evidence: Sequence[str], max_len: int
) -> tuple[list[int], list[int]]:
    """Returns (ids, token types) of a verifier's input.

    Evidence that does not fit is cut at the end; question and answer never are: where they alone do not fit, or either
    is empty, a ValueError says so.
    """
    ids, types = encode_question(tokenizer, question, max_len), []
    types = [_QUESTION_TYPE] * len(ids)
    text = normalise_text(answer)
    if not text:
        raise ValueError("The answer is empty: there is nothing to judge.")
    segments = [(tokenizer.answer, _ANSWER_TYPE, text)]
    segments += [(tokenizer.evidence, _EVIDENCE_TYPE + i, normalise_text(line)) for i, line in enumerate(evidence)]
    for mark, kind, line in segments:
        segment = [mark, *tokenizer.encode(line)]
        if kind == _ANSWER_TYPE and len(ids) + len(segment) > max_len:
            raise ValueError(
                f"Question and answer have {len(ids) + len(segment)} tokens, but this model reads at most {max_len}."
            )
        ids += segment
        types += [kind] * len(segment)
    return ids[:max_len], types[:max_len]


def question_batch(tokenizer: Vocabulary, questions: Sequence[str], max_len: int) -> QuestionBatch:
    """Returns the questions as rows of `max_len` tokens; errors as `encode_question`."""
    return QuestionBatch(
        *pad_rows([encode_question(tokenizer, text, max_len) for text in questions], max_len, tokenizer.pad)
    )


def verdict_batch(tokenizer: Vocabulary, cases: Sequence[tuple[str, str, Sequence[str]]], max_len: int) -> VerdictBatch:
    """Returns (question, answer, evidence) cases as rows of `max_len` tokens; errors as `encode_verdict_input`."""
    rows = [encode_verdict_input(tokenizer, *case, max_len) for case in cases]
    ids_BT, mask_BT = pad_rows([ids for ids, _ in rows], max_len, tokenizer.pad)
    types_BT, _ = pad_rows([types for _, types in rows], max_len, 0)
    return VerdictBatch(ids_BT, mask_BT, types_BT)
