"""Numbers that others published, or that follow from the law on paper, come out of the rules.

The rows of the law's table that concern its rules: jury theorems for the tally (R4), EIP-1559 (R1), the wager's best
report (R7), and what a sentence of the law promises in figures.
"""

import random
from itertools import product
from math import comb, exp, lgamma, log, prod
from typing import Any

import numpy as np
import pytest

from consensus.rules.accept import move_integral
from consensus.rules.emission import draw_emission
from consensus.rules.fee import compute_base_fee
from consensus.state import Network, Nodes, Outcome, Params, Payments
from tests.consensus import bridge
from tests.consensus.histories import make_world
from tests.consensus.strategies import LAW, ONE, SUPPLY_CAP
from tests.consensus.twin import STEPS, call_rule, rule_arguments

WAGER = 10**9
TWO_WAY = 1  # the task class whose kappa is 0
BELIEFS = (0.2, 0.45, 0.7, 0.76, 0.95)


def make_round(answers: list[int], confidences: list[float], verdicts: list[float], wager: int) -> dict[str, Any]:
    """Generators 0.. answer; the nodes after them judge candidate 0, and found evidence on no other."""
    seats_G, seats_D = len(answers), len(verdicts)
    return {
        "task_class": TWO_WAY,
        "fee_micro": 0,
        "tip_micro": 0,
        "emission_micro": 0,
        "flat_fee_micro": [0, 0],
        "wager_micro": [wager, wager],
        "generator": list(range(seats_G)),
        "discriminator": [seats_G + d for d in range(seats_D)],
        "answer": answers,
        "confidence_q16": [round(c * ONE) for c in confidences],
        "revealed": [1] * seats_D,
        "verdict_q16": [[round(q * ONE)] + [0] * (seats_G - 1) for q in verdicts],
        "evidence": [[1] + [0] * (seats_G - 1) for _ in range(seats_D)],
    }


def make_state(
    nodes: int, wager: int = 0, seats: tuple[int, int] = (0, 0), beta: int = ONE
) -> tuple[Params, Network, Nodes]:
    """Nodes with full voices that backed `wager` each, and a purse that backed the house's."""
    changes = {"rho_q16": [[0, 0]] * 3, "cusum_limit_q16": 4 * ONE}
    world = make_world(random.Random(0), nodes + 1, changes)
    for row in world["nodes"]:
        row |= {"bonded_micro": 10**13, "locked_micro": wager, "beta_q16": [beta] * 2}
    reserved = sum((n * wager + 1) // 2 for n in seats)
    world["network"] |= {"purse_micro": 10**13, "purse_reserved_micro": reserved}
    network, state = bridge.world_to_state(world)
    return bridge.from_dict(Params, world["params"]), network, state


def best_candidate(answers: list[int], confidences: list[float]) -> int:
    """Which candidate the tally puts first when nobody judges."""
    draws = {"candidate_draw_16": [0] * 16, "audit_draw_16": [0] * 16}
    plain = {"round": make_round(answers, confidences, [0.45], 0), **draws, "proposer": -1, "payer": 0, "is_canary": 0}
    outcome = call_rule(STEPS["settle_task"], *make_state(len(answers) + 1), rule_arguments(plain))[2]
    assert isinstance(outcome, Outcome)
    return int(np.argmax(outcome.score_q12_C))


def probability_that_the_majority_is_right(pmf: list[float]) -> float:
    """Sum of pmf[k] over the k for which the tally prefers the candidate (0) of the k voters who are right."""
    n = len(pmf) - 1
    return sum(pmf[k] for k in range(n + 1) if best_candidate([0] * k + [1] * (n - k), [0.7] * n) == 0)


@pytest.mark.parametrize(("p", "n", "expected"), [(0.6, 21, 0.825622), (0.7, 11, 0.921775), (0.55, 101, 0.843755)])
def test_condorcets_jury(p: float, n: int, expected: float) -> None:
    pmf = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    assert probability_that_the_majority_is_right(pmf) == pytest.approx(expected, abs=1e-6)


def test_a_correlated_jury() -> None:
    p, rho, n = 0.6, 0.1, 21
    a, b = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho
    beta = lambda x, y: lgamma(x) + lgamma(y) - lgamma(x + y)
    pmf = [comb(n, k) * exp(beta(k + a, n - k + b) - beta(a, b)) for k in range(n + 1)]
    assert probability_that_the_majority_is_right(pmf) == pytest.approx(0.70418, abs=1e-4)


@pytest.mark.parametrize(("told", "expected"), [((0.9, 0.8, 0.6, 0.6, 0.6), 0.90576), ((0.7,) * 5, 0.84672)])
def test_nitzan_and_paroushs_log_odds_vote(told: tuple[float, ...], expected: float) -> None:
    skills = (0.9, 0.8, 0.6, 0.6, 0.6)
    right = 0.0
    for is_right in product([True, False], repeat=5):
        chance = prod(p if hit else 1 - p for p, hit in zip(skills, is_right, strict=True))
        answers = [0 if hit else 1 for hit in is_right]
        right += chance * (best_candidate(answers, list(told)) == 0)
    assert right == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("used", "expected"), [(30, 1_125_000_000), (0, 875_000_000), (15, 1_000_000_000)])
