"""I1: every micro-token is in exactly one account, always."""

from consensus.state import Network, Nodes
from consensus.units import Array, total


def compute_supply_micro(network: Network, nodes: Nodes) -> Array:
    """The sum of all accounts; SUPPLY_CAP_MICRO after every rule. Locked and reserved are parts of other accounts."""
    held_by_nodes = (
        total(nodes.liquid_micro_N)
        + total(nodes.bonded_micro_N)
        + total(nodes.unbonding_micro_N)
        + total(nodes.escrow_micro_N)
    )
    held_by_network = (
        network.challenge_bonds_micro
        + network.task_escrow_micro
        + network.purse_micro
        + network.treasury_micro
        + network.reserve_micro
    )
    return held_by_nodes + held_by_network + network.burned_micro
