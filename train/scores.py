"""How good are answers, verdicts and the confidence in them: plain NumPy, no model in sight."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deslm_jax.calibration import auroc, expected_calibration_error

ArrayLike = np.ndarray | Sequence[float] | Sequence[bool]


def binary_report(p_fake: ArrayLike, fake: ArrayLike) -> dict[str, Any]:
    """Returns count, share of fakes, accuracy at one half, AUROC, ECE and Brier score of verdicts."""
    p_N, fake_N = np.asarray(p_fake, float), np.asarray(fake, bool)
    return {
        "count": int(p_N.size),
        "fake_share": _mean(fake_N),
        "accuracy": _mean((p_N >= 0.5) == fake_N),
        "auroc": _rounded(auroc(p_N, fake_N)),
        "ece": _rounded(expected_calibration_error(p_N, fake_N)),
        "brier": _mean((p_N - fake_N) ** 2),
    }


def answer_report(confidences: ArrayLike, right: ArrayLike) -> dict[str, Any]:
    """Returns count, exact match (also of the surest half), and mean, AUROC and ECE of the confidence."""
    c_N, right_N = np.asarray(confidences, float), np.asarray(right, bool)
    surest = np.argsort(-c_N, kind="stable")[: max(1, c_N.size // 2)]
    return {
        "count": int(c_N.size),
        "exact_match": _mean(right_N),
        "mean_confidence": _mean(c_N),
        "auroc": _rounded(auroc(c_N, right_N)),
        "ece": _rounded(expected_calibration_error(c_N, right_N)),
        "exact_match_surest_half": _mean(right_N[surest]),
    }


def _mean(values: np.ndarray) -> float:
    return _rounded(float(np.mean(values))) if values.size else float("nan")


def _rounded(value: float) -> float:
    return round(value, 4)
