"""The tasks of a round open, one after the other: each locks stake that the next cannot have.

Small networks call the law's `open_task` on all nodes. In large ones seats come from a sum tree (tree.py), built once a
round and changed at the seated rows: the same seats at a cost a task that does not grow with N.
"""

from typing import Any, NamedTuple

from consensus.rules import settle
from consensus.rules.emission import draw_emission
from consensus.rules.fee import charge_fee
from consensus.rules.pot import compute_flat_fees
from consensus.rules.seats import compute_seat_weights
from consensus.rules.wager import compute_nominal_wagers, lock_wagers, reserve_wagers
from consensus.simulator import tree
from consensus.simulator.agents import Questions
from consensus.simulator.committee import gather, scatter, take_rows
from consensus.simulator.loops import scan, when
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import ASKER, empty_pending
from consensus.state import DISCRIMINATOR, GENERATOR, Array, Network, Nodes, Params, Round
from consensus.units import as_int64, namespace


class Hall(NamedTuple):
    """Who may sit, for both roles, as trees of weights."""

    generators: tree.SumTree
    discriminators: tree.SumTree
    closest_micro_R: Array  # the most free stake among those who lack only free stake; -1 if there are none


def open_round(
    static: Static, setting: Setting, network: Network, nodes: Nodes, questions: Questions, draws: tuple[Array, Array]
) -> tuple[Network, Nodes, Round, Array]:
    """The network, the nodes, the rounds [T, ...] with nothing revealed, and which places opened [T].

    A place opens if it is wanted and the asker can pay (R1).
    """
    xp = namespace(network.height)
    rows = (questions.is_open_T, *draws, empty_pending(xp, static).round)
    if uses_tree(static):
        hall = build_hall(setting.law, network, nodes, _price(static, setting, network, nodes)[2])
        open_one = lambda carry, row: _open_by_tree(static, setting, carry, row)
        (network, nodes, _), (rounds, is_open_T) = scan(open_one, (network, nodes, hall), rows)
    else:
        open_one = lambda carry, row: _open_dense(setting, carry, row)
        (network, nodes), (rounds, is_open_T) = scan(open_one, (network, nodes), rows)
    return network, nodes, rounds, is_open_T


def uses_tree(static: Static) -> bool:
    """Whether seats come from the tree."""
    if static.sampling == "auto":
        return tree.is_worth_it(static.nodes, static.generator_seats + static.discriminator_seats)
    return static.sampling == "tree"


def build_hall(law: Params, network: Network, nodes: Nodes, needed_micro_R: Array) -> Hall:
    """The trees over all N nodes."""
    xp = namespace(network.height)
    barred_N = xp.zeros_like(nodes.bonded_micro_N) == 1
    weigh = lambda role: compute_seat_weights(law, network, nodes, role, needed_micro_R[role], barred_N)
    closest = [_find_closest(law, network, nodes, role, needed_micro_R[role]) for role in (GENERATOR, DISCRIMINATOR)]
    return Hall(tree.build(weigh(GENERATOR)), tree.build(weigh(DISCRIMINATOR)), xp.stack(closest))


def _open_dense(setting: Setting, carry: tuple[Network, Nodes], row: Any) -> Any:
    """One place: the law's own step on all nodes, or nothing."""
    is_wanted, generator_draws_G16, discriminator_draws_D16, empty = row
    tip_micro = setting.demand.tip_micro
    is_open = (is_wanted == 1) & settle.can_open(*carry, ASKER, tip_micro)
    draws = generator_draws_G16, discriminator_draws_D16
    network, nodes, round = settle.open_task(setting.law, *carry, ASKER, tip_micro, 0, *draws)
    chosen = (_select(is_open, network, carry[0]), _select(is_open, nodes, carry[1]))
    return chosen, (_select(is_open, round, empty), as_int64(is_open))


