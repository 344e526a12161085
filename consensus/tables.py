"""The published logit and sigmoid tables: log-odds without a floating-point number anywhere near a decision.

`tables.json` is part of the law: any implementation that reads it gets the same bits. It is made by this module with
decimal arithmetic, `python -m consensus.tables > consensus/tables.json`, and a test makes it again.
"""

import json
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from importlib.resources import files

import numpy as np

ENTRIES = 1025
LOGIT_BOUND_Q12 = 8 * 4096  # stands for the infinite log-odds of 0 and 1


def compute_logit_table() -> list[int]:
    """Q12 log-odds of the probabilities i / 1,024, rounded to nearest, +-8 at the ends (law, Quantities)."""
    with localcontext(prec=40):
        inner = [_round(4096 * (Decimal(i) / (1024 - i)).ln()) for i in range(1, ENTRIES - 1)]
    return [-LOGIT_BOUND_Q12, *inner, LOGIT_BOUND_Q12]


def compute_sigmoid_table() -> list[int]:
    """Q16 probabilities of the log-odds i / 64 - 8, rounded to nearest (law, Quantities)."""
    with localcontext(prec=40):
        return [_round(65536 / (1 + (8 - Decimal(i) / 64).exp())) for i in range(ENTRIES)]


def _round(x: Decimal) -> int:
    return int(x.to_integral_value(ROUND_HALF_EVEN))


def _load(name: str) -> np.ndarray:
    published = json.loads(files("consensus").joinpath("tables.json").read_text(encoding="ascii"))
    table = np.array(published[name], dtype=np.int64)
    table.setflags(write=False)
    return table


def __getattr__(name: str) -> np.ndarray:
    # Read on first use, so that this module can also write the file that it reads.
    if name in ("LOGIT_Q12", "SIGMOID_Q16"):
        globals()[name] = _load(name.lower())
        return globals()[name]
    raise AttributeError(f"module 'consensus.tables' has no attribute {name!r}")


if __name__ == "__main__":
    print(json.dumps({"logit_q12": compute_logit_table(), "sigmoid_q16": compute_sigmoid_table()}))
