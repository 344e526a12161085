"""R1: what a task costs. The EIP-1559 numbers by hand."""

import pytest

from consensus.rules.fee import can_open, charge_fee, compute_base_fee
from consensus.rules.supply import compute_supply_micro
from consensus.units import MICRO, SUPPLY_CAP_MICRO, TIP_MAX_MICRO
from tests.consensus.rules.small import ASKER, int64, network_and_nodes, params_with


@pytest.mark.parametrize(
    ("base", "used", "target", "expected"),
    [
        (10**9, 30_000_000, 15_000_000, 1_125_000_000),  # the published examples
        (10**9, 0, 15_000_000, 875_000_000),
        (10**9, 15_000_000, 15_000_000, 10**9),
        (10**9, 90_000_000, 15_000_000, 1_125_000_000),  # more than twice the target counts as twice
        (7, 2, 1, 8),  # a rise of at least 1
        (7, 0, 1, 7),  # a fall is floored
        (100, 3, 2, 106),  # 100 * 1 // 2 // 8
        (0, 2, 1, 1),
        (SUPPLY_CAP_MICRO, 8, 4, SUPPLY_CAP_MICRO),
    ],
)
def test_base_fee(base: int, used: int, target: int, expected: int) -> None:
    params = params_with(target_tasks=target)
    assert int(compute_base_fee(params, int64(base), int64(used))) == expected


def test_the_base_fee_burns_and_the_tip_waits() -> None:
    network, nodes = network_and_nodes(params_with())
    charged, left = charge_fee(network, nodes, ASKER, int64(5 * MICRO))
    assert left.liquid_micro_N[ASKER] == nodes.liquid_micro_N[ASKER] - 6 * MICRO
    assert charged.burned_micro == MICRO
    assert charged.task_escrow_micro == 5 * MICRO
    assert compute_supply_micro(charged, left) == SUPPLY_CAP_MICRO


def test_can_open_asks_for_fee_and_tip_and_bounds_the_tip() -> None:
    network, nodes = network_and_nodes(params_with())
    rich = nodes._replace(liquid_micro_N=nodes.liquid_micro_N + 2 * TIP_MAX_MICRO)
    assert can_open(network, nodes, ASKER, int64(999 * MICRO))
    assert not can_open(network, nodes, ASKER, int64(999 * MICRO + 1))
    assert not can_open(network, nodes, ASKER, int64(-1))
    assert can_open(network, rich, ASKER, int64(TIP_MAX_MICRO))
    assert not can_open(network, rich, ASKER, int64(TIP_MAX_MICRO + 1))
