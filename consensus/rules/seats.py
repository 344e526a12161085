"""R2: who sits. Seats are drawn with replacement in proportion to bonded stake x audited reputation.

Linear in stake, on purpose: anything capped or concave pays for splitting a stake over many keys.
"""

from consensus.state import Network, Nodes, Params
from consensus.units import Q16, Array, add_at, floor_divide, mul_q16, namespace, total


def compute_reputation_q16(params: Params, nodes: Nodes, role: int) -> Array:
    """f [N]: clip(good / (good + bad + 1), 1/4, 1). A fresh key is at the floor."""
    good, bad = nodes.good_q8_NR[:, role], nodes.bad_q8_NR[:, role]
    xp = namespace(good)
    share = floor_divide(good << 16, good + bad + params.reputation_prior_q8)
    return xp.clip(share, params.reputation_floor_q16, Q16)


def compute_seat_weights(
    params: Params, network: Network, nodes: Nodes, role: int, needed_micro: Array, barred_N: Array
) -> Array:
    """v [N]: bonded x reputation of every node that may sit, else 0.

    A node may sit if it has the role, is not jailed or barred, and its free stake covers `needed_micro` (the wagers
    of all the role's seats) and the minimum stake.
    """
    xp = namespace(nodes.bonded_micro_N)
    free_N = nodes.bonded_micro_N - nodes.locked_micro_N
    may_sit_N = (
        (nodes.role_NR[:, role] == 1)
        & (network.height >= nodes.jailed_until_N)
        & (free_N >= xp.maximum(needed_micro, params.stake_min_micro))
        & ~barred_N
    )
    weight_N = mul_q16(nodes.bonded_micro_N, compute_reputation_q16(params, nodes, role))
    return xp.where(may_sit_N, weight_N, 0)


def reduce_draw(draw_S16: Array, modulus: Array) -> Array:
    """The 16 bytes of each draw, read as one big-endian number, modulo V [S]; V < 2^50, and 0 counts as 1."""
    xp = namespace(draw_S16)
    modulus = xp.maximum(modulus, 1)
    rest_S = draw_S16[..., 0] % modulus
    for i in range(1, 16):
        rest_S = ((rest_S << 8) + draw_S16[..., i]) % modulus
    return rest_S


def draw_seats(weight_N: Array, draw_S16: Array) -> Array:
    """Node of each seat [S]: the first i with cumsum(v)_i > draw modulo V; -1 if nobody may sit."""
    xp = namespace(weight_N)
    cumulative_N = xp.cumsum(weight_N, dtype=xp.int64)
    point_S = reduce_draw(draw_S16, cumulative_N[-1])
    seat_S = xp.searchsorted(cumulative_N, point_S, side="right").astype(xp.int64)
    return xp.where(cumulative_N[-1] > 0, seat_S, -1)


def count_seats(nodes: Nodes, seat_S: Array, counted_S: Array) -> Array:
    """How many counted seats each node holds [N]; `counted_S` is 0 or 1 a seat."""
    xp = namespace(nodes.bonded_micro_N)
    return add_at(xp.zeros_like(nodes.bonded_micro_N), seat_S, counted_S)


def first_seats(seat_S: Array, counted_S: Array) -> Array:
    """True [S] at the first counted seat of each node: what happens once a node and task happens there."""
    xp = namespace(seat_S)
    order_S = xp.arange(seat_S.shape[0])
    is_earlier_SS = order_S[:, None] > order_S[None, :]
    is_same_SS = (seat_S[:, None] == seat_S[None, :]) & counted_S[None, :]
    return counted_S & (total(is_earlier_SS & is_same_SS, axis=1) == 0)
