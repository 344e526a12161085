"""The two loops that NumPy and JAX write differently, each once: repeat a step, and go through tasks one by one."""

from collections.abc import Callable
from typing import TypeVar

from consensus.units import Array, namespace

State = TypeVar("State")


def is_jax(array: Array) -> bool:
    """True for a JAX array or tracer."""
    return hasattr(array, "at")


def repeat(step: Callable[[State], State], state: State, times: int, like: Array) -> State:
    """`step` applied `times` times: a Python loop, or one compiled loop if `like` is a JAX array."""
    if is_jax(like):
        from jax import lax

        return lax.fori_loop(0, times, lambda _, inner: step(inner), state)
    for _ in range(times):
        state = step(state)
    return state


def map_tasks(rule: Callable[..., Array], *columns: Array) -> Array:
    """`rule` of every row of the columns, stacked: a Python loop, or `vmap` if the first column is a JAX array."""
    if is_jax(columns[0]):
        import jax

        return jax.vmap(rule)(*columns)
    return namespace(columns[0]).stack([rule(*row) for row in zip(*columns, strict=True)])
