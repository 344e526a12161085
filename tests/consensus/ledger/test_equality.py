"""When two answers are one candidate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ledger.equality import Equality, canonical
from consensus.ledger.tasks import Answer, Candidate, compute_candidates

TEXT, CHOICE, NUMBER, SPAN = Equality


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (TEXT, "Lima", "  lima. "),
        (TEXT, "São  Tomé", "SÃO TOMÉ"),
        (TEXT, "São Tomé", "Sa\u0303o Tome\u0301"),
        (TEXT, "ﬁsh", "FISH"),
        (TEXT, "STRASSE", "straße"),
        (TEXT, "“Fe”", "fe"),
        (TEXT, "Lima", "\uff2c\uff49\uff4d\uff41"),
        (CHOICE, "B", "(b) Lima"),
        (CHOICE, "b)", "B. anything"),
        (CHOICE, "2", "2: two"),
        (NUMBER, "1,000", "1000.0"),
        (NUMBER, "about 26 protons", "26"),
        (NUMBER, "-0", "0"),
        (NUMBER, "007", "7"),
        (NUMBER, ".5", "0.50"),
        (SPAN, "The Sun-King", "sun king"),
        (SPAN, "a  dog", "Dog!"),
    ],
)
def test_equal(kind: Equality, one: str, other: str) -> None:
    assert canonical(kind, one) == canonical(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (TEXT, "Lima", "Lime"),
        (TEXT, "C#", "C"),
        (TEXT, "5%", "5"),
        (TEXT, "-3", "3"),
        (TEXT, "São Tomé", "Sao Tome"),
        (TEXT, "the dog", "dog"),
        (CHOICE, "A", "B"),
        (CHOICE, "a", "apple"),
        (NUMBER, "1.5", "15"),
        (NUMBER, "-3", "3"),
        (NUMBER, "none", "0"),
        (NUMBER, "1" * 70, "1" * 71),
        (SPAN, "theatre", "atre"),
    ],
)
def test_different(kind: Equality, one: str, other: str) -> None:
    assert canonical(kind, one) != canonical(kind, other)


@given(st.sampled_from(list(Equality)), st.text(max_size=60))
def test_any_text_has_a_form_that_ignores_case_and_space(kind: Equality, text: str) -> None:
    assert canonical(kind, text) == canonical(kind, f" {text}\n")
    assert canonical(kind, text.lower()) == canonical(kind, text.lower().casefold())


@given(st.lists(st.text("ab A.", max_size=3), max_size=6), st.randoms())
def test_candidates_do_not_depend_on_the_order_of_answers(texts: list[str], rng: object) -> None:
    answers = [Answer(bytes([i]) * 32, text, 1) for i, text in enumerate(texts)]
    shuffled = list(answers)
    rng.shuffle(shuffled)
    candidates = compute_candidates(tuple(answers), TEXT)
    assert candidates == compute_candidates(tuple(shuffled), TEXT)
    forms = [candidate.form for candidate in candidates]
    assert forms == sorted(set(forms), key=str.encode)
    assert set(forms) == {canonical(TEXT, text) for text in texts}


def test_candidates_are_in_byte_order_not_in_code_unit_order() -> None:
    """U+FFFD sorts before U+1F600 in UTF-8 bytes, after it in UTF-16 units."""
    answers = (Answer(b"a" * 32, "\U0001f600", 1), Answer(b"b" * 32, "\ufffd", 1))
    assert compute_candidates(answers, TEXT) == (Candidate("\ufffd", "\ufffd"), Candidate("\U0001f600", "\U0001f600"))
