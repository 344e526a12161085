"""The one place where a float becomes an integer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ledger.limits import ANSWER_BYTES
from consensus.ledger.validation import ACCEPT, check_text
from consensus.node.quantise import clean_answer, clean_evidence, to_q16


@pytest.mark.parametrize(
    ("probability", "q16"),
    [(0.0, 1), (1.0, 65_535), (0.5, 32_768), (2.0, 65_535), (-1.0, 1), (math.inf, 65_535), (-math.inf, 1),
     (math.nan, 32_768), (1 / 65_536, 1), (0.99, 64_881), (0.999999, 65_535)],
)  # fmt: skip
def test_known_values(probability: float, q16: int) -> None:
    assert to_q16(probability) == q16


@given(st.floats(0, 1), st.floats(0, 1))
def test_order_is_kept_and_the_error_is_half_a_step(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert to_q16(low) <= to_q16(high)
    assert abs(to_q16(low) - low * 65_536) <= 1
    assert type(to_q16(one)) is int


@given(st.text(st.characters()))
def test_any_text_becomes_one_the_ledger_takes(text: str) -> None:
    assert check_text(clean_answer(text), "answer", ANSWER_BYTES) == ACCEPT


def test_long_text_is_cut_between_characters() -> None:
    cut = clean_answer("é" * ANSWER_BYTES)
    assert cut == "é" * (ANSWER_BYTES // 2)
    assert clean_answer("x" + "é" * ANSWER_BYTES).encode()[-2:] == "é".encode()


def test_evidence_is_bounded() -> None:
    assert clean_evidence(tuple(range(40))) == tuple(range(16))
