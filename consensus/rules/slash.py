"""R8: what is taken away, for silence, for saying two things, and for being worse than the house again and again."""

from consensus.rules.seats import count_seats, first_seats
from consensus.rules.voice import replace_role
from consensus.rules.wager import Graded
from consensus.state import Network, Nodes, Params, Round
from consensus.units import FOREVER, Q16, Array, add_at, as_int64, mul_q16, namespace, total


def slash(
    params: Params, network: Network, nodes: Nodes, fraction_q16_N: Array, finder: Array = -1
) -> tuple[Network, Nodes, Array]:
    """Take a fraction of bonded + unbonding from each node; returns network, nodes and what was taken [N].

    It reaches bonded that is not locked, then unbonding, never a locked wager, so every open wager stays fully
    backed. A half burns, 1/512 goes to the finder's liquid if there is one, the rest to the treasury.
    """
    xp = namespace(nodes.bonded_micro_N)
    free_N = nodes.bonded_micro_N - nodes.locked_micro_N
    wanted_N = mul_q16(nodes.bonded_micro_N + nodes.unbonding_micro_N, fraction_q16_N)
    from_bonded_N = xp.minimum(wanted_N, free_N)
    from_unbonding_N = xp.minimum(wanted_N - from_bonded_N, nodes.unbonding_micro_N)
    taken_N = from_bonded_N + from_unbonding_N
    burned_micro = total(mul_q16(taken_N, params.slash_burn_q16))
    found_micro = xp.where(xp.asarray(finder) >= 0, total(taken_N // params.finder_divisor), 0)
    nodes = nodes._replace(
        bonded_micro_N=nodes.bonded_micro_N - from_bonded_N,
        unbonding_micro_N=nodes.unbonding_micro_N - from_unbonding_N,
        liquid_micro_N=add_at(nodes.liquid_micro_N, finder, found_micro),
    )
    network = network._replace(
        burned_micro=network.burned_micro + burned_micro,
        treasury_micro=network.treasury_micro + total(taken_N) - burned_micro - found_micro,
    )
    return network, nodes, taken_N


def slash_silent(
    params: Params, network: Network, nodes: Nodes, round: Round, answered_G: Array, judged_D: Array
) -> tuple[Network, Nodes, Array]:
    """Non-reveal: .1 % of every node that sat and did not reveal, once a task.

    If nobody answered, discriminators had nothing to reveal and owe nothing.
    """
    xp = namespace(nodes.bonded_micro_N)
    silent_G = (round.generator_G >= 0) & ~answered_G
    silent_D = (round.discriminator_D >= 0) & ~judged_D & (total(answered_G) > 0)
    silent_N = count_seats(nodes, round.generator_G, as_int64(silent_G))
    silent_N = silent_N + count_seats(nodes, round.discriminator_D, as_int64(silent_D))
    return slash(params, network, nodes, xp.where(silent_N > 0, params.non_reveal_slash_q16, 0))


def update_cusum(params: Params, nodes: Nodes, role: int, seat_S: Array, graded: Graded) -> tuple[Nodes, Array]:
    """The CUSUM test: J <- max(0, J + S_0 - S - delta), once a node and audited task; gives nodes, alarms [N].

    J is back at 0 after an alarm.
    """
    xp = namespace(seat_S)
    first_S = first_seats(seat_S, graded.counted_S)
    counted_N = count_seats(nodes, seat_S, as_int64(first_S)) == 1
    gap_S = graded.house_q16 - graded.score_q16_S - params.cusum_delta_q16
    gap_N = count_seats(nodes, seat_S, xp.where(first_S, gap_S, 0))
    cusum_N = nodes.cusum_q16_NR[:, role]
    cusum_N = xp.where(counted_N, xp.maximum(cusum_N + gap_N, 0), cusum_N)
    alarm_N = counted_N & (cusum_N > params.cusum_limit_q16)
    cusum_NR = replace_role(nodes.cusum_q16_NR, role, xp.where(alarm_N, 0, cusum_N))
    return nodes._replace(cusum_q16_NR=cusum_NR), alarm_N


def punish_alarms(params: Params, network: Network, nodes: Nodes, alarm_N: Array) -> tuple[Network, Nodes, Array]:
    """Persistently poor performance: 2 % and jail."""
    xp = namespace(nodes.bonded_micro_N)
    until_N = xp.maximum(nodes.jailed_until_N, network.height + params.jail_blocks)
    nodes = nodes._replace(jailed_until_N=xp.where(alarm_N, until_N, nodes.jailed_until_N))
    return slash(params, network, nodes, xp.where(alarm_N, params.cusum_slash_q16, 0))


def slash_equivocation(
    params: Params, network: Network, nodes: Nodes, offender: Array, finder: Array = -1
) -> tuple[Network, Nodes, Array]:
    """Equivocation: 5 %, and out for good. The caller has checked the two signatures."""
    xp = namespace(nodes.bonded_micro_N)
    is_offender_N = add_at(xp.zeros_like(nodes.bonded_micro_N), offender, 1) > 0
    nodes = nodes._replace(jailed_until_N=xp.where(is_offender_N, FOREVER, nodes.jailed_until_N))
    return slash(params, network, nodes, xp.where(is_offender_N, params.equivocation_slash_q16, 0), finder)


def equivocation_penalty(
    params: Params, network: Network, nodes: Nodes, equivocator_N: Array
) -> tuple[Network, Nodes, Array]:
    """After the epoch: equivocators lose three times the share of all stake that equivocated (Ethereum's multiplier).

    A lone mistake costs little more than the 5 %, an attack with a third of the stake costs all of it. The fraction
    floor(3 Q 65,536 / T) is divided out in two steps of 8 bits, so that the product stays below 2^62.
    """
    xp = namespace(nodes.bonded_micro_N)
    stake_N = nodes.bonded_micro_N + nodes.unbonding_micro_N
    guilty = (params.equivocation_multiplier * total(xp.where(equivocator_N == 1, stake_N, 0))) << 8
    everyone = xp.maximum(total(stake_N), 1)
    fraction_q16 = ((guilty // everyone) << 8) + (((guilty % everyone) << 8) // everyone)
    fraction_q16 = xp.minimum(fraction_q16, Q16)
    return slash(params, network, nodes, xp.where(equivocator_N == 1, fraction_q16, 0))
