"""Exactly at each threshold of the law, and one unit beside it, where random worlds hardly ever land.

Each case says what the law says; the rules and the oracle are compared on the way (`Twin`).
"""

import random
from typing import Any

import numpy as np
import pytest

from consensus.rules.fee import can_open
from consensus.rules.stake import can_unbond
from tests.consensus import bridge, oracle
from tests.consensus.histories import make_world
from tests.consensus.oracle.arithmetic import logit_q12
from tests.consensus.strategies import LAW, ONE
from tests.consensus.twin import Twin, assert_sound

TWO_WAY = 1  # the task class whose kappa is 0
NOBODY = -1
B = LAW["base_rate_start_q16"]
ACCEPTED, QUORUM, ONE_NODE, NO_SUPPORT, BELOW = 0, 2, 3, 4, 5


def make_twin(**changes: Any) -> Twin:
    """Eight equal nodes (0 to 3 sit as generators, 4 to 7 as discriminators) that every wager fits, no correlation."""
    world = make_world(random.Random(0), 9, {"rho_q16": [[0, 0]] * 3, **changes})
    for row in world["nodes"][:8]:
        world["network"]["reserve_micro"] += row["bonded_micro"] - 10**12
        row |= {"bonded_micro": 10**12, "beta_q16": [ONE] * 2, "good_q8": [0, 0], "bad_q8": [0, 0]}
    return Twin(world)


