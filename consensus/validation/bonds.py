"""Yuma 3 as subtensor's own tests publish it: dividends of three validators who move between two servers.

The big validator (kappa) or the small ones move first; then all follow. subtensor asserts every dividend and bond to
1e-3; each scenario's six epochs are one run of `settle_epoch`, bonds carried over.
"""

from typing import NamedTuple

import numpy as np

from consensus.aggregation import yuma
from consensus.validation.rows import Row

SOURCE = "opentensor/subtensor, pallet tests, test_yuma_3_"
LEFT, RIGHT = (1.0, 0.0), (0.0, 1.0)  # all weight on one server
TOLERANCE = 1e-3


class Scenario(NamedTuple):
    """Who weighs what, epoch after epoch, and what subtensor says of it."""

    name: str  # the subtensor test's name after "test_yuma_3_"
    stakes: tuple[int, ...]
    weights: tuple[tuple[tuple[float, float], ...], ...]  # [epoch][validator][server]
    dividends: tuple[tuple[float, ...], ...]  # [epoch][validator]
    is_liquid: float = 1.0


SCENARIOS = (
    Scenario(
        "kappa_moves_first",
        (8, 1, 1),
        ((LEFT,) * 3, (RIGHT, LEFT, LEFT), (RIGHT, RIGHT, LEFT), *((RIGHT,) * 3,) * 3),
        (
            (0.8, 0.1, 0.1),
            (1.0, 0.0, 0.0),
            (0.9382, 0.0618, 0.0),
            (0.8819, 0.0773, 0.0407),
            (0.8564, 0.0844, 0.0592),
            (0.8418, 0.0884, 0.0697),
        ),
    ),
    Scenario(
        "kappa_moves_second",
        (8, 1, 1),
        ((LEFT,) * 3, (LEFT, RIGHT, LEFT), (RIGHT, RIGHT, LEFT), *((RIGHT,) * 3,) * 3),
        (
            (0.8, 0.1, 0.1),
            (0.8446, 0.0498, 0.1056),
            (0.6868, 0.3132, 0.0),
            (0.7421, 0.2090, 0.0489),
            (0.7625, 0.1706, 0.0669),
            (0.7730, 0.1508, 0.0762),
        ),
    ),
    Scenario(
        "kappa_moves_last",
        (8, 1, 1),
        ((LEFT,) * 3, (LEFT, RIGHT, LEFT), (LEFT, RIGHT, RIGHT), *((RIGHT,) * 3,) * 3),
        (
            (0.8, 0.1, 0.1),
            (0.8446, 0.0498, 0.1056),
            (0.8966, 0.0333, 0.0701),
            (0.4663, 0.3210, 0.2127),
            (0.5976, 0.2340, 0.1683),
            (0.6592, 0.1932, 0.1475),
        ),
    ),
    Scenario(
        "one_epoch_switch",
        (33, 33, 34),
        (*((LEFT,) * 3,) * 2, (LEFT, LEFT, RIGHT), *((LEFT,) * 3,) * 3),
        (
            (0.33, 0.33, 0.34),
            (0.33, 0.33, 0.34),
            (0.3782, 0.3782, 0.2436),
            (0.3628, 0.3628, 0.2745),
            (0.3541, 0.3541, 0.2917),
            (0.3487, 0.3487, 0.3026),
        ),
    ),
    Scenario(
        "liquid_alpha_disabled",
        (33, 33, 34),
        (*((LEFT,) * 3,) * 2, (LEFT, LEFT, RIGHT), *((LEFT,) * 3,) * 3),
        (
            (0.33, 0.33, 0.34),
            (0.33, 0.33, 0.34),
            (0.3734, 0.3734, 0.2532),
            (0.3611, 0.3611, 0.2779),
            (0.3541, 0.3541, 0.2919),
            (0.3495, 0.3495, 0.3009),
        ),
        is_liquid=0.0,
    ),
)


def list_rows() -> list[Row]:
    """Every epoch of the law's scenario, the last epoch of the others (their worst is a test)."""
    rows = []
    for scenario in SCENARIOS:
        epochs = play(scenario)
        shown = range(len(epochs)) if scenario is SCENARIOS[0] else [len(epochs) - 1]
        for epoch in shown:
            name = scenario.name.replace("_", " ")
            given = f"{name}, stakes {','.join(map(str, scenario.stakes))}, epoch {epoch}"
            ours = tuple(epochs[epoch].dividend_V.tolist())
            source = SOURCE + scenario.name
            rows.append(Row("Yuma 3 dividends", given, "yuma", source, scenario.dividends[epoch], ours, TOLERANCE))
    return rows


def play(scenario: Scenario) -> list[yuma.Epoch]:
    """Every epoch of a scenario."""
    params = yuma.YumaParams(is_liquid=scenario.is_liquid)
    stake_V, bond_VS = np.array(scenario.stakes, dtype=float), np.zeros((len(scenario.stakes), 2))
    epochs = []
    for weights in scenario.weights:
        epochs.append(yuma.settle_epoch(params, stake_V, np.array(weights), bond_VS))
        bond_VS = epochs[-1].bond_VS
    return epochs
