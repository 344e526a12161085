"""R4 to R8 at a task's last deadline: decide, pay or refund, slash who hid, free the wagers of the unaudited."""

from tests.consensus.oracle.arithmetic import DISCRIMINATOR, GENERATOR, ONE, draw_below
from tests.consensus.oracle.seats import compute_reserve, split_pot
from tests.consensus.oracle.slashing import slash_node
from tests.consensus.oracle.tally import compute_tally, revealed_generator_seats


def no_payments(world: dict) -> dict:
    """Payments of nothing to anybody."""
    return {name: [0] * len(world["nodes"]) for name in ("fee_micro", "wager_micro", "forfeit_micro", "slash_micro")}


def seats_of(round: dict) -> list[tuple[int, int, int, bool]]:
    """Every seat somebody sits on: (node, role, seat index, revealed)."""
    seats = []
    for g, node in enumerate(round["generator"]):
        if node >= 0:
            seats.append((node, GENERATOR, g, round["answer"][g] >= 0))
    for d, node in enumerate(round["discriminator"]):
        if node >= 0:
            seats.append((node, DISCRIMINATOR, d, bool(round["revealed"][d])))
    return seats


def free_reserve(world: dict, round: dict, role: int) -> None:
    """The house's reserve for one role's wagers is free again."""
    drawn = len([seat for seat in seats_of(round) if seat[1] == role])
    world["network"]["purse_reserved_micro"] -= compute_reserve(drawn, round["wager_micro"][role])


def unlock_wagers(world: dict, round: dict) -> None:
    """R6: no audit, or one whose truth never came: every wager goes back as it was."""
    for node, role, _, _ in seats_of(round):
        world["nodes"][node]["locked_micro"] -= round["wager_micro"][role]
    free_reserve(world, round, GENERATOR)
    free_reserve(world, round, DISCRIMINATOR)


def _pay(world: dict, round: dict, accepted: int, proposer: int, payments: dict) -> None:
    """R7: the pot of an accepted task; what the fees leave goes to the treasury."""
    network, nodes = world["network"], world["nodes"]
    pot = round["tip_micro"] + round["emission_micro"]
    _, _, purse, to_proposer, _ = split_pot(world["params"], pot)
    left = pot
    for node, role, seat, revealed in seats_of(round):
        fee = round["flat_fee_micro"][role]
        if role == GENERATOR and round["answer"][seat] == accepted:
            nodes[node]["escrow_micro"] += fee
        elif role == DISCRIMINATOR and revealed:
            nodes[node]["bonded_micro"] += fee
        else:
            continue
        payments["fee_micro"][node] += fee
        left -= fee
    network["purse_micro"] += purse
    left -= purse
    if proposer >= 0:
        nodes[proposer]["liquid_micro"] += to_proposer
        left -= to_proposer
    network["treasury_micro"] += left


def settle_task(
    world: dict,
    round: dict,
    payer: int,
    candidate_draw_16: list[int],
    audit_draw_16: list[int],
    proposer: int,
    is_canary: int,
) -> tuple[dict, dict]:
    """Decide and pay one task; returns (outcome, payments)."""
    params, network, nodes = world["params"], world["network"], world["nodes"]
    payments = no_payments(world)
    outcome = compute_tally(world, round)
    revealed = revealed_generator_seats(round)
    outcome["drawn"] = round["answer"][revealed[draw_below(candidate_draw_16, len(revealed))]] if revealed else -1
    picked = draw_below(audit_draw_16, ONE) < params["random_audit_rate_q16"]
    outcome["is_random_audit"] = int(picked and not is_canary)

    network["task_escrow_micro"] -= round["tip_micro"] + round["emission_micro"]
    if outcome["accepted"] >= 0:
        _pay(world, round, outcome["accepted"], proposer, payments)
    else:
        nodes[payer]["liquid_micro"] += round["tip_micro"]
        network["reserve_micro"] += round["emission_micro"]

    # Without any answer there was nothing to judge: discriminators owed no verdict.
    hidden = {n for n, role, _, shown in seats_of(round) if not shown and (revealed or role == GENERATOR)}
    for node in sorted(hidden):
        payments["slash_micro"][node] -= slash_node(world, node, params["non_reveal_slash_q16"])
    if not is_canary and not outcome["is_random_audit"]:
        unlock_wagers(world, round)
    return outcome, payments
