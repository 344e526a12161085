"""The two loops of the simulator, on JAX as compiled loops and on NumPy as Python's: one body serves both."""

from collections.abc import Callable
from typing import Any

import numpy as np

Body = Callable[..., Any]


def map_leaves(function: Callable[..., Any], *trees: Any) -> Any:
    """`function` on every array of nested (named) tuples."""
    first = trees[0]
    if isinstance(first, tuple):
        parts = [map_leaves(function, *each) for each in zip(*trees, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return function(*trees)


def is_numpy(tree: Any) -> bool:
    """True if the arrays of a pytree are NumPy's."""
    leaves: list[Any] = []
    map_leaves(leaves.append, tree)
    return all(isinstance(leaf, np.ndarray | np.generic) for leaf in leaves)


def scan(body: Body, carry: Any, rows: Any) -> tuple[Any, Any]:
    """`carry, out = body(carry, row)` for each row along the first axis; the last carry, and the outs stacked."""
    if not is_numpy(carry):
        import jax

        return jax.lax.scan(body, carry, rows)
    sizes: list[int] = []
    map_leaves(lambda leaf: sizes.append(leaf.shape[0]), rows)
    outs = []
    for i in range(sizes[0]):
        carry, out = body(carry, map_leaves(lambda leaf, i=i: leaf[i], rows))
        outs.append(out)
    return carry, map_leaves(lambda *leaves: np.stack(leaves), *outs)


def repeat(body: Body, carry: Any, times: Any) -> Any:
    """`carry = body(carry)` so many times; under JAX the number may be traced."""
    if not is_numpy(carry):
        import jax

        return jax.lax.fori_loop(0, times, lambda _, state: body(state), carry)
    for _ in range(int(times)):
        carry = body(carry)
    return carry


def when(condition: Any, then: Body, state: Any) -> Any:
    """`then(state)` if the condition holds, else `state`.

    Under JAX a loop of at most one turn: unlike `lax.cond` it leaves large arrays in place where nothing happens, and
    under `vmap` it does nothing at all unless some run needs it.
    """
    if not is_numpy((condition, state)):
        import jax

        once = lambda carry: (jax.numpy.zeros_like(carry[0]), then(carry[1]))
        return jax.lax.while_loop(lambda carry: carry[0], once, (condition, state))[1]
    return then(state) if condition else state
