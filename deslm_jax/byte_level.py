"""Byte-level BPE, the vocabularies of GPT-2, BART, LED and Longformer: text to ids exactly as Hugging Face does it.

The same door as the SentencePiece `Tokenizer`, so prompts, bundles and roles take either. One thing is stricter than
the original: a text can never spell a special token (`"</s>"` becomes four letters and not the end), as with
`split_special_tokens=True` in transformers.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from deslm_jax.optional import require
from deslm_jax.tokenizer import pad_rows, require_unicode

_BOS, _PAD, _EOS, _UNK, _MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"


class ByteLevelTokenizer:
    """A vocabulary made elsewhere. Make one with `load`, from a folder in the Hugging Face layout, or from JSON bytes.

    There are no marks of its own for a question, an answer and evidence: `<s>` opens, `</s>` separates.
    """

    file_name = "tokenizer.json"  # what a model folder calls it

    def __init__(self, proto: bytes) -> None:
        """`proto` is the content of a tokenizer.json with a byte-level BPE and RoBERTa's marks; else a ValueError."""
        library = require("tokenizers", "A byte-level BPE vocabulary")
        values = _json_object(proto, self.file_name)
        _require_byte_level(values)
        try:
            self._tokenizer = library.Tokenizer.from_str(proto.decode())
        except Exception as error:  # the library raises no narrower class
            raise ValueError(f"This tokenizer.json cannot be read: {error}") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # what a text spells is text
        special = {token["id"]: token["content"] for token in values.get("added_tokens", []) if token["special"]}
        self.bos, self.pad, self.eos, self.unk = (_id_of(mark, special) for mark in (_BOS, _PAD, _EOS, _UNK))
        self.question, self.answer, self.evidence = self.bos, self.eos, self.eos
        self.vocab_size: int = self._tokenizer.get_vocab_size()
        self._structure = frozenset(special)
        self.adds_prefix_space = bool((values.get("pre_tokenizer") or {}).get("add_prefix_space"))
        self.first_text_id = next(i for i in range(self.vocab_size + 1) if i not in special)
        self.proto = proto
        self.sha256 = hashlib.sha256(proto).hexdigest()

    @classmethod
    def from_vocabulary(cls, vocabulary: dict[str, int], merges: Sequence[tuple[str, str]], **options: bool) -> Self:
        """Returns the tokenizer of a vocab.json and a merges.txt already read; option `add_prefix_space`."""
        library = require("tokenizers", "A byte-level BPE vocabulary")
        try:
            model = library.models.BPE(vocab=vocabulary, merges=list(merges))
        except Exception as error:
            raise ValueError(f"vocab.json and merges.txt do not fit each other: {error}") from None
        space = options.get("add_prefix_space", False)
        tokenizer = library.Tokenizer(model)
        tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=space)
        tokenizer.decoder = library.decoders.ByteLevel()
        tokenizer.add_special_tokens([mark for mark in (_BOS, _PAD, _EOS, _UNK, _MASK) if mark in vocabulary])
        ends = [(mark, vocabulary.get(mark, 0)) for mark in (_EOS, _BOS)]
        tokenizer.post_processor = library.processors.RobertaProcessing(*ends, True, space)
        return cls(tokenizer.to_str().encode())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Returns the tokenizer in `folder`: its tokenizer.json, else its vocab.json and merges.txt.

        None of them there, or one that holds something else, is a ValueError that names the file.
        """
        folder = Path(folder)
        files = {name: folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json")}
        if files["tokenizer.json"].is_file():
            try:
                return cls(files["tokenizer.json"].read_bytes())
            except ValueError as error:
                raise ValueError(f"{folder}: {error}") from None
        if not files["vocab.json"].is_file() or not files["merges.txt"].is_file():
            raise ValueError(
                f"{folder} has no vocabulary: tokenizer.json, or vocab.json and merges.txt, must be there."
            )
        if files["added_tokens.json"].is_file():
            raise ValueError(
                f"{folder} has added_tokens.json but no tokenizer.json: write one with transformers, "
                "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
            )
        settings = folder / "tokenizer_config.json"
        try:
            options = _json_object(settings.read_bytes(), settings.name) if settings.is_file() else {}
            vocabulary = _json_object(files["vocab.json"].read_bytes(), "vocab.json")
            merges = _read_merges(files["merges.txt"].read_bytes())
            return cls.from_vocabulary(vocabulary, merges, add_prefix_space=bool(options.get("add_prefix_space")))
        except ValueError as error:
            raise ValueError(f"{folder}: {error}") from None

    def encode(self, text: str) -> list[int]:
        """Returns the ids of `text` alone, none of them special. Text that is no valid Unicode is a ValueError."""
        require_unicode(text)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def encode_whole(self, text: str, second: str | None = None) -> list[int]:
        """Returns the input as LED and Longformer learnt it: `<s> text </s>`, or `<s> text </s></s> second </s>`."""
        ids = [self.bos, *self.encode(text), self.eos]
        return [*ids, self.eos, *self.encode(second), self.eos] if second else ids

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of `ids` up to the first end token; other structure is left out, bad bytes become U+FFFD."""
        kept = []
        for i in map(int, ids):
            if i == self.eos:
                break
            if not 0 <= i < self.vocab_size:
                raise ValueError(f"Id {i} is not in this vocabulary of {self.vocab_size}.")
            if i not in self._structure:
                kept.append(i)
        text: str = self._tokenizer.decode(kept, skip_special_tokens=False)
        return text

    def pad_batch(self, rows: Sequence[Sequence[int]], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (ids int32 [B,length], mask bool [B,length], True where a token is). A longer row is a ValueError."""
        return pad_rows(rows, length, self.pad)


def _json_object(data: bytes, name: str) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{name} is not a JSON object: copy it again.")
    return values


def _require_byte_level(values: dict[str, Any]) -> None:
    parts = [values.get(part) for part in ("model", "decoder")]
    kinds = [part.get("type") if isinstance(part, dict) else None for part in parts]
    if kinds != ["BPE", "ByteLevel"]:
        kind = f"{kinds[0]} vocabulary with a {kinds[1]} decoder"
        raise ValueError(f"tokenizer.json holds a {kind}; only byte-level BPE (GPT-2, BART) is read.")


def _read_merges(data: bytes) -> list[tuple[str, str]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("merges.txt is not UTF-8 text: copy it again.") from None
    lines = text.replace("\r\n", "\n").split("\n")  # not splitlines: pieces hold other line ends
    if lines and lines[0].startswith("#version"):
        lines = lines[1:]
    pairs = []
    for line in filter(None, lines):
        first, blank, second = line.partition(" ")
        if not (first and blank and second) or " " in second:
            raise ValueError(f"merges.txt has the line {line!r}, which is no pair of pieces.")
        pairs.append((first, second))
    return pairs


def _id_of(mark: str, special: dict[int, str]) -> int:
    found = [i for i, content in special.items() if content == mark]
    if not found:
        raise ValueError(f"This vocabulary has no special token {mark}; RoBERTa's <s> <pad> </s> <unk> must be there.")
    return found[0]