def open_round(twin: Twin, generators: list[int], discriminators: list[int]) -> dict[str, Any]:
    """A task whose seats are these nodes, by draws that land in their slices of the stacked weights."""
    weights = [10**12 * LAW["reputation_floor_q16"] // ONE] * 8
    points = [sum(weights[:i]) for i in generators]
    judges = [sum(w for j, w in enumerate(weights[:i]) if j not in generators) for i in discriminators]
    opened = twin.step(
        "open_task",
        payer=8,
        tip_micro=10**6,
        task_class=TWO_WAY,
        generator_draws_G16=[list(point.to_bytes(16, "big")) for point in points],
        discriminator_draws_D16=[list(point.to_bytes(16, "big")) for point in judges],
    )
    assert (opened["generator"], opened["discriminator"]) == (generators, discriminators)
    return opened


def settle(twin: Twin, round: dict[str, Any], is_canary: int = 0, audit_draw: int = ONE - 1) -> dict[str, Any]:
    """The outcome of a round; `audit_draw` is the draw modulo 65,536."""
    outcome, _ = twin.step(
        "settle_task",
        round=round,
        payer=8,
        candidate_draw_16=[0] * 16,
        audit_draw_16=[255] * 14 + [audit_draw >> 8, audit_draw & 255],
        proposer=NOBODY,
        is_canary=is_canary,
    )
    assert_sound(twin.world)
    return outcome


def reveal(
    round: dict[str, Any], answers: list[int], confidences: list[int], verdicts: list[list[int] | None]
) -> dict[str, Any]:
    """What the seats say; None is a hidden verdict, and a verdict equal to the base rate says nothing."""
    seats_G = len(answers)
    rows = [(row or []) + [0] * (seats_G - len(row or [])) for row in verdicts]
    return {
        **round,
        "answer": answers,
        "confidence_q16": confidences,
        "revealed": [int(row is not None) for row in verdicts],
        "verdict_q16": rows,
        "evidence": [[int(row is not None and j < len(row)) for j in range(seats_G)] for row in verdicts],
    }


def decide(answers: list[int], confidences: list[int], verdicts: list[list[int] | None], **changes: Any) -> dict:
    """The outcome of one round of four generators at most, and as many discriminators as verdicts."""
    twin = make_twin(**changes)
    opened = open_round(twin, list(range(len(answers))), [4 + d for d in range(len(verdicts))])
    return settle(twin, reveal(opened, answers, confidences, verdicts))


def test_accepted_at_exactly_the_threshold() -> None:
    case: tuple = ([0, 0, 1], [60000, 60000, 40000], [[1000, 60000]] * 3)
    margin = decide(*case)["margin_q12"]
    assert margin > 0
    assert decide(*case, tau_min_q12=margin, tau_max_q12=margin)["reason"] == ACCEPTED
    assert decide(*case, tau_min_q12=margin + 1, tau_max_q12=margin + 1)["reason"] == BELOW


def test_a_tie_of_supported_answers_abstains() -> None:
    outcome = decide([0, 0, 1, 1], [60000] * 4, [[1000, 1000]] * 4, tau_min_q12=1, tau_max_q12=1)
    assert outcome["score_q12"][0] == outcome["score_q12"][1] > 0
    assert (outcome["margin_q12"], outcome["reason"], outcome["accepted"]) == (0, BELOW, NOBODY)


def test_among_equals_the_lowest_number_is_best() -> None:
    """Candidate 0 has a generator's word, candidate 1 as much evidence from a verdict: 0 is best, and unsupported."""
    word = {logit_q12(c): c for c in range(45000, 55000)}
    evidence = {logit_q12(B) - logit_q12(q): q for q in range(B)}
    both = max(set(word) & set(evidence))
    outcome = decide([0, 1], [word[both], ONE // 2], [[B, evidence[both]], [B, B], [B, B]])
    assert outcome["score_q12"][0] == outcome["score_q12"][1] > 0
    assert outcome["reason"] == NO_SUPPORT


def test_a_rival_below_zero_does_not_help() -> None:
    outcome = decide([0, 0, 1, 1], [60000, 60000, 0, 0], [[1000, 65000]] * 4)
    assert outcome["score_q12"][1] < 0
    assert outcome["margin_q12"] == outcome["score_q12"][0]


@pytest.mark.parametrize(("shown", "reason"), [(2, ACCEPTED), (1, QUORUM)])
def test_two_thirds_of_the_seats_are_enough(shown: int, reason: int) -> None:
    said = [0] * shown + [NOBODY] * (3 - shown)
    case: tuple = ([0, 0, 0], [60000] * 3, [[1000]] * shown + [None] * (3 - shown))
    assert decide(*case)["reason"] == reason
    assert decide(said, [60000] * 3, [[1000]] * 3)["reason"] == reason


def test_one_node_on_every_seat_is_not_enough() -> None:
    twin = make_twin()
    opened = open_round(twin, [2, 2, 2], [4, 5, 6])
    assert settle(twin, reveal(opened, [0] * 3, [60000] * 3, [[1000]] * 3))["reason"] == ONE_NODE


def test_support_must_be_above_zero_before_the_division() -> None:
    sure = [ONE] * 3
    assert decide([0] * 3, sure, [[B]] * 3)["reason"] == NO_SUPPORT
    # One unit of evidence among three: with full correlation it divides away, and it is support all the same.
    one_unit = next(q for q in range(B, 0, -1) if decide([0] * 3, sure, [[q], [B], [B]])["reason"] == ACCEPTED)
    outcome = decide([0] * 3, sure, [[one_unit], [B], [B]], rho_q16=[[0, ONE]] * 3)
    assert outcome["discriminator_evidence_q12"][0][0] == 1
    assert outcome["discriminator_score_q12"][0] == 0
    assert outcome["reason"] == ACCEPTED


@pytest.mark.parametrize(("draw", "picked"), [(1965, 1), (1966, 0)])
def test_the_beacon_picks_draws_below_the_rate(draw: int, picked: int) -> None:
    for is_canary in (0, 1):
        twin = make_twin(random_audit_rate_q16=1966)
        opened = open_round(twin, [0, 1], [4])
        outcome = settle(twin, reveal(opened, [0, 0], [60000] * 2, [[1000]]), is_canary, draw)
        assert outcome["is_random_audit"] == (picked if not is_canary else 0)


def audit(verdict: int, is_false: int, **changes: Any) -> dict[str, Any]:
    """A discriminator's row after its one verdict was audited beside a peer's .9."""
    twin = make_twin(**changes)
    opened = open_round(twin, [0, 1], [4, 5])
    round = reveal(opened, [0, 0], [60000] * 2, [[verdict], [59000]])
    outcome = settle(twin, round, is_canary=1)
    twin.step("settle_audit", round=round, outcome=outcome, truth_C=[1 - is_false, 0], is_random=0)
    assert_sound(twin.world)
    return twin.world["nodes"][4]


def test_a_flag_begins_above_t() -> None:
    at, above = (audit(q, 1)["bonded_micro"] for q in (49152, 49153))
    below = audit(49151, 1)["bonded_micro"]
    assert above - at > 100 * (at - below) > 0


@pytest.mark.parametrize(("verdict", "is_false", "good"), [(32768, 1, 1), (32767, 1, 0), (32768, 0, 0), (32767, 0, 1)])
def test_one_half_counts_as_calling_it_false(verdict: int, is_false: int, good: int) -> None:
    row = audit(verdict, is_false)
    assert (row["good_q8"][1], row["bad_q8"][1]) == ((256, 0) if good else (0, 256))


def test_the_alarm_is_above_the_limit_and_clears_the_sum() -> None:
    sum_q16 = audit(ONE, 0, cusum_limit_q16=4 * ONE)["cusum_q16"][1]
    assert sum_q16 > 0
    calm, alarmed = audit(ONE, 0, cusum_limit_q16=sum_q16), audit(ONE, 0, cusum_limit_q16=sum_q16 - 1)
    assert (calm["cusum_q16"][1], calm["jailed_until"]) == (sum_q16, 0)
    assert (alarmed["cusum_q16"][1], alarmed["jailed_until"]) == (0, 1 + 6)
    assert calm["bonded_micro"] - alarmed["bonded_micro"] == calm["bonded_micro"] * 1311 // ONE


@pytest.mark.parametrize("missing", [0, 1])
def test_free_stake_must_cover_all_seats_wagers(missing: int) -> None:
    wager = open_round(make_twin(), [0, 1], [4])["wager_micro"][0]
    twin = make_twin()
    twin.world["nodes"][0]["locked_micro"] = 10**12 - 2 * wager + missing
    twin = Twin(twin.world)
    draws = {"generator_draws_G16": [[0] * 16] * 2, "discriminator_draws_D16": [[0] * 16]}
    opened = twin.step("open_task", payer=8, tip_micro=10**6, task_class=TWO_WAY, **draws)
    assert opened["generator"] == [missing, missing]


@pytest.mark.parametrize(("until", "sits"), [(1, 0), (2, 1)])
def test_a_jail_ends_at_its_height(until: int, sits: int) -> None:
    twin = make_twin()
    twin.world["nodes"][0]["jailed_until"] = until
    twin = Twin(twin.world)
    draws = {"generator_draws_G16": [[0] * 16], "discriminator_draws_D16": [[0] * 16]}
    assert twin.step("open_task", payer=8, tip_micro=0, task_class=0, **draws)["generator"] == [sits]


def test_an_eternal_jail_outlasts_an_alarm() -> None:
    twin = make_twin(cusum_limit_q16=0, cusum_delta_q16=0)
    opened = open_round(twin, [0, 1], [4, 5])
    round = reveal(opened, [0, 0], [ONE] * 2, [[ONE], [59000]])
    outcome = settle(twin, round, is_canary=1)
    twin.step("slash_equivocation", offender=4, finder=5)
    twin.step("settle_audit", round=round, outcome=outcome, truth_C=[1, 0], is_random=0)
    assert twin.world["nodes"][4]["jailed_until"] == 1 << 62


def test_unbonding_is_released_at_its_height() -> None:
    twin = make_twin(unbonding_blocks=2)
    twin.step("unbond", node=0, amount_micro=5)
    left = []
    for _ in range(4):
        twin.step("end_block", tasks_opened=0)
        left.append(twin.world["nodes"][0]["unbonding_micro"])
    assert left == [5, 5, 0, 0]


@pytest.mark.parametrize(
    ("liquid", "tip", "may"),
    [(10**13, 2**36, True), (10**13, 2**36 + 1, False), (10**13, -1, False), (10**6, 0, True), (10**6, 1, False)],
)
def test_who_may_open_a_task(liquid: int, tip: int, may: bool) -> None:
    twin = make_twin()
    twin.world["nodes"][8]["liquid_micro"] = liquid  # the base fee is 10^6
    network, nodes = bridge.world_to_state(twin.world)
    assert bool(can_open(network, nodes, np.asarray(8), np.asarray(tip))) is may
    assert oracle.can_open(twin.world, 8, tip) is may


def test_the_churn_limit_counts_what_left_in_this_block() -> None:
    twin = make_twin(exit_churn_q16=ONE // 16)
    most = 8 * 10**12 // 16
    ask = lambda amount: bool(can_unbond(twin.params, twin.network, twin.nodes, np.asarray(1), np.asarray(amount)))
    assert [ask(most), ask(most + 1)] == [True, False]
    twin.step("unbond", node=0, amount_micro=most // 2)
    assert [ask(most - most // 2), ask(most - most // 2 + 1)] == [True, False]
    assert oracle.can_unbond(twin.world, 1, most - most // 2)
    twin.step("end_block", tasks_opened=0)
    assert ask(most // 2 + 1)


def test_silent_discriminators_owe_nothing_when_nobody_answered() -> None:
    twin = make_twin()
    opened = open_round(twin, [0, 1], [4, 5])
    round = reveal(opened, [NOBODY] * 2, [0, 0], [[B], None])
    outcome = settle(twin, round, is_canary=1)
    twin.step("settle_audit", round=round, outcome=outcome, truth_C=[0, 0], is_random=0)
    assert [twin.world["nodes"][i]["bonded_micro"] for i in (4, 5)] == [10**12] * 2
    assert all(twin.world["nodes"][i]["bonded_micro"] < 10**12 for i in (0, 1))


@pytest.mark.parametrize(("base", "tasks", "expected"), [(1, 2, 2), (0, 2, 1), (1, 0, 1), (8, 0, 7), (8, 1, 8)])
def test_a_small_base_fee_still_rises(base: int, tasks: int, expected: int) -> None:
    twin = make_twin(target_tasks=1)
    twin.world["network"]["base_fee_micro"] = base
    twin = Twin(twin.world)
    twin.step("end_block", tasks_opened=tasks)
    assert twin.world["network"]["base_fee_micro"] == expected
