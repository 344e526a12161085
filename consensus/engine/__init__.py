"""Who orders the blocks: `local.LocalEngine`, one sequencer in this process."""

from importlib import import_module
from typing import Any

_HOME = {"BlockResult": "local", "LocalEngine": "local", "Mempool": "mempool"}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
