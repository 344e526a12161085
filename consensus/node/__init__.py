"""What participants do with the ledger: state machines without I/O, and `driver.run` to run them in one process."""

from importlib import import_module
from typing import Any

_HOME = {
    "Asker": "asker",
    "Auditor": "auditor",
    "CanaryAuthor": "auditor",
    "Copycat": "behaviours",
    "DiscriminatorNode": "discriminator",
    "Driver": "driver",
    "FlagEverything": "behaviours",
    "GeneratorNode": "generator",
    "Inflator": "behaviours",
    "Question": "asker",
    "Withholder": "behaviours",
    "run": "driver",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
