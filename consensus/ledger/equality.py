"""When two answers are the same (law, R1): each task class has one canonical form, and equal forms are equal answers.

An equivalence by construction: `canonical` maps a text to its form, so no pair of answers can be compared differently
from another. Text is data only; nothing in it is interpreted.
"""

import re
from enum import IntEnum
from fractions import Fraction

# The state hash depends on these forms, so they must not depend on the interpreter: every Python carries this one old
# table unchanged. What Unicode assigned later stays as it was written.
from unicodedata import ucd_3_2_0 as frozen_unicode


class Equality(IntEnum):
    """How a task class compares answers."""

    TEXT = 0  # letter case, spacing, Unicode spelling and punctuation at the ends do not matter
    CHOICE = 1  # the option's label alone: "B", "(b)", "b) Lima" are one
    NUMBER = 2  # the value of the first number: "1,000", "1000.0" are one
    SPAN = 3  # as TEXT, and articles and all punctuation do not matter (SQuAD's rule)


_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+", re.ASCII)
_CHOICE = re.compile(r"\(?([a-z]|\d{1,2})(?:[).:\]]|\s|$)", re.ASCII)
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
        words = "".join(" " if frozen_unicode.category(c)[0] == "P" else c for c in plain)
        return " ".join(_ARTICLE.sub(" ", words).split())
    return _trim(plain)


def _fold(text: str) -> str:
    """Compatibility forms, letter case and runs of white space folded; folding may undo normalisation, so twice."""
    folded = frozen_unicode.normalize("NFKC", _lower(frozen_unicode.normalize("NFKC", text)))
    return " ".join(folded.split())


def _lower(text: str) -> str:
    """Letter case folded; the folding of a letter that is assigned never changes (Unicode's stability policy)."""
    return (
        text.casefold()
        if text.isascii()
        else "".join(c.casefold() if frozen_unicode.category(c) != "Cn" else c for c in text)
    )


def _trim(text: str) -> str:
    """Without sentence punctuation, quotes and brackets at the ends; "c#", "5%" and "-3" stay what they are."""
    return text.strip(_ENDS)
