"""R7, the pot: what an accepted task pays, and to whom. Split exactly; what nobody earned goes to the treasury."""

from consensus.rules.seats import count_seats
from consensus.rules.tally import get_answered, get_judged
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Params, Round
from consensus.units import Array, add_at, as_int64, namespace, total


def split_pot(params: Params, pot_micro: Array) -> Array:
    """The parts [5] for generators, discriminators, purse, proposer and treasury; they sum to the pot, exactly.

    Part k is floor(pot * cum_k / sum) - floor(pot * cum_(k-1) / sum), cum the running sum of the shares.
    """
    shares = (
        params.pot_share_generators,
        params.pot_share_discriminators,
        params.pot_share_purse,
        params.pot_share_proposer,
        params.pot_share_treasury,
    )
    xp = namespace(pot_micro)
    edges = xp.cumsum(xp.stack([xp.zeros_like(shares[0]), *shares]), dtype=xp.int64)
    cuts = pot_micro * edges // edges[-1]
    return cuts[1:] - cuts[:-1]


def compute_flat_fees(params: Params, pot_micro: Array, generator_seats: int, discriminator_seats: int) -> Array:
    """What one paid seat of each role earns [R]: its role's part, floored a seat."""
    parts = split_pot(params, pot_micro)
    return namespace(parts).stack([parts[GENERATOR] // generator_seats, parts[DISCRIMINATOR] // discriminator_seats])


def pay_pot(
    params: Params, network: Network, nodes: Nodes, round: Round, accepted: Array, proposer: Array
) -> tuple[Network, Nodes, Array]:
    """Pay the pot of an accepted task from the task escrow; returns network, nodes and the flat fees [N].

    Generator seats on the accepted answer are paid into escrow, revealed discriminator seats into bonded, the
    proposer (-1: the treasury in its place) into liquid, the purse its part; the treasury takes what is left. If
    nothing was accepted nothing moves.
    """
    xp = namespace(nodes.liquid_micro_N)
    is_accepted = accepted >= 0
    pot_micro = xp.where(is_accepted, round.tip_micro + round.emission_micro, 0)
    parts = split_pot(params, pot_micro)
    paid_G = as_int64(get_answered(round) & is_accepted & (round.answer_G == accepted))
    paid_D = as_int64(get_judged(round) & is_accepted)
    fee_G_N = round.flat_fee_micro_R[GENERATOR] * count_seats(nodes, round.generator_G, paid_G)
    fee_D_N = round.flat_fee_micro_R[DISCRIMINATOR] * count_seats(nodes, round.discriminator_D, paid_D)
    purse_micro, proposer_micro = parts[2], xp.where(xp.asarray(proposer) >= 0, parts[3], 0)
    nodes = nodes._replace(
        escrow_micro_N=nodes.escrow_micro_N + fee_G_N,
        bonded_micro_N=nodes.bonded_micro_N + fee_D_N,
        liquid_micro_N=add_at(nodes.liquid_micro_N, proposer, proposer_micro),
    )
    rest_micro = pot_micro - total(fee_G_N) - total(fee_D_N) - purse_micro - proposer_micro
    network = network._replace(
        task_escrow_micro=network.task_escrow_micro - pot_micro,
        purse_micro=network.purse_micro + purse_micro,
        treasury_micro=network.treasury_micro + rest_micro,
    )
    return network, nodes, fee_G_N + fee_D_N


def return_pot(network: Network, nodes: Nodes, round: Round, payer: Array, accepted: Array) -> tuple[Network, Nodes]:
    """R5, abstaining: the tip goes back to the payer's liquid, the emission to the reserve."""
    xp = namespace(nodes.liquid_micro_N)
    tip_micro = xp.where(accepted < 0, round.tip_micro, 0)
    emission_micro = xp.where(accepted < 0, round.emission_micro, 0)
    nodes = nodes._replace(liquid_micro_N=add_at(nodes.liquid_micro_N, payer, tip_micro))
    network = network._replace(
        task_escrow_micro=network.task_escrow_micro - tip_micro - emission_micro,
        reserve_micro=network.reserve_micro + emission_micro,
    )
    return network, nodes
