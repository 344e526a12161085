"""R10: stake. What is bonded can be drawn and slashed; leaving takes long and is limited a block."""

from consensus.state import Network, Nodes, Params
from consensus.units import Array, add_at, mul_q16, namespace, total


def transfer(nodes: Nodes, sender: Array, receiver: Array, amount_micro: Array) -> Nodes:
    """Move liquid between two accounts. The caller has checked 0 < amount <= the sender's liquid."""
    liquid_N = add_at(nodes.liquid_micro_N, sender, -amount_micro)
    return nodes._replace(liquid_micro_N=add_at(liquid_N, receiver, amount_micro))


def bond(nodes: Nodes, node: Array, amount_micro: Array) -> Nodes:
    """Move liquid to bonded. The caller has checked 0 < amount <= liquid."""
    return nodes._replace(
        liquid_micro_N=add_at(nodes.liquid_micro_N, node, -amount_micro),
        bonded_micro_N=add_at(nodes.bonded_micro_N, node, amount_micro),
    )


def can_unbond(params: Params, network: Network, nodes: Nodes, node: Array, amount_micro: Array) -> Array:
    """True if the amount is bonded, backs no open wager, and this block's exits stay within the churn limit."""
    at_block_start_micro = total(nodes.bonded_micro_N) + network.exiting_micro
    is_free = (amount_micro > 0) & (amount_micro <= nodes.bonded_micro_N[node] - nodes.locked_micro_N[node])
    return is_free & (network.exiting_micro + amount_micro <= mul_q16(at_block_start_micro, params.exit_churn_q16))


def unbond(params: Params, network: Network, nodes: Nodes, node: Array, amount_micro: Array) -> tuple[Network, Nodes]:
    """Move bonded to unbonding, still slashable; the whole unbonding amount is released `unbonding_blocks` from now.

    The caller has asked `can_unbond`.
    """
    xp = namespace(nodes.bonded_micro_N)
    is_node_N = add_at(xp.zeros_like(nodes.bonded_micro_N), node, 1) > 0
    release_N = xp.where(is_node_N, network.height + params.unbonding_blocks, nodes.unbonding_release_N)
    nodes = nodes._replace(
        bonded_micro_N=add_at(nodes.bonded_micro_N, node, -amount_micro),
        unbonding_micro_N=add_at(nodes.unbonding_micro_N, node, amount_micro),
        unbonding_release_N=release_N,
    )
    return network._replace(exiting_micro=network.exiting_micro + amount_micro), nodes


def release_unbonding(network: Network, nodes: Nodes) -> Nodes:
    """Unbonding stake whose height has come becomes liquid."""
    xp = namespace(nodes.bonded_micro_N)
    due_N = xp.where(nodes.unbonding_release_N <= network.height, nodes.unbonding_micro_N, 0)
    return nodes._replace(
        unbonding_micro_N=nodes.unbonding_micro_N - due_N, liquid_micro_N=nodes.liquid_micro_N + due_N
    )
