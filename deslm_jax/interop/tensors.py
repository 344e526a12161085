"""From a state dict to a parameter tree and back, by a table of `names`; every mistake is named.

A state dict maps names to arrays of float32, float16, bfloat16 or float64; what comes out is float32.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np

from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.generator import Generator
from deslm_jax.initial import Params, shapes_of
from deslm_jax.interop.names import Layout, Match
from deslm_jax.tree import flatten, unflatten

StateDict = dict[str, np.ndarray]


def canonical_names(state: Mapping[str, np.ndarray], prefix: str, outside: Sequence[str]) -> StateDict:
    """Returns `state` with every name but those that start with one of `outside` below `prefix`.

    Checkpoints of a bare LEDModel leave the prefix out, those with a head have it.

    >>> sorted(canonical_names({"shared.weight": np.ones(1), "lm_head.weight": np.ones(1)}, "led.", ["lm_head."]))
    ['led.shared.weight', 'lm_head.weight']
    """
    kept = (prefix, *outside)
    return {name if name.startswith(kept) else prefix + name: value for name, value in state.items()}


def params_from_state(config: ModelConfig, matches: Iterable[Match], state: Mapping[str, np.ndarray]) -> Params:
    """Returns the parameter tree of the model that `config` configures, float32.

    A tensor that is missing, has another shape or holds no numbers, NaN or infinity, and one that the model does not
    know, is a ValueError that names it.
    """
    shapes = _shapes(config)
    arrays: StateDict = {}
    used: set[str] = set()
    for match in matches:
        shape = _part_shape(match, shapes[match.ours].shape)
        parts = [_checked(state, name, shape) for name in match.theirs]
        used.update(match.theirs)
        arrays[match.ours] = _join(match, parts)
    unknown = sorted(set(state) - used)
    if unknown:
        raise ValueError(f"The tensor {unknown[0]} is not one of this model's ({len(unknown)} are unknown).")
    return unflatten(arrays)


def state_from_params(config: ModelConfig, matches: Iterable[Match], params: Params) -> StateDict:
    """Returns the state dict of a parameter tree, float32; `params_from_state` gives the same bits back.

    A weight that is missing or has another shape is a ValueError that names it.
    """
    arrays, shapes = dict(flatten(params)), _shapes(config)
    state: StateDict = {}
    for match in matches:
        if match.ours not in arrays:
            raise ValueError(f"The weight {match.ours} is missing from these parameters.")
        array = np.asarray(arrays[match.ours], np.float32)
        if array.shape != shapes[match.ours].shape:
            wanted = shapes[match.ours].shape
            raise ValueError(f"The weight {match.ours} has shape {array.shape}, but the config asks for {wanted}.")
        for name, part in zip(match.theirs, np.split(array, len(match.theirs), axis=-1), strict=True):
            state[name] = np.ascontiguousarray(_turn(match.layout, part))
    return state


def as_float32(name: str, value: np.ndarray) -> np.ndarray:
    """Returns `value` as float32; one that holds no floating point numbers is a ValueError naming it."""
    array = np.asarray(value)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise ValueError(f"The tensor {name} is of type {array.dtype}; weights must be floating point numbers.")
    return array.astype(np.float32)


@lru_cache(maxsize=8)  # tracing a model takes a while, and there and back ask twice
def _shapes(cfg: ModelConfig) -> dict[str, Any]:
    """Path to `jax.ShapeDtypeStruct` of every weight."""
    model = Generator(cfg) if isinstance(cfg, GeneratorConfig) else Discriminator(cast(DiscriminatorConfig, cfg))
    return dict(flatten(shapes_of(model)))


def _checked(state: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in state:
        raise ValueError(f"The tensor {name} is missing.")
    array = as_float32(name, state[name])
    if array.shape != shape:
        raise ValueError(f"The tensor {name} has shape {array.shape}, but the config asks for {shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"The tensor {name} holds NaN or infinity: the checkpoint is damaged.")
    return array


def _part_shape(match: Match, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one of their tensors, where the whole weight of ours has `shape`."""
    part = (*shape[:-1], shape[-1] // len(match.theirs))
    return {"same": part, "linear": part[::-1], "row": (1, *part)}[match.layout]


def _join(match: Match, parts: list[np.ndarray]) -> np.ndarray:
    turned = [part[0] if match.layout == "row" else _turn(match.layout, part) for part in parts]
    return np.ascontiguousarray(np.concatenate(turned, axis=-1))


def _turn(layout: Layout, part: np.ndarray) -> np.ndarray:
    return part[None] if layout == "row" else part.T if layout == "linear" else part
