"""`simulate`: so many rounds of one network, on NumPy or compiled; the one guarded door to 64-bit JAX.

JAX makes int32 of an int64 array outside `jax.enable_x64`, without a word. So everything goes in and comes out of here
as NumPy arrays, the scope is held around tracing and running, and every leaf that leaves is looked at.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from consensus.simulator.checks import check_run, check_state
from consensus.simulator.loops import repeat
from consensus.simulator.setting import Setting, Static
from consensus.simulator.step import play_round
from consensus.simulator.world import State

BACKENDS = ("jit", "numpy", "eager")


def simulate(static: Static, params: Setting, state: State, seed: int, rounds: int, backend: str = "jit") -> State:
    """The state `rounds` rounds later: NumPy int64 in, NumPy int64 out, the same bits on every backend.

    Pure, and a run goes on where it stopped: 10 rounds and then 20 more give the state after 30. The running sums are
    in `state.metrics`. `backend`: "jit"; "numpy" plays the ledger's path in Python loops; "eager" is JAX uncompiled.
    Raises ValueError with one sentence if a parameter is outside its safe range or nobody could ever sit.
    """
    check_run(static, params, seed, rounds)
    check_state(static, state)
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend}: choose one of {', '.join(BACKENDS)}")
    arguments = (params, state, np.int64(seed), np.int64(rounds))
    if backend == "numpy":
        return play(static, *arguments)
    return call(compiled(static) if backend == "jit" else lambda *a: play(static, *a), *arguments)


def play(static: Static, setting: Setting, state: State, seed: Any, rounds: Any) -> State:
    """So many rounds, on whatever arrays the state holds."""
    return repeat(lambda one: play_round(static, setting, seed, one), state, rounds)


def call(function: Callable[..., Any], *trees: Any) -> Any:
    """`function` of the trees as JAX arrays of 64 bits; what it returns as NumPy arrays, each int64."""
    import jax

    with jax.enable_x64(True):
        out = jax.block_until_ready(function(*jax.tree.map(jax.numpy.asarray, trees)))
        return jax.tree.map(to_numpy, out)


def to_numpy(leaf: Any) -> np.ndarray:
    """A leaf on the host; TypeError if it lost half its bits on the way."""
    array = np.asarray(leaf)
    if array.dtype != np.int64:
        raise TypeError(f"a leaf left the simulator as {array.dtype}: wrap the call in jax.enable_x64(True)")
    return array


COMPILER_OPTIONS: dict[str, int | bool] = {}  # of XLA; tests set a quick compilation here


@cache
def compiled(static: Static) -> Callable[..., State]:
    """`play` of these sizes under `jax.jit`; the number of rounds is an argument, so it compiles once."""
    import jax

    return jax.jit(lambda *arguments: play(static, *arguments), compiler_options=COMPILER_OPTIONS)


def trace(
    static: Static, params: Setting, state: State, seed: int, rounds: int, every: int
) -> tuple[State, list[State]]:
    """The last state, and the states after every `every` rounds: for curves over time of one run.

    Sums between two points are the difference of their metrics; the same bits as one `simulate` of all rounds.
    """
    if not isinstance(every, int) or every < 1:
        raise ValueError(f"every is {every}: choose 1 or more rounds between two points")
    check_run(static, params, seed, rounds)
    states = []
    for first in range(0, rounds, every):
        state = simulate(static, params, state, seed, min(every, rounds - first))
        states.append(state)
    return state, states
