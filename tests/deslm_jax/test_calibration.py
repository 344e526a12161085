"""Calibration recovers what made the data, and the metrics agree with their definitions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deslm_jax.calibration import Calibration, auroc, confidence_logit, expected_calibration_error, fit_calibration


def _world(temperature, bias, n=40_000, seed=0):
    """Logits, and outcomes that are right as often as the calibration says."""
    randomness = np.random.default_rng(seed)
    logits = randomness.normal(1.0, 4.0, n)
    return logits, randomness.random(n) < 1 / (1 + np.exp(-(logits / temperature + bias)))


@pytest.mark.parametrize(("temperature", "bias"), [(1.0, 0.0), (2.5, -1.0), (0.6, 0.8), (12.0, 1.5)])
def test_a_known_temperature_and_bias_are_recovered(temperature, bias):
    fitted = fit_calibration(*_world(temperature, bias))
    assert fitted.temperature == pytest.approx(temperature, rel=0.06)
    assert fitted.bias == pytest.approx(bias, abs=0.06)
    assert fitted.cap == 0.95


def test_temperature_alone_would_not_do():
    logits, outcomes = _world(2.0, -2.0)
    fitted = fit_calibration(logits, outcomes, cap=0.999)
    assert expected_calibration_error(fitted(logits), outcomes) < 0.01
    unbiased = [expected_calibration_error(Calibration(t, 0.0, 0.999)(logits), outcomes) for t in np.geomspace(0.3, 30)]
    assert min(unbiased) > 0.15


def test_the_fit_is_the_best_one():
    logits, outcomes = _world(1.7, 0.4, n=400)
    target = np.where(outcomes, (outcomes.sum() + 1) / (outcomes.sum() + 2), 1 / ((~outcomes).sum() + 2))

    def likelihood(t, b):
        p = 1 / (1 + np.exp(-(logits / t + b)))
        return np.sum(target * np.log(p) + (1 - target) * np.log(1 - p))

    best = fit_calibration(logits, outcomes)
    for dt, db in itertools.product((-0.01, 0, 0.01), repeat=2):
        assert likelihood(best.temperature + dt, best.bias + db) <= likelihood(best.temperature, best.bias) + 1e-9


def test_separated_one_sided_and_misleading_data_give_usable_numbers():
    logits = np.linspace(-3, 3, 50)
    separated = fit_calibration(logits, logits > 0)
    assert 0.01 <= separated.temperature < 1 and separated(logits).tolist() == sorted(separated(logits))
    all_right = fit_calibration(logits, np.ones(50, bool), cap=0.999)
    assert all_right(logits).min() > 0.9
    misleading = fit_calibration(logits, logits < 0)
    assert misleading.temperature == 100.0 and np.abs(misleading(logits) - 0.5).max() < 0.02


@given(st.floats(-1e6, 1e6), st.floats(0.01, 100), st.floats(-10, 10), st.floats(0.5, 0.999))
def test_no_node_claims_more_than_its_cap(logit, temperature, bias, cap):
    p = float(Calibration(temperature, bias, cap)(logit))
    assert 1 - cap <= p <= cap


def test_the_raw_confidence_of_an_answer():
    p = np.array([0.001, 0.3, 0.5, 0.99])
    np.testing.assert_allclose(confidence_logit(np.log(p)), np.log(p / (1 - p)), rtol=1e-9)
    np.testing.assert_allclose(confidence_logit([0.0, -1e-9, -80.0, 1e-7]), [15, 15, -15, 15], rtol=1e-6)


def test_calibration_error_by_hand():
    p, y = [0.05, 0.08, 0.55, 0.95, 1.0], [0, 1, 1, 1, 0]
    expected = (2 * abs(0.065 - 0.5) + abs(0.55 - 1) + 2 * abs(0.975 - 0.5)) / 5
    assert expected_calibration_error(p, y) == pytest.approx(expected)
    assert expected_calibration_error([0.25] * 4, [0, 1, 0, 0]) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=12))
def test_auroc_counts_pairs(cases):
    scores, outcomes = zip(*cases, strict=True)
    pairs = [(a > b) + 0.5 * (a == b) for a, x in cases for b, y in cases if x and not y]
    expected = sum(pairs) / len(pairs) if pairs else math.nan
    assert auroc(scores, outcomes) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_calibration([], []), "at least one"),
        (lambda: fit_calibration([1.0, np.nan], [True, False]), "finite logits"),
        (lambda: fit_calibration([1.0], [True, False]), "equally many"),
        (lambda: Calibration.from_dict({"temperature": 1.0}), "has the fields temperature, bias, cap"),
        (lambda: Calibration.from_dict({"temperature": 0, "bias": 0, "cap": 0.9}), "temperature above 0"),
        (lambda: Calibration.from_dict({"temperature": 1, "bias": math.inf, "cap": 0.9}), "finite numbers"),
        (lambda: Calibration.from_dict({"temperature": 1, "bias": 0, "cap": 1.0}), "cap in"),
        (lambda: expected_calibration_error([], []), "at least one"),
        (lambda: auroc([1.0], []), "equally many"),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_calibration_survives_json_values():
    one = Calibration(1.5, -0.25, 0.9)
    assert Calibration.from_dict(one._asdict()) == one
