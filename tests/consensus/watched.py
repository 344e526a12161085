"""Integers that remember the largest magnitude any operation on them gave: how I10 looks inside a computation.

`Watched` is a Python int for the oracle, `WatchedArray` an int64 array for the rules (each operation is repeated in
long double, which cannot wrap). Reset by setting `.largest = 0`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


class Watched(int):
    """An int whose results are watched too."""

    largest = 0


def _watch_operator(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operate(*operands: int) -> Any:
        result = plain(*operands)
        if type(result) is not int:
            return result
        Watched.largest = max(Watched.largest, abs(result))
        return Watched(result)

    return operate


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "pow", "and"):
    for _side in (f"__{_name}__", f"__r{_name}__"):
        setattr(Watched, _side, _watch_operator(_side))
for _name in ("__neg__", "__abs__"):
    setattr(Watched, _name, _watch_operator(_name))


def watch(value: Any) -> Any:
    """A nested plain value with every int watched."""
    if isinstance(value, dict):
        return {name: watch(item) for name, item in value.items()}
    if isinstance(value, list):
        return [watch(item) for item in value]
    return Watched(value)


class WatchedArray(np.ndarray):
    """An int64 array whose results are watched too."""

    largest = 0.0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [_unwrap(item) for item in inputs]
        if ufunc in (np.add, np.subtract, np.multiply, np.left_shift, np.negative) and method != "at":
            wide = [np.asarray(item).astype(np.longdouble) for item in plain]
            if ufunc is np.left_shift:
                exact = wide[0] * np.exp2(wide[1])
            else:
                exact = getattr(ufunc, method)(*wide, **{**options, "dtype": np.longdouble})
            WatchedArray.largest = max(WatchedArray.largest, float(np.max(np.abs(exact), initial=0)))
        return _wrap(getattr(ufunc, method)(*plain, **options))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, options: Any) -> Any:
        return _wrap(function(*_unwrap(args), **_unwrap(options)))

    def __getitem__(self, index: Any) -> Any:
        return _wrap(np.asarray(self)[_unwrap(index)])


def _unwrap(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_unwrap(item) for item in value)
    if isinstance(value, dict):
        return {name: _unwrap(item) for name, item in value.items()}
    return value.view(np.ndarray) if isinstance(value, WatchedArray) else value


def _wrap(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return np.asarray(value).view(WatchedArray)
    return value


def watch_arrays(value: Any) -> Any:
    """A NamedTuple, dict or array of int64 with every array watched."""
    if isinstance(value, dict):
        return {name: watch_arrays(item) for name, item in value.items()}
    return type(value)(*(_wrap(leaf) for leaf in value)) if isinstance(value, tuple) else _wrap(value)
