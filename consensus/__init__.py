"""The protocol: the law as pure rules, a ledger that anyone can replay, the engine that orders it, and its nodes."""

from typing import Any

__all__ = ["replay"]


def __getattr__(name: str) -> Any:
    if name == "replay":
        from consensus.ledger.replay import replay

        return replay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
