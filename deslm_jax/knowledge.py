"""What a discriminator may rely on: a table of facts, searched by the words of a question.

Subjects and relations are searched, objects never: a search for "city" must not find Guatemala City.
A question that names no subject of the table has no hits, so a discriminator can say that it found no evidence.

    knowledge = KnowledgeBase.from_path("facts.tsv")        # or JSONL; columns subject, relation, object
    knowledge.search("What is the capital of Peru?", k=2)
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from deslm_jax.records import Record, read_columns, read_records

_RECOGNISED = 0.55  # of a subject's weight, counted by rarity: more than one of two equally rare words


class Hit(NamedTuple):
    """One record found, best first."""

    record_id: int  # index into `KnowledgeBase.records`
    subject: str
    relation: str
    object: str
    score: float  # BM25, > 0; comparable within one search only

    @property
    def text(self) -> str:
        """The evidence a discriminator reads: the record's text."""
        return Record(*self[:4]).text


def normalise(text: str) -> str:
    """Returns the words of `text` in lower case without accents or punctuation, single spaces between.

    Two spellings of a name compare equal when their normalised forms do.

    >>> normalise("  What's São Tomé's CAPITAL?")
    'what s sao tome s capital'
    """
    for _ in range(2):  # decomposing may leave a capital (that of a mathematical alphabet); twice is a fixed point
        text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", text))


# Words that name nothing: a subject is recognised by its other words, if it has any.
_FUNCTION_WORDS = frozenset(
    normalise(
        "a an and are as at be by do does for from had has have how i in is it its me my of on or s than that the "
        "their this to was we were what when where which who whom whose why will with you your"
    ).split()
)


class Bm25:
    """Okapi BM25 over short documents (Robertson and Zaragoza 2009, equation 3.15; idf made positive as in Lucene)."""

    def __init__(self, documents: Sequence[Mapping[str, float]], k1: float = 1.2, b: float = 0.5) -> None:
        """A document is its words with their counts, which may be fractions."""
        length_D = np.array([sum(document.values()) for document in documents])
        norm_D = k1 * (1 - b + b * length_D / max(length_D.mean(), 1e-9)) if documents else length_D
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for i, document in enumerate(documents):
            for word, count in document.items():
                postings[word].append((i, count))
        self.idf = {
            word: math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for word, found in postings.items()
        }
        self.size = len(documents)
        self.postings: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # word -> document ids, their scores
        for word, found in postings.items():
            ids, counts = np.array([i for i, _ in found]), np.array([count for _, count in found])
            self.postings[word] = ids, self.idf[word] * counts * (k1 + 1) / (counts + norm_D[ids])

    def scores(self, words: Iterable[str]) -> np.ndarray:
        """Returns float64[D], the score of every document for a set of words; 0 where none occurs."""
        score_D = np.zeros(self.size)
        for word in words:
            if word in self.postings:
                ids, gains = self.postings[word]
                score_D[ids] += gains
        return score_D


class KnowledgeBase:
    """Facts and the search over them; make one with `KnowledgeBase.from_path`.

    Attributes: `records`, all of them in the order of their ids.
    """

    def __init__(self, records: Sequence[Record], wordings: Mapping[str, Sequence[str]] | None = None) -> None:
        """`wordings` (relation -> questions with "{subject}") teach the words that people use for a relation.

        They are optional, and may be the training questions only where unseen questions are to be measured.
        """
        self.records = tuple(records)
        self._by_subject: dict[str, list[Record]] = defaultdict(list)
        for record in self.records:
            self._by_subject[normalise(record.subject)].append(record)
        self._names = list(self._by_subject)
        self._subjects = Bm25([Counter(name.split()) for name in self._names])
        # What a subject is recognised by: its words that are no function words, or all if they are.
        self._telling = [frozenset(n.split()) - _FUNCTION_WORDS or frozenset(n.split()) for n in self._names]
        self._named_by: dict[str, list[int]] = defaultdict(list)
        for i, words in enumerate(self._telling):
            for word in words:
                self._named_by[word].append(i)
        self._relations = list(dict.fromkeys(record.relation for record in self.records))
        self._wording = Bm25([_relation_words(r, (wordings or {}).get(r, ())) for r in self._relations])

    @classmethod
    def from_path(cls, path: str | Path, wordings: str | Path | Mapping[str, Sequence[str]] | None = None) -> Self:
        """Returns the knowledge base of a TSV or JSONL file (`read_records` says what it must hold and what it raises).

        `wordings` may be a mapping or a file with the columns relation and template.
        """
        if isinstance(wordings, str | Path):
            found: dict[str, list[str]] = defaultdict(list)
            for _, (relation, template) in read_columns(wordings, ("relation", "template")):
                found[relation].append(template)
            wordings = found
        return cls(read_records(path), wordings)

    def search(self, question: str, k: int = 2) -> list[Hit]:
        """Returns at most `k` hits, best first, of the subjects that `question` names; none if it names no subject.

        Any text is a question: its length, control characters and emoji do no harm.
        """
        words = set(normalise(question).split())
        subject_scores, relation_scores = self._subjects.scores(words), self._wording.scores(words)
        by_relation = dict(zip(self._relations, relation_scores.tolist(), strict=True))
        hits = [
            Hit(*record, float(subject_scores[i]) + by_relation[record.relation])
            for i in self._named_subjects(words)
            for record in self._by_subject[self._names[i]]
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.record_id))[:k]

    def _named_subjects(self, words: set[str]) -> list[int]:
        """Subjects most of whose weight is in `words`, without those that are only part of a longer name there.

        "Papua New Guinea" names neither Guinea nor New Zealand; "Republic of the Congo" is not the Democratic one.
        """
        idf = self._subjects.idf
        named: dict[int, tuple[frozenset[str], float]] = {}
        for i in sorted({i for word in words for i in self._named_by.get(word, ())}):
            telling = self._telling[i]
            share = sum(idf[word] for word in telling & words) / sum(idf[word] for word in telling)
            if share >= _RECOGNISED:
                named[i] = telling & words, share
        return [
            i
            for i, (own, share) in named.items()
            if not any(own < other or (own == other and share < more) for other, more in named.values())
        ]


def _relation_words(relation: str, wordings: Sequence[str]) -> dict[str, float]:
    """A relation as a document: the words of its name count 1, those of its wordings the share that holds them."""
    counts: Counter[str] = Counter()
    for wording in wordings:
        counts.update(set(normalise(wording.replace("{subject}", " ")).split()))
    document = {word: count / len(wordings) for word, count in counts.items()}
    for word in normalise(relation).split():
        document[word] = document.get(word, 0.0) + 1.0
    return document
