"""The published tables are the ones the law defines, and both sides read the same value at every argument."""

import math

import numpy as np

from consensus.rules.log_odds import logit_q12, sigmoid_q16
from consensus.tables import LOGIT_Q12, SIGMOID_Q16
from tests.consensus.oracle import arithmetic


def test_the_published_tables_follow_from_their_definition() -> None:
    assert np.asarray(LOGIT_Q12).tolist() == arithmetic.LOGIT_Q12
    assert np.asarray(SIGMOID_Q16).tolist() == arithmetic.SIGMOID_Q16


def test_logit_at_every_probability() -> None:
    every = np.arange(65537, dtype=np.int64)
    got = np.asarray(logit_q12(every))
    assert got.tolist() == [arithmetic.logit_q12(q) for q in range(65537)]
    assert np.all(np.diff(got) >= 0)
    middle = every[(every > 2000) & (every < 63536)]
    exact = 4096 * np.log(middle / (65536 - middle))
    assert np.max(np.abs(got[middle] - exact)) < 3


def test_sigmoid_at_every_log_odds_and_beyond() -> None:
    every = np.arange(-33000, 33001, dtype=np.int64)
    got = np.asarray(sigmoid_q16(every))
    assert got.tolist() == [arithmetic.sigmoid_q16(x) for x in every.tolist()]
    assert np.all(np.diff(got) >= 0)
    assert (
        max(
            abs(int(s) - 65536 / (1 + math.exp(-x / 4096))) for x, s in zip(every[300:-300], got[300:-300], strict=True)
        )
        < 2
    )
