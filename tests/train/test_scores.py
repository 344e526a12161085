"""The reports, on outcomes that can be counted by hand."""

import json

import pytest

from train.scores import answer_report, binary_report


def test_verdicts():
    report = binary_report([0.9, 0.6, 0.2, 0.4], [True, False, False, True])
    assert report["count"] == 4
    assert report["fake_share"] == 0.5
    assert report["accuracy"] == 0.5
    assert report["auroc"] == 0.75
    assert report["brier"] == pytest.approx((0.01 + 0.36 + 0.04 + 0.36) / 4, abs=1e-4)
    assert report["ece"] == pytest.approx((0.1 + 0.6 + 0.2 + 0.6) / 4, abs=1e-4)


def test_answers():
    report = answer_report([0.95, 0.85, 0.3, 0.1], [True, True, False, True])
    assert report["exact_match"] == 0.75
    assert report["exact_match_surest_half"] == 1.0
    assert report["mean_confidence"] == 0.55
    assert report["auroc"] == pytest.approx(2 / 3, abs=1e-4)


def test_nothing_to_report_is_no_error():
    assert answer_report([], []) == binary_report([], []) == {"count": 0}
    report = binary_report([0.2], [False])
    assert report["auroc"] is None
    assert json.loads(json.dumps(report)) == report
