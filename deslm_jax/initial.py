"""How weights start: one table of standard deviations, drawn by linen inside `init`, or by NumPy in `init_params`.

Compiling some thirty small random kernels costs five CPU-seconds, more than a tiny model needs for fifty training
steps; `init_params` draws the same distributions without compiling anything.
"""

import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

Params = dict[str, Any]


def initial_std(name: str, shape: tuple[int, ...]) -> float:
    """Returns the standard deviation with which the weight called `name` starts."""
    if name == "kernel":
        return shape[0] ** -0.5  # keeps the variance of a layer's output at that of its input
    if name in ("token_table", "output_table"):
        return shape[1] ** -0.5  # with tied weights: logits of order 1 from a normed vector
    if name == "position_table":
        return 0.02
    if name in ("type_table", "match_table"):
        return 0.5  # beside embeddings of order 1 a flag must be loud enough to be learnt from at once
    raise KeyError(name)


def drawn(name: str) -> Callable[[jax.Array, tuple[int, ...]], jax.Array]:
    """Returns the linen initialiser of the weight called `name`: normal, see `initial_std`."""

    def draw(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        return jax.random.normal(key, shape, dtype) * initial_std(name, shape)

    return draw


def init_params(model: nn.Module, seed: int) -> Params:
    """Returns fresh float32 weights of `model` (a Generator or Discriminator) as a nested dict of NumPy arrays.

    The same seed gives the same weights on every machine; each weight has a stream of its own, so adding a layer
    leaves the others as they were.
    """
    shapes = shapes_of(model)
    return jax.tree_util.tree_map_with_path(lambda path, leaf: _draw_leaf(path, leaf.shape, seed), shapes)


def shapes_of(model: nn.Module) -> Params:
    """Returns the tree of `model`'s weights as `jax.ShapeDtypeStruct`s, computing nothing."""
    ids = jax.ShapeDtypeStruct((1, 1), jnp.int32)
    inputs = (ids, ids) if hasattr(model, "memory") else (ids,)
    return jax.eval_shape(model.init, jax.random.key(0), *inputs)["params"]


def _draw_leaf(path: tuple[Any, ...], shape: tuple[int, ...], seed: int) -> np.ndarray:
    name = path[-1].key
    if name in ("bias", "logits_bias", "scale"):
        return np.full(shape, 1.0 if name == "scale" else 0.0, np.float32)
    stream = zlib.crc32("/".join(part.key for part in path).encode())
    normal = np.random.Generator(np.random.PCG64([seed, stream])).standard_normal(shape, np.float32)
    return normal * np.float32(initial_std(name, shape))
