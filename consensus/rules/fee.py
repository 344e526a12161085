"""R1: what a task costs to ask. The base fee burns and follows demand (EIP-1559), the tip waits in escrow."""

from consensus.state import Network, Nodes, Params
from consensus.units import SUPPLY_CAP_MICRO, TIP_MAX_MICRO, Array, add_at, namespace


def can_open(network: Network, nodes: Nodes, payer: Array, tip_micro: Array) -> Array:
    """True if the payer's liquid covers base fee and tip, and the tip is within 0 to TIP_MAX_MICRO."""
    is_tip_in_range = (tip_micro >= 0) & (tip_micro <= TIP_MAX_MICRO)
    return is_tip_in_range & (nodes.liquid_micro_N[payer] >= network.base_fee_micro + tip_micro)


def charge_fee(network: Network, nodes: Nodes, payer: Array, tip_micro: Array) -> tuple[Network, Nodes]:
    """The payer's liquid pays the base fee, which burns, and the tip, which goes to the task escrow."""
    fee_micro = network.base_fee_micro + tip_micro
    nodes = nodes._replace(liquid_micro_N=add_at(nodes.liquid_micro_N, payer, -fee_micro))
    network = network._replace(
        burned_micro=network.burned_micro + network.base_fee_micro,
        task_escrow_micro=network.task_escrow_micro + tip_micro,
    )
    return network, nodes


def compute_base_fee(params: Params, base_fee_micro: Array, tasks: Array) -> Array:
    """The next block's base fee after a block with `tasks` tasks: EIP-1559 with its elasticity of 2.

    Above the target it rises by at least 1 micro-token, below it falls by a floored eighth at most.
    """
    target = params.target_tasks
    xp = namespace(target)
    used = xp.minimum(tasks, 2 * target)
    rise = base_fee_micro * xp.maximum(used - target, 0) // target // params.base_fee_denominator
    fall = base_fee_micro * xp.maximum(target - used, 0) // target // params.base_fee_denominator
    rise = xp.where(used > target, xp.maximum(rise, 1), 0)
    return xp.minimum(base_fee_micro + rise - fall, SUPPLY_CAP_MICRO)
