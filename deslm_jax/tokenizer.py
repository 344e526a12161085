"""Text to ids and back: SentencePiece BPE, the same bits from the same text on every machine.

Structure (padding, start, end, the marks before a question, an answer, a piece of evidence) is made of *control
symbols*: `encode` can never return them, whatever a text spells, so a prompt cannot pretend to be evidence.
Bytes stand in for what the vocabulary lacks, so every text survives the round trip.
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import sentencepiece

_MARKS = ("<question>", "<answer>", "<evidence>")
_PIECES = {0: "<pad>", 1: "<s>", 2: "</s>", 3: "<unk>"} | dict(enumerate(_MARKS, start=4))


class Vocabulary(Protocol):
    """What prompts, model folders and roles need of a tokenizer; `Tokenizer` and `ByteLevelTokenizer` are two.

    The marks may share ids: a byte-level vocabulary opens a question with `bos` and other segments with `eos`.
    """

    file_name: str  # of `proto` in a model folder
    pad: int
    bos: int
    eos: int
    question: int
    answer: int
    evidence: int
    first_text_id: int  # every id that `encode` returns is at least this
    vocab_size: int
    proto: bytes  # all there is to it
    sha256: str  # of `proto`

    def encode(self, text: str) -> list[int]:
        """Returns the ids of `text`, none of them structure."""

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of `ids` up to the first end token."""

    def pad_batch(self, rows: Sequence[Sequence[int]], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (ids int32 [B,length], mask bool [B,length])."""


class Tokenizer:
    """A trained vocabulary. Make one with `Tokenizer.train` or `Tokenizer.load`.

    >>> tokenizer = Tokenizer.train(["What is the capital of Peru?", "Lima"], vocab_size=300)
    >>> tokenizer.decode(tokenizer.encode("Lima, Peru"))
    'Lima, Peru'
    """

    file_name = "tokenizer.model"  # what a model folder calls it
    pad, bos, eos, unk, question, answer, evidence = range(7)
    first_text_id = 7  # every id that `encode` returns is at least this

    def __init__(self, proto: bytes) -> None:
        """`proto` is a serialised SentencePiece model with this project's control symbols; another is a ValueError."""
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
            found = {i: self._processor.id_to_piece(i) for i in _PIECES}
        except (RuntimeError, IndexError):
            raise ValueError("This is not a SentencePiece model.") from None
        if found != _PIECES or not all(self._processor.is_control(i) for i in (0, 1, 2, 4, 5, 6)):
            raise ValueError("This SentencePiece model lacks the control symbols; train it with Tokenizer.train.")
        self.proto = proto
        self.vocab_size: int = self._processor.vocab_size()
        self.sha256 = hashlib.sha256(proto).hexdigest()

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 4096) -> Self:
        """Returns a tokenizer learnt from `texts` (an iterable of sentences, read once; nothing touches the disk).

        The result depends on the texts and their order alone. `vocab_size` is a ceiling: a small corpus gives fewer
        pieces, so read the size from the result. It must leave room for 7 symbols, 256 bytes and the characters.
        """
        sentences = (line for text in texts for line in text.splitlines())
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(sentences),
                model_writer=model,
                model_type="bpe",
                vocab_size=vocab_size,
                hard_vocab_limit=False,  # fewer pieces where the corpus has no more
                max_sentence_length=1 << 20,  # bytes; longer ones would be left out without a word
                num_threads=1,  # more threads may learn other pieces
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                byte_fallback=True,
                character_coverage=0.9999,
                pad_id=0,
                bos_id=1,
                eos_id=2,
                unk_id=3,
                pad_piece="<pad>",
                control_symbols=list(_MARKS),
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(f"SentencePiece could not learn {vocab_size} pieces from these texts: {error}") from error
        return cls(model.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns the tokenizer stored at `path`; a ValueError names a file that holds none."""
        try:
            return cls(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Writes the model to `path`; `load` gives the same tokenizer, with the same sha256."""
        Path(path).write_bytes(self.proto)

    def encode(self, text: str) -> list[int]:
        """Returns the ids of `text`, all at least `first_text_id`. Text that is no valid Unicode is a ValueError."""
        require_unicode(text)
        return self._processor.encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of `ids` up to the first end token; other structure is left out, bad bytes become U+FFFD."""
        pieces = []
        for i in map(int, ids):
            if i == self.eos:
                break
            if not 0 <= i < self.vocab_size:
                raise ValueError(f"Id {i} is not in this vocabulary of {self.vocab_size}.")
            if i >= self.first_text_id:
                pieces.append(i)
        return self._processor.decode(pieces)

    def pad_batch(self, rows: Sequence[Sequence[int]], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (ids int32 [B,length], mask bool [B,length], True where a token is). A longer row is a ValueError."""
        return pad_rows(rows, length, self.pad)


def require_unicode(text: str) -> None:
    """Raises a ValueError where `text` is no valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"The text is not valid Unicode: lone surrogate at position {error.start}.") from None


def pad_rows(rows: Sequence[Sequence[int]], length: int, value: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (rows filled up with `value`, int32 [B,length]; mask bool [B,length]). A longer row is a ValueError."""
    filled = np.full((len(rows), length), value, np.int32)
    mask = np.zeros((len(rows), length), bool)
    for b, row in enumerate(rows):
        if len(row) > length:
            raise ValueError(f"Row {b} has {len(row)} tokens, more than the {length} that fit.")
        filled[b, : len(row)] = row
        mask[b, : len(row)] = True
    return filled, mask
