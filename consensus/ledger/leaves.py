"""The law's tuples of arrays as rows of integers, and back: what is hashed, stored and written into a genesis.

A leaf's shape is its name's suffix in the legend of `consensus.state` (`_N`, `_NR`, `_DC`, none for a scalar), so only
the integers are written.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from consensus.ledger.errors import LedgerError

Rows = tuple[tuple[int, ...], ...]
Tree = TypeVar("Tree")
_SUFFIX = re.compile(r"_([A-Z]+)$")


def to_rows(tree: Any) -> list[list[int]]:
    """Each leaf of a NamedTuple of int64 arrays, flattened in row order."""
    return [np.asarray(leaf).reshape(-1).tolist() for leaf in tree]


def from_rows(kind: Callable[..., Tree], rows: Any, columns: int = 2) -> Tree:
    """The NamedTuple `kind` whose leaves `to_rows` gave; two-dimensional leaves have `columns` columns (2 roles).

    Raises LedgerError if a row is missing or does not fill its leaf's shape, or an integer does not fit int64.
    """
    names = kind._fields  # type: ignore[attr-defined]  # a NamedTuple's
    if len(rows) != len(names):
        raise LedgerError(f"{len(names)} leaves are needed, {len(rows)} were given.")
    return kind(*(_leaf(name, row, columns) for name, row in zip(names, rows, strict=True)))


def _leaf(name: str, row: Any, columns: int) -> np.ndarray:
    suffix = _SUFFIX.search(name)
    shape = () if suffix is None else (-1,) if len(suffix.group(1)) == 1 else (-1, columns)
    try:
        return np.asarray(row, dtype=np.int64).reshape(shape)
    except (ValueError, OverflowError):
        raise LedgerError(f"{name} does not take {len(row)} values, or one of them is out of range.") from None
