"""R1, R6, R7, R10, R12: escrow and challenges, bonding and unbonding, the end of a block, finality."""

from tests.consensus.oracle.arithmetic import ONE, SUPPLY_CAP, mul_q16


def release_escrow(world: dict, amounts_micro_N: list[int]) -> None:
    """R7: W blocks have passed: generator fees are the nodes' own."""
    for node, amount in zip(world["nodes"], amounts_micro_N, strict=True):
        node["escrow_micro"] -= amount
        node["liquid_micro"] += amount


def _burn(world: dict, lost_micro: int) -> int:
    """R6: at least 20 % of what the loser of a challenge pays is burned: rounded up. Returns what is left."""
    kept = mul_q16(lost_micro, ONE - world["params"]["challenge_burn_q16"])
    world["network"]["burned_micro"] += lost_micro - kept
    return kept


def compute_challenge_bond(world: dict, fee_micro: int) -> int:
    """R6: twice the task's fee."""
    return world["params"]["challenge_bond_fees"] * fee_micro


def open_challenge(world: dict, challenger: int, bond_micro: int) -> None:
    """R6: the challenger puts up a bond."""
    world["nodes"][challenger]["liquid_micro"] -= bond_micro
    world["network"]["challenge_bonds_micro"] += bond_micro


def overturn(world: dict, amounts_micro_N: list[int], challenger: int = -1, bond_micro: int = 0) -> None:
    """R6: an accepted answer was false: its fees go to the challenger (a fifth burned), or to the treasury."""
    network = world["network"]
    for node, amount in zip(world["nodes"], amounts_micro_N, strict=True):
        node["escrow_micro"] -= amount
    total = sum(amounts_micro_N)
    if challenger < 0:
        network["treasury_micro"] += total
        return
    network["challenge_bonds_micro"] -= bond_micro
    world["nodes"][challenger]["liquid_micro"] += _burn(world, total) + bond_micro


def uphold(world: dict, amounts_micro_N: list[int], challenger: int, bond_micro: int) -> None:
    """R6: the challenge failed: its bond goes to those whose fees it held up (a fifth burned), by 1,024ths."""
    network = world["network"]
    network["challenge_bonds_micro"] -= bond_micro
    rest = left = _burn(world, bond_micro)
    for node, amount in zip(world["nodes"], amounts_micro_N, strict=True):
        if amount > 0:
            part = rest * (amount * 1024 // sum(amounts_micro_N)) // 1024
            node["liquid_micro"] += part
            left -= part
    network["treasury_micro"] += left


def bond(world: dict, node: int, amount_micro: int) -> None:
    """R10: liquid becomes stake."""
    world["nodes"][node]["liquid_micro"] -= amount_micro
    world["nodes"][node]["bonded_micro"] += amount_micro


def unbond(world: dict, node: int, amount_micro: int) -> None:
    """R10: stake begins to leave; the clock starts again for everything that is leaving."""
    row = world["nodes"][node]
    row["bonded_micro"] -= amount_micro
    row["unbonding_micro"] += amount_micro
    row["unbonding_release"] = world["network"]["height"] + world["params"]["unbonding_blocks"]
    world["network"]["exiting_micro"] += amount_micro


def can_unbond(world: dict, node: int, amount_micro: int) -> bool:
    """R10: only free stake leaves, and no more of all stake in one block than the churn allows."""
    row, exiting = world["nodes"][node], world["network"]["exiting_micro"]
    staked = sum(other["bonded_micro"] for other in world["nodes"]) + exiting
    is_free = 0 < amount_micro <= row["bonded_micro"] - row["locked_micro"]
    return is_free and exiting + amount_micro <= mul_q16(staked, world["params"]["exit_churn_q16"])


def transfer(world: dict, sender: int, receiver: int, amount_micro: int) -> None:
    """Liquid tokens change hands."""
    world["nodes"][sender]["liquid_micro"] -= amount_micro
    world["nodes"][receiver]["liquid_micro"] += amount_micro


def compute_next_base_fee(params: dict, base_fee_micro: int, tasks_opened: int) -> int:
    """R1: the EIP-1559 integer rule; more than twice the target counts as twice, the supply is the ceiling."""
    target, denominator = params["target_tasks"], params["base_fee_denominator"]
    used = min(tasks_opened, 2 * target)
    if used == target:
        return base_fee_micro
    if used > target:
        risen = base_fee_micro + max(base_fee_micro * (used - target) // target // denominator, 1)
        return min(risen, SUPPLY_CAP)
    return base_fee_micro - base_fee_micro * (target - used) // target // denominator


def end_block(world: dict, tasks_opened: int) -> None:
    """R1 and R10: the base fee moves, due stake leaves, the height grows by one."""
    params, network = world["params"], world["network"]
    network["base_fee_micro"] = compute_next_base_fee(params, network["base_fee_micro"], tasks_opened)
    for node in world["nodes"]:
        if node["unbonding_micro"] > 0 and node["unbonding_release"] <= network["height"]:
            node["liquid_micro"] += node["unbonding_micro"]
            node["unbonding_micro"] = 0
    network["exiting_micro"] = 0
    network["height"] += 1


def is_final(signed_micro: int, total_micro: int) -> bool:
    """R12: strictly more than two thirds signed."""
    return 3 * signed_micro > 2 * total_micro
