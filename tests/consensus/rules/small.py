"""A small network and rounds written out by hand, for worked examples of single rules."""

from typing import Any

import numpy as np

from consensus import presets
from consensus.state import Network, Nodes, Params, Round
from consensus.units import MICRO

ASKER = 0
GENERATOR_NODES, DISCRIMINATOR_NODES = (1, 2, 3), (4, 5, 6, 7)


def int64(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=np.int64)


def params_with(params: Params | None = None, **leaves: Any) -> Params:
    return (params or presets.minimal())._replace(**{name: int64(value) for name, value in leaves.items()})


def network_and_nodes(params: Params, bonded_micro: int = 1_000_000 * MICRO) -> tuple[Network, Nodes]:
    """Row 0 asks, rows 1-3 generate, rows 4-7 discriminate, all with the same bond."""
    role_NR = np.zeros((8, 2), dtype=np.int64)
    role_NR[list(GENERATOR_NODES), 0] = 1
    role_NR[list(DISCRIMINATOR_NODES), 1] = 1
    liquid_N = [1_000 * MICRO] + [0] * 7
    bonded_N = [0] + [bonded_micro] * 7
    return presets.genesis(params, liquid_N, bonded_N, role_NR, 10_000 * MICRO, 20_000 * MICRO, MICRO)


def draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 16))


def round_of(**leaves: Any) -> Round:
    """Three generator seats on nodes 1-3, four discriminator seats on nodes 4-7; change what the example needs."""
    plain = {
        "task_class": 0,
        "fee_micro": 2 * MICRO,
        "tip_micro": MICRO,
        "emission_micro": 99 * MICRO,
        "flat_fee_micro_R": [10 * MICRO, 1_250_000],
        "wager_micro_R": [200 * MICRO, 250 * MICRO],
        "generator_G": list(GENERATOR_NODES),
        "discriminator_D": list(DISCRIMINATOR_NODES),
        "answer_G": [0, 0, 1],
        "confidence_q16_G": [52_429, 45_875, 39_322],  # .8, .7, .6
        "revealed_D": [1, 1, 1, 1],
        "verdict_q16_DC": [[6_554, 58_982, 0]] * 4,  # .1, .9
        "evidence_DC": [[1, 1, 0]] * 4,
    }
    return Round(**{name: int64(value) for name, value in (plain | leaves).items()})


def lock(network: Network, nodes: Nodes, round: Round) -> tuple[Network, Nodes]:
    """The state after opening this round: its money in escrow, its wagers locked and reserved."""
    locked_N = nodes.locked_micro_N.copy()
    reserved_micro = 0
    for seat_S, wager_micro in zip((round.generator_G, round.discriminator_D), round.wager_micro_R, strict=True):
        np.add.at(locked_N, seat_S, wager_micro)
        reserved_micro += (len(seat_S) * wager_micro + 1) // 2
    pot_micro = round.tip_micro + round.emission_micro
    network = network._replace(
        task_escrow_micro=network.task_escrow_micro + pot_micro,
        reserve_micro=network.reserve_micro - pot_micro,
        purse_reserved_micro=network.purse_reserved_micro + reserved_micro,
    )
    return network, nodes._replace(locked_micro_N=locked_N)
