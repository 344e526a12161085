"""I7: the same bits from NumPy, from `jit`, from `vmap`, and with the batch spread over eight devices.

The histories are judged by the oracle while NumPy plays them; here JAX plays the recorded steps again.
"""

import functools
import random
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from consensus.state import Network, Nodes, Outcome, Params, Payments, Round
from tests.consensus import bridge
from tests.consensus.histories import History, make_world
from tests.consensus.twin import STEPS, Recorded, RecordingTwin, call_rule

SEATS_G, SEATS_D, NODES, BLOCKS = 3, 4, 8, 40
BATCHED = ("open_task", "settle_task", "settle_audit")


@pytest.fixture(scope="module")
def recorded() -> tuple[Params, list[Recorded]]:
    """A history as (rule, network before, nodes before, arguments, results)."""
    rng = random.Random(7)
    twin = RecordingTwin(make_world(rng, NODES))
    history = History(twin, 7, SEATS_G, SEATS_D)
    for _ in range(BLOCKS):
        history.play_block()
    return twin.params, twin.recorded


@functools.cache
def compiled(name: str) -> Callable[..., Any]:
    return jax.jit(functools.partial(call_rule, STEPS[name]))


def assert_same_tuple(got: tuple, expected: tuple) -> None:
    for mine, theirs in zip(got, expected, strict=True):
        if isinstance(theirs, Network | Nodes | Round | Outcome | Payments):
            bridge.assert_same(mine, theirs)
        else:
            assert np.asarray(mine).dtype == np.int64
            np.testing.assert_array_equal(mine, theirs)


def test_jit_gives_the_bits_of_numpy(recorded: tuple[Params, list[Recorded]]) -> None:
    params, steps = recorded
    assert {name for name, *_ in steps} >= {"open_task", "settle_task", "settle_audit", "unlock_wagers", "end_block"}
    with jax.enable_x64(True):
        for name, network, nodes, arguments, expected in steps:
            got = compiled(name)(params, network, nodes, arguments)
            assert_same_tuple(jax.tree.map(np.asarray, got), expected)


@pytest.mark.parametrize("name", BATCHED)
def test_vmap_over_eight_devices_gives_the_bits_of_numpy(name: str, recorded: tuple[Params, list[Recorded]]) -> None:
    params, steps = recorded
    chosen = [step for step in steps if step[0] == name][:8]
    assert len(chosen) == 8
    stack = lambda trees: jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
    networks, nodes, arguments, expected = (stack([step[i] for step in chosen]) for i in (1, 2, 3, 4))
    mesh = jax.make_mesh((8,), ("task",), axis_types=(jax.sharding.AxisType.Auto,))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("task"))
    batched = jax.vmap(functools.partial(call_rule, STEPS[name]), in_axes=(None, 0, 0, 0))
    with jax.enable_x64(True):
        got = jax.jit(batched)(params, *jax.device_put((networks, nodes, arguments), spread))
        assert len(jax.tree.leaves(got)[0].sharding.device_set) == 8
        assert_same_tuple(jax.tree.map(np.asarray, got), expected)