def test_eip_1559(used: int, expected: int) -> None:
    million = 10**6
    params = bridge.from_dict(Params, {**LAW, "target_tasks": 15 * million})
    assert int(compute_base_fee(params, np.asarray(10**9), np.asarray(used * million))) == expected


def audit(round: dict[str, Any], state: tuple[Params, Network, Nodes], is_true: int) -> tuple:
    """Network, nodes and payments after the truth about candidate 0 is known."""
    names = [bridge.plain_name(name) for name in Outcome._fields]
    outcome = {**dict.fromkeys(names, 0), "accepted": -1}
    truth = [is_true] + [0] * (len(round["generator"]) - 1)
    plain = {"round": round, "outcome": outcome, "truth_C": truth, "is_random": 0}
    return call_rule(STEPS["settle_audit"], *state, rule_arguments(plain))


def expected_win(report: float, belief: float, role: int) -> float:
    """What node 0 (or the first discriminator) expects to win by this report, its peers at .9."""
    state = make_state(6, WAGER, (3, 3))
    confidences = [report if role == 0 else 0.9, 0.9, 0.9]
    verdicts = [report if role == 1 else 0.9, 0.9, 0.9]
    total = 0.0
    for happens in (0, 1):
        is_true = happens if role == 0 else 1 - happens
        payments = audit(make_round([0, 0, 0], confidences, verdicts, WAGER), state, is_true)[-1]
        assert isinstance(payments, Payments)
        total += (belief if happens else 1 - belief) * int(payments.wager_micro_N[3 * role])
    return total


@pytest.mark.parametrize("role", [0, 1])
@pytest.mark.parametrize("belief", BELIEFS)
def test_the_best_report_is_the_belief(belief: float, role: int) -> None:
    near = [belief + step * 0.0005 for step in range(-8, 9)]
    far = [i / 32 for i in range(33)]
    win = {report: expected_win(report, belief, role) for report in (*near, *far)}
    # S is floored to 1/65,536, so reports this near the best are equally good.
    best = [report for report in win if win[report] >= max(win.values()) - WAGER / ONE]
    assert sum(best) / len(best) == pytest.approx(belief, abs=2e-3)


def test_a_false_flag_costs_what_three_correct_flags_earn() -> None:
    win = lambda report, is_false: expected_win(report, float(is_false), 1)
    earned, lost = win(1.0, 1) - win(0.5, 1), win(0.5, 0) - win(1.0, 0)
    assert lost == pytest.approx(3 * earned, rel=1e-3)
    assert earned > 0


def test_who_exaggerates_loses_his_voice_within_200_audits() -> None:
    params, network, nodes = make_state(3, beta=ONE // 2)
    for turn in range(200):
        round = make_round([0, 1], [0.99, 0.6], [0.5], 0)
        round["answer"] = [0, 0]
        network, nodes = audit(round, (params, network, nodes), int(turn % 10 == 0))[:2]
    assert int(nodes.beta_q16_NR[0, 0]) < ONE // 50


def test_the_integral_rests_where_errors_are_epsilon() -> None:
    params = bridge.from_dict(Params, LAW)
    network = make_state(1)[1]
    up = int(move_integral(params, network, np.asarray(1)).integral_q12)
    down = -int(move_integral(params, network, np.asarray(0)).integral_q12)
    assert down / (up + down) == pytest.approx(0.02, abs=0.005)


def test_emission_halves_the_reserve_in_ln2_over_rate_tasks() -> None:
    rate, tasks = 4095, 2_000
    params = bridge.from_dict(Params, {**LAW, "emission_rate_q32": rate})
    network: Network = make_state(1)[1]._replace(reserve_micro=np.asarray(SUPPLY_CAP))
    for _ in range(tasks):
        network, _ = draw_emission(params, network)
    half_life = tasks * log(2) / log(SUPPLY_CAP / int(network.reserve_micro))
    assert half_life == pytest.approx(log(2) / (rate / 2**32), rel=1e-3)


def test_bad_is_remembered_twice_as_long_as_good() -> None:
    halved = {}
    for name, is_true in (("good_q8_NR", 0), ("bad_q8_NR", 1)):
        params, network, nodes = make_state(3)
        nodes = nodes._replace(**{name: np.full_like(nodes.good_q8_NR, 16_000)})
        count = 0
        while getattr(nodes, name)[0, 0] > 8_000:
            round = make_round([0, 0], [0.6, 0.6], [0.5], 0)
            network, nodes = audit(round, (params, network, nodes), is_true)[:2]
            count += 1
        halved[name] = count
    assert halved["bad_q8_NR"] == pytest.approx(2 * halved["good_q8_NR"], rel=0.05)
