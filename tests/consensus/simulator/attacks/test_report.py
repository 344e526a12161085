"""A verdict needs three errors, and a break-even lies where the curve crosses its line."""

import math

import pytest

from consensus import presets
from consensus.simulator.attacks import Size, list_attacks, measure
from consensus.simulator.attacks.report import Curve, Reading, exact, mean_and_error, read


@pytest.mark.parametrize(
    ("value", "error", "sense", "verdict"),
    [
        (-1.0, 0.2, "<", "pass"),
        (-0.5, 0.2, "<", "open"),
        (0.5, 0.2, "<", "open"),
        (1.0, 0.2, "<", "fail"),
        (1.0, 0.2, ">", "pass"),
        (-1.0, 0.2, ">", "fail"),
        (0.5, 0.2, "<=", "pass"),
        (1.0, 0.2, "<=", "fail"),
        (-0.5, 0.2, ">=", "pass"),
        (0.5, 0.2, "=", "pass"),
        (-1.0, 0.2, "=", "fail"),
        (0.0, 0.0, "<=", "pass"),
        (1e-9, 0.0, "<", "fail"),
        (1.0, math.inf, ">", "open"),
    ],
)
def test_a_verdict_stands_three_errors_clear_of_its_line(value: float, error: float, sense: str, verdict: str) -> None:
    assert Reading("", value, error, sense, 0.0).verdict == verdict


def test_means_and_their_errors() -> None:
    assert mean_and_error([2.0]) == (2.0, math.inf)
    assert read("", [1.0, 2.0, 3.0], "<", 4.0)[1:3] == pytest.approx((2.0, (1 / 3) ** 0.5))
    assert exact("", 3, "=", 3).passes


def test_a_break_even_is_the_first_crossing() -> None:
    rising = Curve("", "", "", ((0.0, -1.0, 0.01), (1.0, -0.5, 0.01), (2.0, 0.5, 0.01), (3.0, -0.5, 0.01)))
    assert rising.break_even == 1.5
    assert rising._replace(line=-0.75).break_even == 0.5
    assert rising._replace(line=2.0).break_even is None
    assert Curve("", "", "", ((0.0, 0.0, 0.0), (1.0, 0.2, 0.1), (2.0, -1.0, 0.1))).break_even is None, "within error"


def test_what_cannot_be_measured_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no attack is named carte: choose among sybil, cartel"):
        measure(Size(presets.demo()), ["carte"])
    with pytest.raises(ValueError, match="at least 2 seeds and 8 rounds, got 1 and 60"):
        measure(Size(presets.demo(), seeds=1), ["equivocation"])


def test_every_attack_says_what_it_does_and_its_cases_have_names_of_their_own() -> None:
    size, seen = Size(presets.demo()), []
    for attack in list_attacks().values():
        assert attack.does
        assert attack.must_show
        seen += list(attack.cases(size))
    assert len(seen) == len(set(seen))
