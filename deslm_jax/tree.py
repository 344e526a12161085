"""Parameter trees as flat dicts and back: `{"block_0": {"kernel": x}}` is `{"block_0/kernel": x}`."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deslm_jax.initial import Params


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (path joined by "/", leaf), sorted by name.

    >>> list(flatten({"b": {"c": 1}, "a": 2}))
    [('a', 2), ('b/c', 1)]
    """
    for name, value in sorted(tree.items()):
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def unflatten(arrays: Mapping[str, np.ndarray]) -> Params:
    """Returns the nested dict that `flatten` made flat."""
    tree: Params = {}
    for path, value in arrays.items():
        *parents, name = path.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = value
    return tree
