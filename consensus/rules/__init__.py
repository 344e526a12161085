"""The law as code: pure functions on integers, one file a rule; `settle` is the table of contents.

No module here imports NumPy or JAX: the array module comes from the arrays, so the ledger (NumPy) and the simulator
(JAX under `jit` and `vmap`) run the same lines. The text is docs/PROTOCOL.md.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "can_open": "fee",
    "end_block": "settle",
    "is_final": "finality",
    "open_challenge": "challenge",
    "open_task": "settle",
    "overturn": "challenge",
    "release_escrow": "challenge",
    "settle_audit": "settle",
    "settle_task": "settle",
    "unlock_wagers": "settle",
    "uphold": "challenge",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
