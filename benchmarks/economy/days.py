"""Ten years of a network's money: every block's base fee and emission by the law, a day's pots settled as one.

Within a day each block is played: demand answers the base fee, the law moves the fee (R1) and draws the emission (R11).
At its end the law's own settlement runs on the day's sums (`charge_fee`, `pay_pot`, `return_pot`, `overturn`, `slash`),
which is exact but for floors, since all of them are linear in the pot; how many tasks are accepted and what wagers win
are the averages of `settling`. Integers, and the supply is conserved to the micro-token.

People are two rows: those who hold and ask, and those who stake; a fixed share of what both hold is staked.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from benchmarks.economy.settling import Settling
from consensus.presets import DISCRIMINATOR_SEATS, GENERATOR_SEATS, genesis
from consensus.rules.challenge import overturn, release_escrow
from consensus.rules.emission import draw_emission
from consensus.rules.fee import charge_fee, compute_base_fee
from consensus.rules.pot import compute_flat_fees, pay_pot, return_pot
from consensus.rules.slash import slash
from consensus.simulator.run import COMPILER_OPTIONS
from consensus.state import DISCRIMINATOR, GENERATOR, Array, Network, Nodes, Params, Round
from consensus.units import MICRO, Q16, namespace

HOLDERS, STAKERS = 0, 1
G, D = GENERATOR_SEATS, DISCRIMINATOR_SEATS
TASK_Q32 = 1 << 32  # fractions of a task are carried from block to block
Q20 = 1 << 20  # averages of `Settling`: a share of a share of a day's pots stays below 2^62


class Demand(NamedTuple):
    """What is assumed of those who ask, hold and stake. Floats, but for the number of nodes."""

    tasks_a_day: Array  # that would be asked if the base fee were 0, in the first year
    growth: Array  # factor a year
    elasticity: Array  # tasks fall with (tip / (base fee + tip))^elasticity
    swing: Array  # of demand over a day, as a share of its mean
    tip_share: Array  # tip of every task, as a share of what people hold when it begins
    priced: Array  # the tip in tokens follows what people hold to this power; 1: a tip is a value, 0: an amount
    held_micro: Array  # by people when it begins
    staked: Array  # share of what people hold
    nodes: Array  # among whom the stake is spread evenly
    silence: Array  # chance that a seated node does not reveal: slashed a share of its stake (R8)


class World(NamedTuple):
    """Everything that a batch may vary."""

    law: Params
    demand: Demand
    settling: Settling


class Books(NamedTuple):
    """What goes from day to day."""

    network: Network
    nodes: Nodes  # two rows: HOLDERS, STAKERS
    task_q32: Array  # fractions of a task not asked yet, a task not accepted yet, an event not come yet
    accepted_q32: Array
    alarm_q32: Array
    silence_q32: Array


class Day(NamedTuple):
    """What one day did, int64 sums and the balances at its end."""

    tasks: Array
    accepted: Array
    burned_fees_micro: Array
    tips_micro: Array  # of accepted tasks
    emission_micro: Array  # of accepted tasks
    fees_micro: Array  # flat fees and proposers' parts that stakers kept
    wagers_micro: Array  # from the purse to stakers
    lost_micro: Array  # by stakers: slashes and forfeits
    canary_micro: Array  # that the treasury paid for canaries, less what it got back
    unpaid_canary_micro: Array  # that it could not pay
    staked_micro: Array
    people_micro: Array  # all that people hold, staked or not: the supply in circulation
    base_fee_micro: Array
    tip_micro: Array
    treasury_micro: Array
    purse_micro: Array
    reserve_micro: Array
    burned_micro: Array


def open_books(law: Params, held_micro: int, staked: float, treasury_micro: int, purse_micro: int) -> Books:
    """The first state, base fee one token: people hold so much, the rest of the supply is in the reserve."""
    bonded = int(held_micro * staked)
    rows = [held_micro - bonded, 0], [0, bonded], [[0, 0], [1, 1]]
    network, nodes = genesis(law, *map(np.asarray, rows), treasury_micro, purse_micro, base_fee_micro=MICRO)
    zero = np.int64(0)
    return Books(network, nodes, zero, zero, zero, zero)


def compute_tip_micro(demand: Demand, nodes: Nodes) -> Array:
    """Today's tip (int64): if all that people hold keeps its worth, a token's goes with 1 / what they hold."""
    xp = namespace(nodes.liquid_micro_N)
    held_micro = xp.asarray(xp.sum(nodes.liquid_micro_N + nodes.bonded_micro_N, dtype=xp.int64), dtype=xp.float64)
    relative = xp.exp(demand.priced * xp.log(xp.maximum(held_micro, 1.0) / demand.held_micro))
    return xp.asarray(xp.maximum(demand.tip_share * demand.held_micro * relative, 1.0), dtype=xp.int64)


def compute_tasks(demand: Demand, tip_micro: Array, base_fee_micro: Array, tasks: Array) -> Array:
    """Tasks (float) that are asked at this base fee, of those that would be asked at none: constant elasticity."""
    xp = namespace(base_fee_micro)
    relative = tip_micro / (base_fee_micro + tip_micro)  # of integers: a float
    return tasks * xp.exp(demand.elasticity * xp.log(relative))


class _Block(NamedTuple):
    """What is summed over a day's blocks."""

    base_fee_micro: Array
    reserve_micro: Array
    task_q32: Array
    accepted_q32: Array
    liquid_micro: Array  # left today of those who ask
    tasks: Array
    accepted: Array
    burned_fees_micro: Array
    emission_micro: Array  # of accepted tasks
    returned_micro: Array  # emission of the others


