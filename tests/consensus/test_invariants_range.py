"""I10: at the largest legal parameters and the whole supply in play, no integer leaves 62 bits.

Oracle and rules run on integers that remember the largest value any operation gave (`tests.consensus.watched`): the
oracle writes each product as the law does, the rules as int64 needs it. That both agree there is tested beside it.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from consensus.limits import check_params
from consensus.state import Params
from tests.consensus import bridge, oracle
from tests.consensus.histories import make_world
from tests.consensus.strategies import LAW, ONE, SUPPLY_CAP, TIP_MAX, largest_wager
from tests.consensus.twin import STEPS, Twin, assert_sound, call_rule, rule_arguments
from tests.consensus.watched import Watched, WatchedArray, watch, watch_arrays

SEATS_G, SEATS_D = 5, 15
ASKER = 8  # nodes 0 to 3 generate, 4 to 7 discriminate
# Every leaf at the end of its range that makes numbers large; the wagers' factors follow from the bound on m.
LARGEST = {
    "kappa_q12": [16 * 4096] * 3,
    "rho_q16": [[ONE, ONE]] * 3,
    "evidence_clip_q12": 8 * 4096,
    "emission_rate_q32": 4095,
    "pot_share_generators": 1024,
    "pot_share_discriminators": 1024,
    "pot_share_purse": 1024,
    "pot_share_proposer": 512,
    "pot_share_treasury": 512,
    "beta_rate_shift": 0,
    "integral_shift": 0,
    "base_rate_shift": 0,
    "equivocation_multiplier": 16,
    "target_tasks": 4096,
    "challenge_bond_fees": 1024,
    "difficulty_slope_q12": 16 * 4096,
    "integral_min_q12": -16 * 4096,
    "integral_max_q12": 16 * 4096,
    "stake_min_micro": 1,
    "canary_rate_q16": 1311,
    "random_audit_rate_q16": 0,
}


def largest_params() -> dict[str, Any]:
    """The largest parameters that are still legal: the wagers as high as the bound m < 2^62 / (n * 2^18) lets them."""
    values = {**LAW, **LARGEST}
    fees = []
    for role, seats in enumerate((SEATS_G, SEATS_D)):
        one = largest_wager({**values, "wager_fees": [1, 1]}, role, seats)
        fees.append((2**44 // seats - 1) // one)
    return {**values, "wager_fees": fees}


def largest_world() -> dict[str, Any]:
    """Four nodes of each role that own nearly the whole supply, one rich asker, every counter at its top."""
    world = make_world(random.Random(0), ASKER + 1, largest_params())
    for i, row in enumerate(world["nodes"][:ASKER]):
        row |= {"bonded_micro": SUPPLY_CAP // 10, "liquid_micro": 0, "role": [int(i < 4), int(i >= 4)]}
        row |= {"good_q8": [16384] * 2, "bad_q8": [32768] * 2, "beta_q16": [ONE] * 2, "cusum_q16": [4 * ONE] * 2}
    world["nodes"][ASKER] |= {"liquid_micro": SUPPLY_CAP // 20, "bonded_micro": 0}
    world["network"] |= {"purse_micro": SUPPLY_CAP // 20, "treasury_micro": 0, "base_fee_micro": SUPPLY_CAP // 100}
    held = sum(row["bonded_micro"] + row["liquid_micro"] for row in world["nodes"])
    world["network"]["reserve_micro"] = SUPPLY_CAP - held - world["network"]["purse_micro"]
    return world


def extreme_reveal(round: dict[str, Any], confidence: int, verdict: int, answers: int) -> dict[str, Any]:
    """Every seat reveals the same extreme; `answers` distinct answers."""
    return {
        **round,
        "answer": [node % answers for node in round["generator"]],
        "confidence_q16": [confidence] * SEATS_G,
        "revealed": [1] * SEATS_D,
        "verdict_q16": [[verdict] * SEATS_G for _ in range(SEATS_D)],
        "evidence": [[1] * SEATS_G for _ in range(SEATS_D)],
    }


OPENING = {
    "payer": ASKER,
    "tip_micro": TIP_MAX,
    "task_class": 0,
    "generator_draws_G16": [[255 - 7 * seat] * 16 for seat in range(SEATS_G)],
    "discriminator_draws_D16": [[250 - 11 * seat] * 16 for seat in range(SEATS_D)],
}
EXTREMES = [(c, q, answers, truth) for c in (0, ONE) for q in (0, ONE) for answers in (1, 4) for truth in (0, 1)]


def play(step: Callable[..., Any], confidence: int, verdict: int, answers: int, truth: int) -> None:
    """One task at the extremes and everything that can follow it; `step(name, **arguments)` plays a rule."""
    opened = step("open_task", **OPENING)
    assert min(opened["generator"] + opened["discriminator"]) >= 0, "the largest wagers no longer find seats"
    round = extreme_reveal(opened, confidence, verdict, answers)
    draws = {"candidate_draw_16": [255] * 16, "audit_draw_16": [255] * 16}
    outcome, _ = step("settle_task", round=round, payer=ASKER, proposer=0, is_canary=1, **draws)
    step("settle_audit", round=round, outcome=outcome, truth_C=[truth] * SEATS_G, is_random=1)
    step("slash", fraction_q16_N=[ONE, ONE // 3, *[0] * 7], finder=1)
    step("equivocation_penalty", equivocator_N=[0, 0, 1, 1, 1, *[0] * 4])
    held = [SUPPLY_CAP // 1000] * (ASKER + 1)
    step("open_challenge", challenger=ASKER, bond_micro=SUPPLY_CAP // 1000)
    step("uphold", amounts_micro_N=held, challenger=ASKER, bond_micro=SUPPLY_CAP // 1000)
    for tasks in (0, 10**6):
        step("end_block", tasks_opened=tasks)


@pytest.mark.parametrize("extreme", EXTREMES)
def test_rules_and_oracle_agree_at_the_largest_parameters(extreme: tuple[int, int, int, int]) -> None:
    twin = Twin(largest_world())
    play(twin.step, *extreme)
    assert_sound(twin.world)


@pytest.mark.parametrize("tasks", [0, 4095, 4097, 8192, 10**6])
def test_the_largest_base_fee_moves_within_the_supply(tasks: int) -> None:
    world = largest_world()
    world["network"]["base_fee_micro"] = SUPPLY_CAP
    twin = Twin(world)
    twin.step("end_block", tasks_opened=tasks)
    assert 0 < twin.world["network"]["base_fee_micro"] <= SUPPLY_CAP


def test_no_intermediate_of_the_oracle_leaves_62_bits() -> None:
    Watched.largest = 0
    for extreme in EXTREMES:
        world = watch(largest_world())

        def step(name: str, world: dict[str, Any] = world, **plain: Any) -> Any:
            return getattr(oracle, name)(world, **watch(plain))

        play(step, *extreme)
    assert 2**59 < Watched.largest < 2**62, f"the largest intermediate is 2^{Watched.largest.bit_length()}"


def test_no_intermediate_of_the_rules_leaves_62_bits() -> None:
    WatchedArray.largest = 0
    for extreme in EXTREMES:
        twin = Twin(largest_world())

        def step(name: str, twin: Twin = twin, **plain: Any) -> Any:
            params, network, nodes = (watch_arrays(value) for value in (twin.params, twin.network, twin.nodes))
            call_rule(STEPS[name], params, network, nodes, watch_arrays(rule_arguments(plain)))
            return twin.step(name, **plain)

        play(step, *extreme)
    assert 2**59 < WatchedArray.largest < 2**62, f"the largest intermediate is {WatchedArray.largest:e}"


def test_these_parameters_are_legal_and_larger_ones_are_not() -> None:
    largest = largest_params()
    check_params(bridge.from_dict(Params, largest), SEATS_G, SEATS_D)
    for role in (0, 1):
        fees = list(largest["wager_fees"])
        fees[role] = 2 * fees[role] + 2
        with pytest.raises(ValueError, match="wager"):
            check_params(bridge.from_dict(Params, {**largest, "wager_fees": fees}), SEATS_G, SEATS_D)
