"""How an answer is chosen: `Greedy()`, `Sample(temperature=0.7, top_p=0.9)` or `Beam(n=4)`.

Only what fixes a shape compiles anew: temperature, cuts and length penalty are numbers of one compiled program.
"""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

EarlyStopping = Literal[True, False, "never"]


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """The likeliest token, every time."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A token drawn from softmax(logits / temperature), after the cuts, in this order: `top_k`, then `top_p`.

    >>> Sample(temperature=0.0)
    Traceback (most recent call last):
    ...
    ValueError: temperature must be a finite number above 0, not 0.0; for the likeliest token use Greedy().
    """

    temperature: float = 1.0
    top_k: int | None = None  # keep the k likeliest tokens, and what ties with the last of them; None: all
    top_p: float | None = None  # keep the fewest likeliest tokens whose probabilities reach p, ties too; None: all

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or self.temperature <= 0:
            raise ValueError(
                f"temperature must be a finite number above 0, not {self.temperature!r}; "
                "for the likeliest token use Greedy()."
            )
        if self.top_k is not None and not _is_count(self.top_k):
            raise ValueError(f"top_k must be an integer of at least 1, or None to keep all, not {self.top_k!r}.")
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise ValueError(f"top_p must be above 0 and at most 1, or None to keep all, not {self.top_p!r}.")


@dataclass(frozen=True, kw_only=True)
class Beam:
    """The best answers that `n` hypotheses side by side find; best by log-probability / length ** length_penalty.

    Defined as in Hugging Face `generate`, whose tokens it reproduces. Each step looks at the 2 n best continuations of
    a row; those among the first n that end are finished answers, the n best others live on. A row stops
      `early_stopping=False`    when its n finished answers all beat the best live one, at its present length;
      `early_stopping="never"`  when they beat the best it could become: with a positive penalty, at full length;
      `early_stopping=True`     as soon as it has n finished answers, whatever the live ones might become.
    """

    n: int = 4  # hypotheses
    length_penalty: float = 1.0  # 0: the likeliest answer, in practice a short one; above 1: long ones
    early_stopping: EarlyStopping = False
    n_best: int = 1  # answers returned for each row, best first

    def __post_init__(self) -> None:
        for name, value in (("n", self.n), ("n_best", self.n_best)):
            if not _is_count(value):
                raise ValueError(f"{name} of Beam must be an integer of at least 1, not {value!r}.")
        if self.n_best > self.n:
            raise ValueError(f"n_best {self.n_best} answers need as many hypotheses, but n is {self.n}.")
        if not _is_number(self.length_penalty):
            raise ValueError(f"length_penalty must be a finite number, not {self.length_penalty!r}.")
        if not (isinstance(self.early_stopping, bool) or self.early_stopping == "never"):
            raise ValueError(f'early_stopping must be True, False or "never", not {self.early_stopping!r}.')


Method = Greedy | Sample | Beam


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
