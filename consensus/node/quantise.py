"""Where a model's float becomes an integer: once, here, before anything is signed."""

import math
import re

from consensus.ledger.limits import ANSWER_BYTES, EVIDENCE_IDS
from consensus.units import Q16

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def to_q16(probability: float) -> int:
    """The nearest Q16 integer in [1, 65,535]; a NaN, which says nothing, becomes one half.

    >>> to_q16(0.25), to_q16(1.0), to_q16(-0.1)
    (16384, 65535, 1)
    """
    if math.isnan(probability):
        return Q16 // 2
    return min(max(round(min(max(probability, 0.0), 1.0) * Q16), 1), Q16 - 1)


def clean_answer(text: str) -> str:
    """A model's text as the ledger takes it: no control characters, at most 64 KiB of UTF-8."""
    return _CONTROL.sub(" ", text).encode()[:ANSWER_BYTES].decode(errors="ignore")


def clean_evidence(records: tuple[int, ...]) -> tuple[int, ...]:
    """At most 16 record numbers, as plain integers."""
    return tuple(int(record) for record in records[:EVIDENCE_IDS])
