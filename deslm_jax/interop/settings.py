"""Reading a Hugging Face config.json: each value is understood, or refused by name."""

import math
from collections.abc import Mapping
from typing import Any

from deslm_jax.config import FeedForward

_ACTIVATIONS: dict[str, FeedForward] = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
_LARGEST = 2**31 - 1  # of an axis


class Settings:
    """The values of one config.json; a key that is not there has the default of the config's class."""

    def __init__(self, values: Mapping[str, Any], model_type: str, defaults: Mapping[str, Any]) -> None:
        """`model_type` as the config must say it; `defaults` those of transformers."""
        found = values.get("model_type", model_type)
        if found != model_type:
            raise ValueError(f"The config is of model_type {found!r}, not {model_type!r}.")
        self._values = {**defaults, **values}

    def count(self, name: str, least: int = 1) -> int:
        """Returns an integer of at least `least`."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"The config's {name} must be an integer of at least {least}, not {value!r}.")
        if value > _LARGEST:
            raise ValueError(f"The config's {name} {value!r} is beyond {_LARGEST}, the largest size of an array.")
        return value

    def optional_id(self, name: str) -> int | None:
        """Returns a token id, or None where there is none."""
        return None if self._values.get(name) is None else self.count(name, 0)

    def rate(self, name: str) -> float:
        """Returns a dropout rate."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise ValueError(f"The config's {name} must be a number in [0, 1), not {value!r}.")
        return float(value)

    def flag(self, name: str) -> bool:
        """Returns a truth value."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise ValueError(f"The config's {name} must be true or false, not {value!r}.")
        return value

    def equal_counts(self, first: str, second: str) -> int:
        """Returns the count that two settings share."""
        value, other = self.count(first), self.count(second)
        if value != other:
            raise ValueError(f"The config's {first} is {value} and its {second} {other}; they must be equal here.")
        return value

    def number(self, name: str) -> float:
        """Returns a positive number."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ValueError(f"The config's {name} must be a finite number above 0, not {value!r}.")
        return float(value)

    def activation(self, name: str) -> FeedForward:
        """Returns our name of a feed-forward activation."""
        value = self._values.get(name)
        if not isinstance(value, str) or value not in _ACTIVATIONS:
            raise ValueError(f"The config's {name} {value!r} is not supported; it may be {', '.join(_ACTIVATIONS)}.")
        return _ACTIVATIONS[value]

    def window(self, layers: int) -> int | tuple[int, ...]:
        """Returns the tokens seen on each side, half of `attention_window`; one number where all layers agree."""
        value = self._values.get("attention_window")
        sizes: list[Any] = list(value) if isinstance(value, list | tuple) else [value] * layers
        if not all(
            isinstance(size, int) and not isinstance(size, bool) and size > 0 and size % 2 == 0 for size in sizes
        ):
            raise ValueError(f"The config's attention_window must be positive and even, not {value!r}.")
        if len(sizes) != layers:
            raise ValueError(f"The config's attention_window has {len(sizes)} entries for {layers} encoder layers.")
        halves = tuple(size // 2 for size in sizes)
        return halves[0] if len(set(halves)) == 1 else halves

    def refuse_others(self, **allowed: Any) -> None:
        """Raises a ValueError where a setting that is there has another value than the one supported."""
        for name, value in allowed.items():
            found = self._values.get(name, value)
            if found != value and found is not None:
                raise ValueError(f"The config's {name} {found!r} is not supported; it must be {value!r}.")


def their_activation(feed_forward: FeedForward) -> str:
    """Returns their name of our feed-forward; a ValueError for one they have not."""
    for theirs, ours in _ACTIVATIONS.items():
        if ours == feed_forward:
            return theirs
    raise ValueError(f"The Hugging Face layout has no feed_forward {feed_forward!r}.")


def their_window(windows: tuple[int, ...]) -> list[int]:
    """Returns `attention_window`, one entry for each layer; a window below 2 is a ValueError.

    An `attention_window` of 0 is refused by transformers, one of 2 breaks in its first forward.
    """
    if min(windows, default=2) < 2:
        raise ValueError(f"The Hugging Face layout has no window of {min(windows)}: it needs 2 tokens or more a side.")
    return [2 * window for window in windows]


def require_fields(config: Any, kind: str, **needed: Any) -> None:
    """Raises a ValueError where a field of `config` has a value that `kind` cannot express."""
    for name, value in needed.items():
        found = getattr(config, name)
        if found != value:
            raise ValueError(f"{kind} cannot express {name} {found!r}; it must be {value!r}.")
