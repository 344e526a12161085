"""The published logit and sigmoid tables: rounded exactly, monotone, and close to the functions they stand for."""

import json
import subprocess
import sys
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np

from consensus import tables
from consensus.rules.log_odds import logit_q12, sigmoid_q16
from consensus.tables import LOGIT_Q12, SIGMOID_Q16


def test_every_logit_entry_is_the_nearest_integer() -> None:
    """By exponentials, not logarithms: e^((T - 1/2)/4096) < p/(1-p) < e^((T + 1/2)/4096), to 50 digits."""
    with localcontext(prec=50):
        for i in range(1, 1024):
            odds, half = Decimal(i) / (1024 - i), Decimal("0.5")
            entry = int(LOGIT_Q12[i])
            assert ((entry - half) / 4096).exp() < odds < ((entry + half) / 4096).exp(), i
    assert LOGIT_Q12[0] == -32768
    assert LOGIT_Q12[1024] == 32768


def test_every_sigmoid_entry_is_the_nearest_integer() -> None:
    """By logarithms, not exponentials: U is nearest to 65,536 p if ln of the odds of U -+ 1/2 enclose x."""
    with localcontext(prec=50):
        for i in range(1025):
            x, half = Decimal(i) / 64 - 8, Decimal("0.5")
            low, high = (int(SIGMOID_Q16[i]) - half, int(SIGMOID_Q16[i]) + half)
            assert (low / (65536 - low)).ln() < x < (high / (65536 - high)).ln(), i


def test_the_published_file_is_what_the_module_makes() -> None:
    made = {"logit_q12": tables.compute_logit_table(), "sigmoid_q16": tables.compute_sigmoid_table()}
    assert made == json.loads((Path(tables.__file__).parent / "tables.json").read_text())
    printed = subprocess.run([sys.executable, "-m", "consensus.tables"], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout) == made


def test_logit_never_decreases_and_is_close_to_the_logarithm() -> None:
    q = np.arange(65537)
    x = logit_q12(q)
    assert (np.diff(x) >= 0).all()
    p = q[64:-63] / 65536
    error = np.abs(x[64:-63] / 4096 - np.log(p / (1 - p)))
    assert error.max() < 0.07  # a chord of the steepest interval, between 1/1,024 and 2/1,024
    middle = (p > 0.02) & (p < 0.98)
    assert error[middle].max() < 0.001
    assert np.abs(x + x[::-1]).max() <= 1  # antisymmetric but for the floor


def test_sigmoid_never_decreases_and_is_close_to_the_function() -> None:
    x = np.arange(-40000, 40001)
    p = sigmoid_q16(x)
    assert (np.diff(p) >= 0).all()
    exact = 65536 / (1 + np.exp(-np.clip(x, -32768, 32768) / 4096))
    assert np.abs(p - exact).max() < 2
    assert p[0] == 22
    assert p[-1] == 65514


def test_sigmoid_inverts_logit() -> None:
    q = np.arange(1000, 64537)
    assert np.abs(sigmoid_q16(logit_q12(q)) - q).max() <= 40  # .0006
