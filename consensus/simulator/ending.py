"""What the end of a run shows: what every group gained, and how concentrated the stake has become.

Looked at once, after the last round, so here a sort over the nodes is allowed. All in integers.
"""

from typing import NamedTuple

from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import State, compute_wealth_micro
from consensus.state import Array
from consensus.units import Q16, SUPPLY_CAP_MICRO, add_at, floor_divide, namespace, total


class Ending(NamedTuple):
    """The last state of a run, reduced to its groups. Gains are gross: effort is in `Metrics.effort_micro_OR`."""

    nodes_O: Array  # nodes in each group
    stake_micro_O: Array  # bonded at the start
    gain_micro_O: Array  # all that its nodes own, minus what they began with
    worst_micro_O: Array  # the gain of its least successful node; 0 for an empty group
    best_micro_O: Array
    jailed_O: Array  # nodes in jail at the end
    beta_q16_OR: Array  # sum of the voices of its nodes that have the role
    reputation_q8_OR: Array  # sum of good - bad of the same
    treasury_micro: Array  # []
    reserve_micro: Array
    burned_micro: Array
    purse_micro: Array
    base_fee_micro: Array
    integral_q12: Array
    base_rate_q16: Array
    gini_q16: Array  # [] of the bonded stake of nodes with a role
    hhi_q16: Array  # [] sum of squared shares of bonded stake: 1 / this is the effective number of nodes
    nakamoto: Array  # [] fewest nodes that hold more than a third of the bonded stake


def conclude(static: Static, setting: Setting, state: State) -> Ending:
    """The ending of a run that began with `world.start(static, setting)`."""
    conduct, network, nodes = setting.conduct, state.network, state.nodes
    xp = namespace(conduct.group_N)
    began_N = conduct.stake_micro_N + conduct.liquid_micro_N
    gain_N = compute_wealth_micro(nodes) - began_N
    zeros_O = xp.zeros((static.groups,), xp.int64)
    has_role_N = total(conduct.role_NR, axis=1) > 0
    label_N = xp.where(has_role_N, conduct.group_N, -1)
    by_group = lambda amount_N: add_at(zeros_O, label_N, amount_N)
    is_in_ON = xp.arange(static.groups, dtype=xp.int64)[:, None] == label_N[None, :]
    nodes_O = by_group(has_role_N)
    extreme = lambda sign: xp.max(xp.where(is_in_ON, (sign * gain_N)[None, :], -SUPPLY_CAP_MICRO), axis=1) * sign
    by_role = lambda x_NR: xp.stack([by_group(x_NR[:, role] * conduct.role_NR[:, role]) for role in (0, 1)], axis=1)
    gini_q16, hhi_q16, nakamoto = measure_concentration(nodes.bonded_micro_N, has_role_N)
    return Ending(
        nodes_O=nodes_O,
        stake_micro_O=by_group(conduct.stake_micro_N),
        gain_micro_O=by_group(gain_N),
        worst_micro_O=xp.where(nodes_O > 0, extreme(-1), 0),
        best_micro_O=xp.where(nodes_O > 0, extreme(1), 0),
        jailed_O=by_group(nodes.jailed_until_N > network.height),
        beta_q16_OR=by_role(nodes.beta_q16_NR),
        reputation_q8_OR=by_role(nodes.good_q8_NR - nodes.bad_q8_NR),
        treasury_micro=network.treasury_micro,
        reserve_micro=network.reserve_micro,
        burned_micro=network.burned_micro,
        purse_micro=network.purse_micro,
        base_fee_micro=network.base_fee_micro,
        integral_q12=network.integral_q12,
        base_rate_q16=network.base_rate_q16,
        gini_q16=gini_q16,
        hhi_q16=hhi_q16,
        nakamoto=nakamoto,
    )


def measure_concentration(stake_micro_N: Array, is_counted_N: Array) -> tuple[Array, Array, Array]:
    """(Gini in Q16, HHI in Q16, Nakamoto coefficient) of the counted stakes, from shares in Q30; 0 of no stake.

    Gini: (2 sum i x_i - (n + 1) sum x) / (n sum x), x ascending and i from 1. Within 1e-4 for up to 2^20 nodes.
    """
    xp = namespace(stake_micro_N)
    counted_micro_N = xp.where(is_counted_N, stake_micro_N, 0)
    all_micro = total(counted_micro_N)
    share_N = floor_divide(counted_micro_N << 10, xp.maximum(all_micro >> 20, 1))
    ascending_N = xp.sort(xp.where(is_counted_N, share_N, -1))
    size, n = stake_micro_N.shape[0], total(is_counted_N)
    rank_N = xp.arange(1, size + 1, dtype=xp.int64) - (size - n)
    share_N = xp.where(rank_N > 0, ascending_N, 0)
    shares = total(share_N)
    spread = 2 * total(xp.maximum(rank_N, 0) * share_N) - (n + 1) * shares
    gini_q16 = xp.clip(floor_divide(spread << 6, (n * shares) >> 10), 0, Q16)
    hhi_q16 = total((share_N >> 7) ** 2) >> 30
    held_N = xp.cumsum(share_N[::-1], dtype=xp.int64)
    nakamoto = xp.minimum(total(3 * held_N <= shares) + 1, n)
    return gini_q16, hhi_q16, xp.where(shares > 0, nakamoto, 0)
