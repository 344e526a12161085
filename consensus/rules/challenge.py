"""R6, the challenge: generators' fees wait in escrow, and who proves an accepted answer false is paid from them."""

from consensus.state import Network, Nodes, Params
from consensus.units import Q16, Array, add_at, floor_divide, mul_q16, namespace, total


def release_escrow(network: Network, nodes: Nodes, amounts_micro_N: Array) -> tuple[Network, Nodes]:
    """The challenge window is over: escrow becomes liquid."""
    nodes = nodes._replace(
        escrow_micro_N=nodes.escrow_micro_N - amounts_micro_N,
        liquid_micro_N=nodes.liquid_micro_N + amounts_micro_N,
    )
    return network, nodes


def compute_challenge_bond(params: Params, fee_micro: Array) -> Array:
    """What a challenge of a task with fee F puts up: 2 F."""
    return params.challenge_bond_fees * fee_micro


def open_challenge(network: Network, nodes: Nodes, challenger: Array, bond_micro: Array) -> tuple[Network, Nodes]:
    """Move the bond from the challenger's liquid. The caller has checked that it is there."""
    nodes = nodes._replace(liquid_micro_N=add_at(nodes.liquid_micro_N, challenger, -bond_micro))
    return network._replace(challenge_bonds_micro=network.challenge_bonds_micro + bond_micro), nodes


def overturn(
    params: Params,
    network: Network,
    nodes: Nodes,
    amounts_micro_N: Array,
    challenger: Array = -1,
    bond_micro: Array = 0,
) -> tuple[Network, Nodes]:
    """An accepted answer was false: its escrowed fees are taken.

    Found by an audit (challenger -1) they go to the treasury. Found by a challenger, at least 20 % of them burn and
    he gets the rest and his bond, as liquid.
    """
    xp = namespace(nodes.liquid_micro_N)
    seized_micro = total(amounts_micro_N)
    won_micro = xp.where(xp.asarray(challenger) >= 0, _less_burn(params, seized_micro), 0)
    burned_micro = xp.where(xp.asarray(challenger) >= 0, seized_micro - won_micro, 0)
    nodes = nodes._replace(
        escrow_micro_N=nodes.escrow_micro_N - amounts_micro_N,
        liquid_micro_N=add_at(nodes.liquid_micro_N, challenger, won_micro + bond_micro),
    )
    network = network._replace(
        challenge_bonds_micro=network.challenge_bonds_micro - bond_micro,
        burned_micro=network.burned_micro + burned_micro,
        treasury_micro=network.treasury_micro + seized_micro - won_micro - burned_micro,
    )
    return network, nodes


def uphold(
    params: Params, network: Network, nodes: Nodes, amounts_micro_N: Array, challenger: Array, bond_micro: Array
) -> tuple[Network, Nodes]:
    """The challenged answer was true: of the challenger's bond at least 20 % burns, the rest is shared by the authors.

    Shares are in proportion to `amounts_micro_N` (their escrowed fees), to 1/1,024, paid to liquid; the remainder, or
    all of it if nobody shares, goes to the treasury. The bond left the challenger when he opened the challenge.
    """
    rest_micro = _less_burn(params, bond_micro)
    share_N = floor_divide(amounts_micro_N << 10, total(amounts_micro_N))
    paid_N = (rest_micro * share_N) >> 10
    nodes = nodes._replace(liquid_micro_N=nodes.liquid_micro_N + paid_N)
    network = network._replace(
        challenge_bonds_micro=network.challenge_bonds_micro - bond_micro,
        burned_micro=network.burned_micro + bond_micro - rest_micro,
        treasury_micro=network.treasury_micro + rest_micro - total(paid_N),
    )
    return network, nodes


def _less_burn(params: Params, amount_micro: Array) -> Array:
    """What the winner of a challenge gets of the loser's amount: floored, so that the burn is never short."""
    return mul_q16(amount_micro, Q16 - params.challenge_burn_q16)
