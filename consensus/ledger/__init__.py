"""The ledger: who said what, in which order, and what it earned them. `docs/LEDGER.md` is its format and trust model.

Begin with `app.App` (the state machine), `messages` (what may be said) and `replay.replay` (verify a ledger file).
Names are loaded when first used.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "Account": "genesis",
    "App": "app",
    "Genesis": "genesis",
    "LedgerError": "errors",
    "SigningKey": "keys",
    "Store": "store",
    "TaskClass": "genesis",
    "make_genesis": "genesis",
    "typical_pot_micro": "genesis",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
