"""R1, R11, R2, R7: a task opens. Fees, emission, seats by stake and reputation, wagers locked."""

from tests.consensus.oracle.arithmetic import (
    DISCRIMINATOR,
    GENERATOR,
    ONE,
    TIP_MAX,
    clip,
    draw_below,
    mul_q16,
    telescoping_parts,
)

SHARES = [
    "pot_share_generators",
    "pot_share_discriminators",
    "pot_share_purse",
    "pot_share_proposer",
    "pot_share_treasury",
]


def split_pot(params: dict, pot_micro: int) -> list[int]:
    """R7: generators', discriminators', purse's, proposer's and treasury's part of a pot."""
    return telescoping_parts(pot_micro, [params[name] for name in SHARES])


def compute_reputation_q16(params: dict, node: dict, role: int) -> int:
    """R2: f = clip(good / (good + bad + 1), 1/4, 1)."""
    good, bad = node["good_q8"][role], node["bad_q8"][role]
    return clip(good * ONE // (good + bad + params["reputation_prior_q8"]), params["reputation_floor_q16"], ONE)


def compute_weights(world: dict, role: int, needed_micro: int, excluded: list[int]) -> list[int]:
    """R2: v of every node; `needed_micro` is what all the role's seats would lock."""
    params, height = world["params"], world["network"]["height"]
    weights = []
    for i, node in enumerate(world["nodes"]):
        free = node["bonded_micro"] - node["locked_micro"]
        may_sit = (
            node["role"][role] == 1
            and height >= node["jailed_until"]
            and free >= params["stake_min_micro"]
            and free >= needed_micro
            and i not in excluded
        )
        weights.append(mul_q16(node["bonded_micro"], compute_reputation_q16(params, node, role)) if may_sit else 0)
    return weights


def draw_seat(weights: list[int], draw_16: list[int]) -> int:
    """R2: the node whose slice of the stacked weights holds the draw; -1 if all weights are 0."""
    if sum(weights) == 0:
        return -1
    point = draw_below(draw_16, sum(weights))
    for i, weight in enumerate(weights):
        if point < weight:
            return i
        point -= weight
    raise AssertionError("a draw below the sum falls into some slice")


def compute_reserve(drawn: int, wager_micro: int) -> int:
    """R7: the house's possible loss, n*m/2, rounded up."""
    return (drawn * wager_micro + 1) // 2


def _seat_role(world: dict, role: int, part_micro: int, draws: list[list[int]], excluded: list[int]) -> tuple:
    """Seats of one role, its flat fee a seat and its wager a seat; locks the wagers and the house's reserve."""
    params, network = world["params"], world["network"]
    flat_fee = part_micro // len(draws)
    p_audit = params["canary_rate_q16"] + params["random_audit_rate_q16"]
    wager = params["wager_fees"][role] * flat_fee * ONE // p_audit
    weights = compute_weights(world, role, len(draws) * wager, excluded)
    seats = [draw_seat(weights, draw) for draw in draws]
    drawn = len([seat for seat in seats if seat >= 0])
    free_purse = network["purse_micro"] - network["purse_reserved_micro"]
    if compute_reserve(drawn, wager) > free_purse:
        wager = 2 * free_purse // drawn
    network["purse_reserved_micro"] += compute_reserve(drawn, wager)
    for seat in seats:
        if seat >= 0:
            world["nodes"][seat]["locked_micro"] += wager
    return seats, flat_fee, wager


def can_open(world: dict, payer: int, tip_micro: int) -> bool:
    """R1: the tip is within its bounds, and the payer has it and the base fee."""
    needed = world["network"]["base_fee_micro"] + tip_micro
    return 0 <= tip_micro <= TIP_MAX and world["nodes"][payer]["liquid_micro"] >= needed


def open_task(
    world: dict, payer: int, tip_micro: int, task_class: int, generator_draws_G16: list, discriminator_draws_D16: list
) -> dict:
    """The payer pays base fee (burned) and tip (escrowed), emission is added, seats are drawn. Returns the round."""
    params, network = world["params"], world["network"]
    base_fee = network["base_fee_micro"]
    world["nodes"][payer]["liquid_micro"] -= base_fee + tip_micro
    network["burned_micro"] += base_fee
    emission = network["reserve_micro"] * params["emission_rate_q32"] // 2**32
    network["reserve_micro"] -= emission
    network["task_escrow_micro"] += tip_micro + emission

    parts = split_pot(params, tip_micro + emission)
    generators, generator_fee, generator_wager = _seat_role(world, GENERATOR, parts[0], generator_draws_G16, [])
    discriminators, discriminator_fee, discriminator_wager = _seat_role(
        world, DISCRIMINATOR, parts[1], discriminator_draws_D16, generators
    )
    seats_G, seats_D = len(generators), len(discriminators)
    return {
        "task_class": task_class,
        "fee_micro": base_fee + tip_micro,
        "tip_micro": tip_micro,
        "emission_micro": emission,
        "flat_fee_micro": [generator_fee, discriminator_fee],
        "wager_micro": [generator_wager, discriminator_wager],
        "generator": generators,
        "discriminator": discriminators,
        "answer": [-1] * seats_G,
        "confidence_q16": [0] * seats_G,
        "revealed": [0] * seats_D,
        "verdict_q16": [[0] * seats_G for _ in range(seats_D)],
        "evidence": [[0] * seats_G for _ in range(seats_D)],
    }
