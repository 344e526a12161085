"""Packages that only some uses need: one sentence where one is missing."""

from importlib import import_module
from typing import Any


def require(package: str, purpose: str) -> Any:
    """Returns the module called `package`. Not installed: a ValueError that says what for and how to install it."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".")[0]:
            raise
        raise ValueError(
            f"{purpose} needs the package {error.name}, which is not installed: run pip install 'deslm-jax[interop]' "
            "(in a checkout: make setup)."
        ) from None
