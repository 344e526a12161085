"""Numbers that others published, or that follow on paper, computed again by this package's own rules.

`validate()` returns one `Row` for each: what was published, what we compute, how far apart they may be. No row's "ours"
is a literal: where the law has a rule (fee, seats, finality, tally, wager) the rule computes it, else a comparison rule
of `consensus.aggregation`, else the formula the number comes from. `deslm validate` prints the table.
"""

from importlib import import_module
from typing import Any

_HOMES = {"Row": "rows", "validate": "table"}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
