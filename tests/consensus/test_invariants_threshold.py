"""I11: the threshold rises with a task's difficulty and with audited errors, within its two bounds."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules.accept import compute_tau_q12, move_integral
from consensus.state import Network, Params
from tests.consensus import bridge
from tests.consensus.oracle import tally
from tests.consensus.strategies import LAW, ONE, worlds

difficulties = st.integers(0, ONE)
integrals = st.integers(-6144, 18432)


def compute_tau(world: dict[str, Any], difficulty_q16: int) -> int:
    """tau of the rules, which is tau of the oracle."""
    params, network = bridge.from_dict(Params, world["params"]), bridge.from_dict(Network, world["network"])
    tau = int(compute_tau_q12(params, network, np.asarray(difficulty_q16)))
    assert tau == tally.compute_tau_q12(world["params"], world["network"]["integral_q12"], difficulty_q16)
    return tau


@given(worlds(max_nodes=1), difficulties, difficulties)
def test_tau_never_falls_with_difficulty(world: dict[str, Any], one: int, other: int) -> None:
    assert compute_tau(world, min(one, other)) <= compute_tau(world, max(one, other))


@given(worlds(max_nodes=1), difficulties, integrals, integrals)
def test_tau_never_falls_with_the_integral(world: dict[str, Any], difficulty: int, one: int, other: int) -> None:
    low, high = ({**world, "network": {**world["network"], "integral_q12": value}} for value in sorted((one, other)))
    tau_low, tau_high = compute_tau(low, difficulty), compute_tau(high, difficulty)
    assert tau_low <= tau_high
    bounds = (world["params"]["tau_min_q12"], world["params"]["tau_max_q12"])
    if tau_low not in bounds and tau_high not in bounds:
        assert tau_high - tau_low == abs(one - other)


@given(worlds(max_nodes=1), st.lists(st.booleans(), min_size=1, max_size=8))
def test_the_integral_rises_with_errors_and_stays_in_bounds(world: dict[str, Any], errors: list[bool]) -> None:
    params, network = bridge.from_dict(Params, world["params"]), bridge.from_dict(Network, world["network"])
    for error in errors:
        moved = move_integral(params, network, np.asarray(int(error)))
        change = moved.integral_q12 - network.integral_q12
        assert change >= 0 if error else change <= 0
        assert params.integral_min_q12 <= moved.integral_q12 <= params.integral_max_q12
        network = moved


def test_at_the_laws_numbers_tau_strictly_rises_between_its_bounds() -> None:
    world = {"params": LAW, "network": dict.fromkeys(map(bridge.plain_name, Network._fields), 0)}
    taus = [compute_tau(world, difficulty) for difficulty in range(0, ONE + 1, 4096)]
    assert taus == sorted(set(taus))
    assert taus[0] > LAW["tau_min_q12"]
    assert taus[-1] < LAW["tau_max_q12"]
