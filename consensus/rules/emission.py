"""R11: new tokens. Each task draws a fixed share of what the reserve still holds, so the cap is never passed."""

from consensus.state import Network, Params
from consensus.units import Array


def draw_emission(params: Params, network: Network) -> tuple[Network, Array]:
    """Move E = floor(reserve * rate) from the reserve to the task escrow; returns the network and E in micro-tokens."""
    emission_micro = (network.reserve_micro * params.emission_rate_q32) >> 32
    network = network._replace(
        reserve_micro=network.reserve_micro - emission_micro,
        task_escrow_micro=network.task_escrow_micro + emission_micro,
    )
    return network, emission_micro
