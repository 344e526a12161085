"""The protocol: the law as pure rules, a ledger that anyone can replay, the engine that orders it, its nodes, and the
simulator that plays the same rules over thousands of nodes and hundreds of settings."""

from importlib import import_module
from typing import Any

_HOMES = {
    "replay": "consensus.ledger.replay",
    "settle_recorded": "consensus.simulator.resettle",
    "simulate": "consensus.simulator.run",
    "sweep": "consensus.simulator.sweep",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
