"""R10 stake, R6 challenges, R12 finality."""

import pytest

from consensus.rules.challenge import compute_challenge_bond, open_challenge, overturn, release_escrow, uphold
from consensus.rules.finality import is_final
from consensus.rules.settle import end_block
from consensus.rules.stake import bond, can_unbond, transfer, unbond
from consensus.rules.supply import compute_supply_micro
from consensus.state import Network, Nodes
from consensus.units import MICRO, SUPPLY_CAP_MICRO
from tests.consensus.rules.small import ASKER, int64, network_and_nodes, params_with

PARAMS = params_with()
CHALLENGER = 6


def with_escrow(amounts: list[int]) -> tuple[Network, Nodes]:
    network, nodes = network_and_nodes(PARAMS)
    nodes = nodes._replace(escrow_micro_N=int64(amounts))
    return network._replace(reserve_micro=network.reserve_micro - sum(amounts)), nodes


def test_bond_and_transfer_move_liquid() -> None:
    _, nodes = network_and_nodes(PARAMS, bonded_micro=0)
    after = bond(nodes, ASKER, 5)
    assert (after.liquid_micro_N[ASKER], after.bonded_micro_N[ASKER]) == (1_000 * MICRO - 5, 5)
    after = transfer(nodes, ASKER, 3, 7)
    assert (after.liquid_micro_N[ASKER], after.liquid_micro_N[3]) == (1_000 * MICRO - 7, 7)
    assert transfer(nodes, ASKER, ASKER, 7).liquid_micro_N[ASKER] == 1_000 * MICRO


def test_stake_leaves_after_the_unbonding_time_and_not_before() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=100)
    network, nodes = unbond(PARAMS, network, nodes, 2, 40)
    assert (nodes.bonded_micro_N[2], nodes.unbonding_micro_N[2]) == (60, 40)
    for _ in range(int(PARAMS.unbonding_blocks)):
        network, nodes = end_block(PARAMS, network, nodes, int64(0))
        assert nodes.liquid_micro_N[2] == 0
    network, nodes = unbond(PARAMS, network, nodes, 3, 1)
    network, nodes = end_block(PARAMS, network, nodes, int64(0))
    assert (nodes.liquid_micro_N[2], nodes.unbonding_micro_N[2], nodes.unbonding_micro_N[3]) == (40, 0, 1)
    assert compute_supply_micro(network, nodes) == SUPPLY_CAP_MICRO


def test_a_further_unbonding_moves_the_whole_release() -> None:
    network, nodes = network_and_nodes(PARAMS, bonded_micro=100)
    network, nodes = unbond(PARAMS, network, nodes, 2, 40)
    network, nodes = end_block(PARAMS, network, nodes, int64(0))
    _, nodes = unbond(PARAMS, network, nodes, 2, 10)
    assert nodes.unbonding_micro_N[2] == 50
    assert nodes.unbonding_release_N[2] == network.height + PARAMS.unbonding_blocks


def test_exits_of_one_block_are_limited_and_locked_stake_stays() -> None:
    params = params_with(exit_churn_q16=16_384)  # a quarter of 700
    network, nodes = network_and_nodes(params, bonded_micro=100)
    nodes = nodes._replace(locked_micro_N=int64([0, 0, 30, 0, 0, 0, 0, 0]))
    assert can_unbond(params, network, nodes, 2, 70)
    assert not can_unbond(params, network, nodes, 2, 71)
    assert not can_unbond(params, network, nodes, 2, 0)
    network, nodes = unbond(params, network, nodes, 1, 100)
    assert can_unbond(params, network, nodes, 3, 75)
    assert not can_unbond(params, network, nodes, 3, 76)
    network, nodes = end_block(params, network, nodes, int64(0))
    assert can_unbond(params, network, nodes, 3, 76)


def test_release_and_overturn_by_an_audit() -> None:
    network, nodes = with_escrow([0, 30, 20, 0, 0, 0, 0, 0])
    after, free = release_escrow(network, nodes, nodes.escrow_micro_N)
    assert free.liquid_micro_N[1:3].tolist() == [30, 20]
    assert not free.escrow_micro_N.any()
    taken, poorer = overturn(PARAMS, network, nodes, nodes.escrow_micro_N)
    assert taken.treasury_micro - network.treasury_micro == 50
    assert taken.burned_micro == 0
    for state in ((after, free), (taken, poorer)):
        assert compute_supply_micro(*state) == SUPPLY_CAP_MICRO


@pytest.mark.parametrize("seized", [1, 4, 50, 12_345])
def test_a_challenger_who_is_right_gets_his_bond_and_less_than_four_fifths(seized: int) -> None:
    network, nodes = with_escrow([0, seized, 0, 0, 0, 0, 0, 0])
    network, nodes = open_challenge(network, nodes, ASKER, compute_challenge_bond(PARAMS, int64(500)))
    assert network.challenge_bonds_micro == 1_000
    after, paid = overturn(PARAMS, network, nodes, nodes.escrow_micro_N, ASKER, 1_000)
    won = paid.liquid_micro_N[ASKER] - nodes.liquid_micro_N[ASKER] - 1_000
    assert after.burned_micro == seized - won >= seized / 5
    assert won >= seized * 4 // 5 - 1
    assert (after.challenge_bonds_micro, after.treasury_micro) == (0, network.treasury_micro)
    assert compute_supply_micro(after, paid) == SUPPLY_CAP_MICRO


def test_a_challenger_who_is_wrong_pays_the_authors() -> None:
    network, nodes = with_escrow([0, 20, 10, 0, 0, 0, 0, 0])
    network, nodes = open_challenge(network, nodes, ASKER, 1_000)
    after, paid = uphold(PARAMS, network, nodes, nodes.escrow_micro_N, ASKER, 1_000)
    assert after.burned_micro == 201  # a fifth, rounded up
    assert paid.liquid_micro_N[1:3].tolist() == [799 * 682 >> 10, 799 * 341 >> 10]
    assert after.treasury_micro - network.treasury_micro == 799 - 532 - 266
    assert paid.escrow_micro_N.tolist() == nodes.escrow_micro_N.tolist()
    assert compute_supply_micro(after, paid) == SUPPLY_CAP_MICRO
    after, paid = uphold(PARAMS, network, nodes, nodes.escrow_micro_N * 0, ASKER, 1_000)
    assert after.treasury_micro - network.treasury_micro == 799


@pytest.mark.parametrize(("signed", "total", "final"), [(2, 3, False), (201, 300, True), (0, 0, False), (5, 7, True)])
def test_two_thirds_are_not_enough(signed: int, total: int, final: bool) -> None:
    assert bool(is_final(int64(signed), int64(total))) is final