def _open_by_tree(static: Static, setting: Setting, carry: tuple[Network, Nodes, Hall], row: Any) -> Any:
    """The same steps as the law's `open_task`, rule for rule, on the rows that it touches."""
    law, tip_micro = setting.law, setting.demand.tip_micro
    before, nodes, hall = carry
    is_wanted, generator_draws_G16, discriminator_draws_D16, empty = row
    xp = namespace(before.height)
    is_open = (is_wanted == 1) & settle.can_open(before, nodes, ASKER, tip_micro)
    network, emission_micro, needed_micro_R, flat_fee_micro_R = _price(static, setting, before, nodes)
    # The pot shrinks from task to task and the stake a seat needs with it: now and then somebody may sit who could not.
    is_closer = is_open & xp.any(xp.maximum(needed_micro_R, law.stake_min_micro) <= hall.closest_micro_R)
    hall = when(is_closer, lambda _: build_hall(law, network, nodes, needed_micro_R), hall)

    nominal_micro_R = compute_nominal_wagers(law, flat_fee_micro_R)
    seat_G = tree.draw_seats(hall.generators, generator_draws_G16)
    network, wager_G_micro = reserve_wagers(network, seat_G, nominal_micro_R[GENERATOR])
    others = tree.replace(hall.discriminators, seat_G, xp.zeros_like(seat_G))  # nobody judges its own answer
    seat_D = tree.draw_seats(others, discriminator_draws_D16)
    network, wager_D_micro = reserve_wagers(network, seat_D, nominal_micro_R[DISCRIMINATOR])
    round = empty._replace(
        fee_micro=before.base_fee_micro + tip_micro,
        tip_micro=xp.zeros_like(emission_micro) + tip_micro,
        emission_micro=emission_micro,
        flat_fee_micro_R=flat_fee_micro_R,
        wager_micro_R=xp.stack([wager_G_micro, wager_D_micro]),
        generator_G=seat_G,
        discriminator_D=seat_D,
    )
    committee = gather(nodes, round, ASKER)
    _, rows = charge_fee(before, committee.nodes, ASKER, tip_micro)
    rows = lock_wagers(rows, committee.round.generator_G, wager_G_micro, 1)
    rows = lock_wagers(rows, committee.round.discriminator_D, wager_D_micro, 1)
    index_B = xp.where(is_open, committee.index_B, -1)
    nodes = scatter(nodes, index_B, committee.nodes, rows)
    hall = _seat(law, network, hall, index_B, rows, needed_micro_R)
    network, round = _select(is_open, network, before), _select(is_open, round, empty)
    return (network, nodes, hall), (round, as_int64(is_open))


def _seat(law: Params, network: Network, hall: Hall, index_B: Array, rows: Nodes, needed_micro_R: Array) -> Hall:
    """The hall after these rows have locked stake."""
    xp = namespace(index_B)
    trees, closest = [], []
    for role, weights in ((GENERATOR, hall.generators), (DISCRIMINATOR, hall.discriminators)):
        weight_B = compute_seat_weights(law, network, rows, role, needed_micro_R[role], index_B != index_B)
        trees.append(tree.replace(weights, index_B, weight_B))
        closest.append(_find_closest(law, network, rows, role, needed_micro_R[role]))
    return Hall(trees[0], trees[1], xp.maximum(hall.closest_micro_R, xp.stack(closest)))


def _price(static: Static, setting: Setting, network: Network, nodes: Nodes) -> tuple[Network, Array, Array, Array]:
    """R1, R11, R7: the network after fee and emission, E, the free stake a seat needs [R], and the flat fees [R]."""
    law, tip_micro = setting.law, setting.demand.tip_micro
    xp = namespace(network.height)
    asker = Nodes(*(take_rows(leaf, xp.zeros((1,), xp.int64) + ASKER) for leaf in nodes))
    network, _ = charge_fee(network, asker, ASKER, tip_micro)
    network, emission_micro = draw_emission(law, network)
    seats_R = static.generator_seats, static.discriminator_seats
    flat_fee_micro_R = compute_flat_fees(law, tip_micro + emission_micro, *seats_R)
    nominal_micro_R = compute_nominal_wagers(law, flat_fee_micro_R)
    needed_micro_R = xp.stack([seats * nominal_micro_R[role] for role, seats in enumerate(seats_R)])
    return network, emission_micro, needed_micro_R, flat_fee_micro_R


def _find_closest(law: Params, network: Network, nodes: Nodes, role: int, needed_micro: Array) -> Array:
    """The most free stake among the nodes that lack nothing else; -1 if there is none."""
    xp = namespace(network.height)
    free_N = nodes.bonded_micro_N - nodes.locked_micro_N
    is_able_N = (nodes.role_NR[:, role] == 1) & (network.height >= nodes.jailed_until_N)
    lacks_N = is_able_N & (free_N < xp.maximum(needed_micro, law.stake_min_micro))
    return xp.max(xp.where(lacks_N, free_N, -1))


def _select(condition: Array, then: Any, otherwise: Any) -> Any:
    """One NamedTuple or the other, leaf by leaf; a leaf that is the same in both stays as it is."""
    xp = namespace(condition)
    pick = lambda a, b: a if a is b else xp.where(condition, a, b)
    return type(then)(*(pick(a, b) for a, b in zip(then, otherwise, strict=True)))