def play_block(world: World, network: Network, tip_micro: Array, block: _Block, tasks: Array) -> _Block:
    """One block: so many tasks open and settle, abstained ones give their emission back, the base fee moves.

    `tasks` (float) would be asked at a base fee of 0.
    """
    law = world.law
    xp = namespace(block.tasks)
    wanted = compute_tasks(world.demand, tip_micro, block.base_fee_micro, tasks)
    task_q32 = block.task_q32 + xp.asarray(wanted * TASK_Q32, dtype=xp.int64)
    fee_micro = block.base_fee_micro + tip_micro
    asked = xp.minimum(task_q32 // TASK_Q32, block.liquid_micro // fee_micro)  # R1: who cannot pay cannot open a task
    accepted_q32 = block.accepted_q32 + asked * xp.asarray(world.settling.coverage * TASK_Q32, dtype=xp.int64)
    accepted = accepted_q32 // TASK_Q32
    now = network._replace(reserve_micro=block.reserve_micro, base_fee_micro=block.base_fee_micro)
    _, emission_micro = draw_emission(law, now)  # the block's tasks share the first one's E
    return _Block(
        base_fee_micro=compute_base_fee(law, block.base_fee_micro, asked),
        reserve_micro=block.reserve_micro - accepted * emission_micro,
        task_q32=task_q32 % TASK_Q32,
        accepted_q32=accepted_q32 % TASK_Q32,
        liquid_micro=block.liquid_micro - asked * fee_micro,
        tasks=block.tasks + asked,
        accepted=block.accepted + accepted,
        burned_fees_micro=block.burned_fees_micro + asked * block.base_fee_micro,
        emission_micro=block.emission_micro + accepted * emission_micro,
        returned_micro=block.returned_micro + (asked - accepted) * emission_micro,
    )


def play_day(world: World, blocks_a_day: int, books: Books, day: Array) -> tuple[Books, Day]:
    """The books a day later, and what the day did."""
    import jax

    law, demand, network, nodes = world.law, world.demand, books.network, books.nodes
    xp = namespace(network.reserve_micro)
    tasks_a_block = demand.tasks_a_day * xp.exp(xp.log(demand.growth) * day / 365) / blocks_a_day
    phase = xp.arange(blocks_a_day, dtype=xp.float64) * (2 * xp.pi / blocks_a_day)
    tip_micro = compute_tip_micro(demand, nodes)
    zero = xp.zeros((), xp.int64)
    liquid_micro = nodes.liquid_micro_N[HOLDERS]
    carried = network.base_fee_micro, network.reserve_micro, books.task_q32, books.accepted_q32, liquid_micro
    first = _Block(*carried, *(zero,) * 5)
    step = lambda block, tasks: (play_block(world, network, tip_micro, block, tasks), None)
    sums, _ = jax.lax.scan(step, first, tasks_a_block * (1.0 + demand.swing * xp.sin(phase)))

    tips_micro = sums.tasks * tip_micro
    wanted_micro = scale(sums.burned_fees_micro + tips_micro, law.canary_rate_q16 / Q16)
    canary_micro = xp.minimum(wanted_micro, network.treasury_micro)
    refund_micro = scale(tips_micro - sums.accepted * tip_micro, law.canary_rate_q16 / Q16)
    refund_micro = xp.where(canary_micro == wanted_micro, refund_micro, 0)
    network, nodes = move_treasury(network, nodes, canary_micro)  # canaries' authors ask with it
    network, nodes = open_day(network, nodes, sums, tips_micro)
    network, nodes, fees_micro, pots_micro = settle_day(world, network, nodes, sums, tip_micro)
    network, nodes = move_treasury(network, nodes, -refund_micro)
    network, nodes, wagers_micro, forfeits_micro = settle_wagers(world, network, nodes, pots_micro)
    books = books._replace(network=network, nodes=nodes, task_q32=sums.task_q32, accepted_q32=sums.accepted_q32)
    books, slashed_micro = punish_day(world, books, sums)
    network, nodes = books.network, restake(books.nodes, demand.staked)
    nodes_micro = nodes.liquid_micro_N + nodes.bonded_micro_N
    return books._replace(nodes=nodes), Day(
        tasks=sums.tasks,
        accepted=sums.accepted,
        burned_fees_micro=sums.burned_fees_micro,
        tips_micro=sums.accepted * tip_micro,
        emission_micro=sums.emission_micro,
        fees_micro=fees_micro,
        wagers_micro=wagers_micro,
        lost_micro=slashed_micro + forfeits_micro,
        canary_micro=canary_micro - refund_micro,
        unpaid_canary_micro=wanted_micro - canary_micro,
        staked_micro=nodes.bonded_micro_N[STAKERS],
        people_micro=nodes_micro[HOLDERS] + nodes_micro[STAKERS],
        base_fee_micro=network.base_fee_micro,
        tip_micro=tip_micro,
        treasury_micro=network.treasury_micro,
        purse_micro=network.purse_micro,
        reserve_micro=network.reserve_micro,
        burned_micro=network.burned_micro,
    )


def move_treasury(network: Network, nodes: Nodes, amount_micro: Array) -> tuple[Network, Nodes]:
    """From the treasury to those who ask (negative: back)."""
    liquid_micro_N = nodes.liquid_micro_N.at[HOLDERS].add(amount_micro)
    return network._replace(treasury_micro=network.treasury_micro - amount_micro), nodes._replace(
        liquid_micro_N=liquid_micro_N
    )


def open_day(network: Network, nodes: Nodes, sums: _Block, tips_micro: Array) -> tuple[Network, Nodes]:
    """R1 on the day's fees as one fee; its emission leaves the reserve for the task escrow."""
    drawn_micro = sums.emission_micro + sums.returned_micro
    network, nodes = charge_fee(network._replace(base_fee_micro=sums.burned_fees_micro), nodes, HOLDERS, tips_micro)
    return network._replace(
        base_fee_micro=sums.base_fee_micro,
        reserve_micro=network.reserve_micro - drawn_micro,
        task_escrow_micro=network.task_escrow_micro + drawn_micro,
    ), nodes


def settle_day(
    world: World, network: Network, nodes: Nodes, sums: _Block, tip_micro: Array
) -> tuple[Network, Nodes, Array, Array]:
    """R7 and R5 on the day's accepted and abstained pots; gives also what stakers kept and all pots together."""
    law, settling = world.law, world.settling
    xp = namespace(sums.tasks)
    accepted_tips_micro = sums.accepted * tip_micro
    pot_micro = accepted_tips_micro + sums.emission_micro
    flat_micro_R = compute_flat_fees(law, pot_micro, G, D)
    paid_R = settling.generator_paid, settling.discriminator_paid
    flat_micro_R = xp.stack([scale(flat_micro_R[role], paid_R[role]) for role in (GENERATOR, DISCRIMINATOR)])
    everyone = lambda seats: xp.full((seats,), STAKERS, dtype=xp.int64)
    zeros_DG = xp.zeros((D, G), xp.int64)
    zeros_G, zero = zeros_DG[0], zeros_DG[0, 0]
    day = Round(zero, zero, accepted_tips_micro, sums.emission_micro, flat_micro_R, flat_micro_R * 0,
                everyone(G), everyone(D), zeros_G, zeros_G, everyone(D), zeros_DG, zeros_DG)  # fmt: skip
    before_micro = nodes.liquid_micro_N[STAKERS] + nodes.bonded_micro_N[STAKERS] + nodes.escrow_micro_N[STAKERS]
    network, nodes, _ = pay_pot(law, network, nodes, day, zero, STAKERS)
    abstained = (sums.tasks - sums.accepted) * tip_micro
    undecided = day._replace(tip_micro=abstained, emission_micro=sums.returned_micro)
    network, nodes = return_pot(network, nodes, undecided, HOLDERS, zero - 1)
    escrow_micro_N = nodes.escrow_micro_N
    pots_micro = pot_micro + abstained + sums.returned_micro
    taken_micro_N = xp.minimum(scale(pots_micro, settling.overturned), escrow_micro_N)
    network, nodes = overturn(law, network, nodes, taken_micro_N)
    network, nodes = release_escrow(network, nodes, nodes.escrow_micro_N)
    after_micro = nodes.liquid_micro_N[STAKERS] + nodes.bonded_micro_N[STAKERS]
    return network, nodes, after_micro - before_micro, pots_micro


def settle_wagers(
    world: World, network: Network, nodes: Nodes, pots_micro: Array
) -> tuple[Network, Nodes, Array, Array]:
    """What stakers win from the purse, which never goes below 0, and forfeit to the treasury."""
    settling = world.settling
    won_micro = scale(pots_micro, settling.generator_wagers + settling.discriminator_wagers)
    won_micro = namespace(pots_micro).minimum(won_micro, network.purse_micro)
    forfeits_micro = scale(pots_micro, settling.forfeited)
    nodes = nodes._replace(bonded_micro_N=nodes.bonded_micro_N.at[STAKERS].add(won_micro - forfeits_micro))
    network = network._replace(
        purse_micro=network.purse_micro - won_micro, treasury_micro=network.treasury_micro + forfeits_micro
    )
    return network, nodes, won_micro, forfeits_micro


def punish_day(world: World, books: Books, sums: _Block) -> tuple[Books, Array]:
    """R8 on one node's stake, as many times as alarms and silences came."""
    law, demand, settling = world.law, world.demand, world.settling
    network, nodes = books.network, books.nodes
    xp = namespace(sums.tasks)
    come = lambda chance: sums.tasks * xp.asarray(chance * TASK_Q32, dtype=xp.int64)
    alarm_q32 = books.alarm_q32 + come(settling.alarms)
    silence_q32 = books.silence_q32 + come((G + D) * demand.silence)
    stake_micro = nodes.bonded_micro_N[STAKERS]
    one = nodes._replace(bonded_micro_N=nodes.bonded_micro_N // demand.nodes)
    taken_micro, burned_micro = stake_micro * 0, stake_micro * 0
    for events_q32, fraction in ((alarm_q32, law.cusum_slash_q16), (silence_q32, law.non_reveal_slash_q16)):
        fraction_q16_N = xp.stack([fraction * 0, fraction])
        after, _, taken_micro_N = slash(law, network, one, fraction_q16_N)
        events = events_q32 // TASK_Q32
        taken_micro = taken_micro + events * taken_micro_N[STAKERS]
        burned_micro = burned_micro + events * (after.burned_micro - network.burned_micro)
    nodes = nodes._replace(bonded_micro_N=nodes.bonded_micro_N.at[STAKERS].add(-taken_micro))
    network = network._replace(
        burned_micro=network.burned_micro + burned_micro,
        treasury_micro=network.treasury_micro + taken_micro - burned_micro,
    )
    carried = {"alarm_q32": alarm_q32 % TASK_Q32, "silence_q32": silence_q32 % TASK_Q32}
    return books._replace(network=network, nodes=nodes, **carried), taken_micro


def restake(nodes: Nodes, staked: Array) -> Nodes:
    """People stake that share of all they hold; stakers spend the rest, which is how those who ask get tokens."""
    xp = namespace(nodes.liquid_micro_N)
    all_micro = xp.sum(nodes.liquid_micro_N + nodes.bonded_micro_N, dtype=xp.int64)
    bonded_micro = scale(all_micro, staked)
    return nodes._replace(
        liquid_micro_N=xp.stack([all_micro - bonded_micro, bonded_micro * 0]),
        bonded_micro_N=xp.stack([bonded_micro * 0, bonded_micro]),
    )


def scale(amount_micro: Array, share: Array) -> Array:
    """The amount times a share (float, rounded to Q20), floored; amounts below 2^50 lose nothing on the way."""
    xp = namespace(amount_micro)
    share_q20 = xp.asarray(share * Q20 + 0.5, dtype=xp.int64)
    return (amount_micro >> 20) * share_q20 + (((amount_micro & (Q20 - 1)) * share_q20) >> 20)


@cache
def compiled(blocks_a_day: int, days: int) -> Callable[..., Any]:
    """`play_day` for so many days on a batch of worlds, jitted once a size."""
    import jax

    def run(world: World, books: Books) -> tuple[Books, Day]:
        step = lambda one, day: play_day(world, blocks_a_day, one, day)
        return jax.lax.scan(step, books, jax.numpy.arange(days, dtype=jax.numpy.float64))

    return jax.jit(jax.vmap(run), compiler_options=COMPILER_OPTIONS)
