"""When two answers are the same (law, R1): each task class has one canonical form, and equal forms are equal answers.

An equivalence by construction: `canonical` maps a text to its form, so no pair of answers can be compared differently
from another. Text is data only; nothing in it is interpreted.
"""

import re
import unicodedata
from enum import IntEnum
from fractions import Fraction


class Equality(IntEnum):
    """How a task class compares answers."""

    TEXT = 0  # letter case, spacing, Unicode spelling and punctuation at the ends do not matter
    CHOICE = 1  # the option's label alone: "B", "(b)", "b) Lima" are one
    NUMBER = 2  # the value of the first number: "1,000", "1000.0" are one
    SPAN = 3  # as TEXT, and articles and all punctuation do not matter (SQuAD's rule)


_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
_CHOICE = re.compile(r"\(?([a-z]|\d{1,2})(?:[).:\]]|\s|$)")
_ENDS = " .,;:!?¡¿\"'`“”‘’«»()[]"
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def canonical(kind: int, text: str) -> str:
    """The form under which answers of an `Equality` class are compared.

    >>> canonical(Equality.TEXT, "  LIMA. ") == canonical(Equality.TEXT, "Lima")
    True
    >>> canonical(Equality.NUMBER, "about 1,000 km"), canonical(Equality.CHOICE, "(B) Lima")
    ('1000', 'b')
    >>> canonical(Equality.SPAN, "The Sun-King") == canonical(Equality.SPAN, "sun king")
    True
    """
    plain = _fold(text)
    if kind == Equality.CHOICE:
        match = _CHOICE.match(plain)
        return match.group(1) if match else _trim(plain)
    if kind == Equality.NUMBER:
        number = _NUMBER.search(plain)
        return str(Fraction(number.group().replace(",", ""))) if number and len(number.group()) <= 64 else _trim(plain)
    if kind == Equality.SPAN:
        words = "".join(" " if unicodedata.category(c)[0] == "P" else c for c in plain)
        return " ".join(_ARTICLE.sub(" ", words).split())
    return _trim(plain)


def _fold(text: str) -> str:
    """Compatibility forms, letter case and runs of white space folded; folding may undo normalisation, so twice."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def _trim(text: str) -> str:
    """Without sentence punctuation, quotes and brackets at the ends; "c#", "5%" and "-3" stay what they are."""
    return text.strip(_ENDS)
