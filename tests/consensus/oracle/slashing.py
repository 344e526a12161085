"""R8: what a node can lose, and who gets it."""

from tests.consensus.oracle.arithmetic import FOREVER, ONE, mul_q16


def slash_node(world: dict, i: int, fraction_q16: int, finder: int = -1) -> int:
    """Take a fraction of bonded + unbonding from node i and return how much; locked wagers stay whole.

    From free bonded stake first, then from what is unbonding. Half is burned, the finder gets at most 1/512, the
    treasury the rest.
    """
    params, network, node = world["params"], world["network"], world["nodes"][i]
    free = node["bonded_micro"] - node["locked_micro"]
    amount = min(mul_q16(node["bonded_micro"] + node["unbonding_micro"], fraction_q16), free + node["unbonding_micro"])
    from_bonded = min(amount, free)
    node["bonded_micro"] -= from_bonded
    node["unbonding_micro"] -= amount - from_bonded
    burned = mul_q16(amount, params["slash_burn_q16"])
    fee = amount // params["finder_divisor"] if finder >= 0 else 0
    network["burned_micro"] += burned
    network["treasury_micro"] += amount - burned - fee
    if finder >= 0:
        world["nodes"][finder]["liquid_micro"] += fee
    return amount


def slash(world: dict, fraction_q16_N: list[int], finder: int = -1) -> list[int]:
    """`slash_node` for every node with its own fraction."""
    return [slash_node(world, i, fraction, finder) for i, fraction in enumerate(fraction_q16_N)]


def slash_equivocation(world: dict, offender: int, finder: int = -1) -> list[int]:
    """Two signatures where one is allowed: 5 % and out for good."""
    slashed = [0] * len(world["nodes"])
    slashed[offender] = slash_node(world, offender, world["params"]["equivocation_slash_q16"], finder)
    world["nodes"][offender]["jailed_until"] = FOREVER
    return slashed


def equivocation_penalty(world: dict, equivocator_N: list[int]) -> list[int]:
    """After the epoch: equivocators lose a further min(1, 3 * equivocating stake / total)."""
    stakes = [node["bonded_micro"] + node["unbonding_micro"] for node in world["nodes"]]
    guilty = sum(stake for stake, flag in zip(stakes, equivocator_N, strict=True) if flag)
    tripled = world["params"]["equivocation_multiplier"] * guilty
    # The law's one quotient that leaves 62 bits when written down directly; how to compute it is the rules' affair.
    fraction = min(ONE, int(tripled) * ONE // max(1, sum(stakes)))
    return slash(world, [fraction if flag else 0 for flag in equivocator_N])
