"""Comparison rules: other people's ways to make one answer of many, to be swept beside the law's own.

`aggregate(name, votes, candidates)` is the one door; `RULES` lists the names. Each rule is a pure function on arrays
and takes NumPy or JAX (also under `jit` and `vmap`), because it takes the array module from the arrays. Floats are
allowed here: nothing in this package decides a token, `consensus/rules` does.

Legend: T tasks, N nodes, C candidates (possible answers); for Yuma V validators, S servers; I, J contestants.

>>> from consensus.aggregation import aggregate, make_votes
>>> votes = make_votes([[0, 0, 1]], candidates=2, confidence_TN=[[0.6, 0.6, 0.9]])
>>> aggregate("majority", votes, candidates=2).answer_T.tolist()
[0]
>>> aggregate("log-odds", votes, candidates=2).answer_T.tolist()
[1]
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Decision": "votes",
    "Votes": "votes",
    "make_votes": "votes",
    "RULES": "door",
    "aggregate": "door",
    "POOLS": "pools",
    "make_pool": "pools",
    "compare": "comparison",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
