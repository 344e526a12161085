"""One door to all rules, so that a simulator, a notebook or a sweep picks a rule by its name."""

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from consensus.aggregation.bradley_terry import bradley_terry
from consensus.aggregation.dawid_skene import dawid_skene
from consensus.aggregation.law import law
from consensus.aggregation.log_odds import log_odds
from consensus.aggregation.majority import majority
from consensus.aggregation.stake_weighted import stake_weighted
from consensus.aggregation.votes import Decision, Votes
from consensus.aggregation.yuma import yuma

RULES: dict[str, Callable[..., Decision]] = {
    "majority": majority,
    "stake-weighted": stake_weighted,
    "log-odds": log_odds,
    "bradley-terry": bradley_terry,
    "dawid-skene": dawid_skene,
    "yuma": yuma,
    "law": law,
}


def aggregate(name: str, votes: Votes, candidates: int, **settings: Any) -> Decision:
    """One answer a task by the rule of this name, with the rule's own settings (its keyword arguments).

    `candidates` fixes a shape, so under `jit` it is static; so are `iterations`. Raises ValueError for an unknown
    rule or setting, naming the nearest.
    """
    if name not in RULES:
        raise ValueError(f"there is no aggregation rule {name!r}; {_suggest(name, list(RULES))}")
    known = list(inspect.signature(RULES[name]).parameters)[2:]
    for setting in settings:
        if setting not in known:
            raise ValueError(f"the rule {name} has no setting {setting!r}; {_suggest(setting, known)}")
    return RULES[name](votes, candidates, **settings)


def _suggest(word: str, known: list[str]) -> str:
    """What to do instead, as the end of a sentence."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(known)}" if known else "it has none"
