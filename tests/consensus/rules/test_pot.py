"""R7 and R11: what an accepted task pays, to the last micro-token."""

from hypothesis import given
from hypothesis import strategies as st

from consensus.rules.emission import draw_emission
from consensus.rules.pot import compute_flat_fees, pay_pot, return_pot, split_pot
from consensus.rules.supply import compute_supply_micro
from consensus.units import MICRO, SUPPLY_CAP_MICRO
from tests.consensus.rules.small import ASKER, int64, lock, network_and_nodes, params_with, round_of

PROPOSER = 7


@given(st.integers(0, 1 << 37), st.lists(st.integers(0, 800), min_size=5, max_size=5).filter(any))
def test_the_parts_telescope_to_the_pot(pot: int, shares: list[int]) -> None:
    names = ("generators", "discriminators", "purse", "proposer", "treasury")
    params = params_with(**{f"pot_share_{name}": share for name, share in zip(names, shares, strict=True)})
    parts = split_pot(params, int64(pot)).tolist()
    assert sum(parts) == pot
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - pot * share / sum(shares)) < 1


def test_parts_and_flat_fees_by_hand() -> None:
    assert split_pot(params_with(), int64(101)).tolist() == [30, 5, 50, 5, 11]  # 30.3, 35.35, 85.85, 90.9, 101
    assert compute_flat_fees(params_with(), int64(100 * MICRO), 5, 15).tolist() == [6 * MICRO, 333_333]


def test_an_accepted_pot_reaches_everybody_it_names() -> None:
    params, round = params_with(), round_of(revealed_D=[1, 1, 1, 0])
    network, nodes = lock(*network_and_nodes(params), round)
    paid, after, fee_N = pay_pot(params, network, nodes, round, int64(0), PROPOSER)
    # pot 100 tokens; seats 0 and 1 gave the accepted answer; three of four discriminators revealed
    assert (after.escrow_micro_N - nodes.escrow_micro_N).tolist() == [0, 10 * MICRO, 10 * MICRO, 0, 0, 0, 0, 0]
    assert (after.bonded_micro_N - nodes.bonded_micro_N).tolist() == [0, 0, 0, 0, *[1_250_000] * 3, 0]
    assert after.liquid_micro_N[PROPOSER] == 5 * MICRO
    assert paid.purse_micro - network.purse_micro == 50 * MICRO
    assert paid.treasury_micro - network.treasury_micro == 10 * MICRO + 10 * MICRO + 1_250_000  # and what nobody earned
    assert paid.task_escrow_micro == 0
    assert fee_N.sum() == 20 * MICRO + 3 * 1_250_000
    assert compute_supply_micro(paid, after) == SUPPLY_CAP_MICRO
    without, _, _ = pay_pot(params, network, nodes, round, int64(0), -1)
    assert without.treasury_micro - paid.treasury_micro == 5 * MICRO


def test_a_seat_that_sits_twice_is_paid_twice() -> None:
    params, round = params_with(), round_of(generator_G=[1, 1, 2])
    network, nodes = lock(*network_and_nodes(params), round)
    _, after, _ = pay_pot(params, network, nodes, round, int64(0), -1)
    assert after.escrow_micro_N[1] == 20 * MICRO


def test_abstaining_pays_nobody_and_returns_everything() -> None:
    params, round = params_with(), round_of()
    network, nodes = lock(*network_and_nodes(params), round)
    same, unpaid, fee_N = pay_pot(params, network, nodes, round, int64(-1), PROPOSER)
    assert fee_N.sum() == 0
    back, after = return_pot(same, unpaid, round, ASKER, int64(-1))
    assert after.liquid_micro_N[ASKER] - nodes.liquid_micro_N[ASKER] == MICRO
    assert back.reserve_micro - network.reserve_micro == 99 * MICRO
    assert back.task_escrow_micro == 0
    kept, _ = return_pot(same, unpaid, round, ASKER, int64(0))
    assert kept.task_escrow_micro == network.task_escrow_micro


def test_emission_is_a_floored_share_of_the_reserve() -> None:
    params = params_with(emission_rate_q32=1_000)
    network, _ = network_and_nodes(params)
    after, emission = draw_emission(params, network)
    assert emission == int(network.reserve_micro) * 1_000 // 2**32
    assert after.reserve_micro + emission == network.reserve_micro
    assert after.task_escrow_micro - network.task_escrow_micro == emission
