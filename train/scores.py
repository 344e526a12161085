"""How good answers and verdicts are, and the confidence in them. Fit for JSON: what is undefined is None."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deslm_jax.calibration import auroc, expected_calibration_error

ArrayLike = np.ndarray | Sequence[float] | Sequence[bool]


def binary_report(p_fake: ArrayLike, fake: ArrayLike) -> dict[str, Any]:
    """Returns count, share of fakes, accuracy at one half, AUROC, ECE and Brier score of verdicts."""
    p_N, fake_N = np.asarray(p_fake, float), np.asarray(fake, bool)
    if not p_N.size:
        return {"count": 0}
    return {
        "count": int(p_N.size),
        "fake_share": _rounded(fake_N.mean()),
        "accuracy": _rounded(((p_N >= 0.5) == fake_N).mean()),
        "auroc": _rounded(auroc(p_N, fake_N)),
        "ece": _rounded(expected_calibration_error(p_N, fake_N)),
        "brier": _rounded(((p_N - fake_N) ** 2).mean()),
    }


def answer_report(confidences: ArrayLike, right: ArrayLike) -> dict[str, Any]:
    """Returns count, exact match (also of the surest half), and mean, AUROC and ECE of the confidence."""
    c_N, right_N = np.asarray(confidences, float), np.asarray(right, bool)
    if not c_N.size:
        return {"count": 0}
    surest = np.argsort(-c_N, kind="stable")[: max(1, c_N.size // 2)]
    return {
        "count": int(c_N.size),
        "exact_match": _rounded(right_N.mean()),
        "exact_match_surest_half": _rounded(right_N[surest].mean()),
        "mean_confidence": _rounded(c_N.mean()),
        "auroc": _rounded(auroc(c_N, right_N)),
        "ece": _rounded(expected_calibration_error(c_N, right_N)),
    }


def _rounded(value: float | np.floating) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)
