"""Challenge spam, fee floods and threshold pushing: what it costs to delay a round, fill the blocks, or move tau.

Challenges and floods are computed by the rules of R1 and R6 on a small ledger. Pushing is played: generators that each
give an answer of their own raise the disagreement d, and with it tau, until their voices and seats are gone.
"""

import numpy as np

from consensus import presets
from consensus.rules.accept import compute_tau_q12, move_integral
from consensus.rules.challenge import compute_challenge_bond, open_challenge, uphold
from consensus.rules.fee import compute_base_fee
from consensus.rules.supply import compute_supply_micro
from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, exact, mean_and_error, read
from consensus.state import Params
from consensus.units import MICRO, Q12, Q16, SUPPLY_CAP_MICRO

PUSHERS, FEE_MICRO = 4, 2 * MICRO
TESTED = 0.2


def list_shares(size: Size) -> tuple[float, ...]:
    """Of the generators' stake."""
    return (0.1, 0.2, 0.3, 0.4, 0.5, 0.6) if size.is_study else (TESTED,)


def cases(size: Size) -> dict[str, Case]:
    """Generators that never agree with anybody, and the same nodes at honest work."""
    cast = lambda policy, share: make_setting(size.law, attackers(PUSHERS, "generator", policy, share))
    return {
        f"push {policy} {share}": Case(cast(policy, share), size.rounds)
        for policy in ("inflator", "honest")
        for share in list_shares(size)
    }


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Costs of spam, bounds of tau, and what pushing moves and costs."""
    law = size.law
    stranger, author = price_challenge(law)
    moved, lost, pay = {}, {}, {}
    tau = lambda run: run.added("tau_q12_sum") / run.tasks() / Q12
    for share in list_shares(size):
        push, calm = played[f"push inflator {share}"], played[f"push honest {share}"]
        moved[share] = tau(push) - tau(calm)
        lost[share] = 1 - push.coverage() / calm.coverage().mean()
        pay[share] = per_hundred(push.gain(ATTACKER), push)
    readings = (
        exact("a wrong challenge by a stranger costs, in fees F of the task", stranger, ">=", 2.0),
        exact("the same by the sole author of the answer, who gets most of it back", author, ">=", 0.4),
        exact("blocks of a flood until the base fee is tenfold", count_flood_blocks(law, 10), "<", 25),
        exact("most that disagreement adds to tau", most_difficulty(law), "<", 1.0),
        exact("right audits that undo what one wrong acceptance did to tau", count_undoing(law), "<", 100),
        read(f"pushers with {TESTED}: change of tau", moved[TESTED], "<", most_difficulty(law)),
        read(f"pushers with {TESTED}: coverage lost, relative, less their share", lost[TESTED] - TESTED, "<", 0.15),
        read(f"pushers with {TESTED}: profit, pots in 100 tasks", pay[TESTED], "<", 0.0),
    )
    curve = lambda name, y, of: Curve(
        name, "share of the generators' stake", y, tuple((s, *mean_and_error(v)) for s, v in of.items())
    )
    curves = (
        curve("change of tau by generators that never agree", "log-odds", moved),
        curve("coverage lost to them", "relative", lost),
        curve("their profit", "pots in 100 tasks", pay),
    )
    a_unit = -mean_and_error(pay[TESTED])[0] / max(mean_and_error(moved[TESTED])[0], 1e-9)
    flood = sum(float(fee) for fee in list_flood_fees(law, 20)) * 2 * float(law.target_tasks)
    note = (
        f"With {TESTED} of the stake one unit of tau costs {a_unit:.1f} pots in 100 tasks. Keeping 20 blocks full costs"
        f" {flood:,.0f} times the base fee it starts at, burned. A challenge delays one task by at most"
        f" {int(law.challenge_window_blocks)} blocks, and a task can be challenged once."
    )
    return Report(readings, curves, note)


def price_challenge(law: Params) -> tuple[float, float]:
    """What a wrong challenge costs in fees F: a stranger, and the only author of the challenged answer."""
    prices = []
    for author in (1, 0):  # row 0 challenges; row 1 or row 0 wrote the answer
        liquid_N = np.array([1_000 * MICRO] * 2)
        network, nodes = presets.genesis(law, liquid_N, liquid_N * 0, np.ones((2, 2), np.int64), 0, 0, MICRO)
        bond_micro = compute_challenge_bond(law, np.int64(FEE_MICRO))
        network, nodes = open_challenge(network, nodes, 0, bond_micro)
        amounts_N = np.where(np.arange(2) == author, MICRO, 0)
        network, nodes = uphold(law, network, nodes, amounts_N, 0, bond_micro)
        if int(compute_supply_micro(network, nodes)) != SUPPLY_CAP_MICRO:
            raise RuntimeError("a challenge changed the supply")
        prices.append(float(liquid_N[0] - nodes.liquid_micro_N[0]) / FEE_MICRO)
    return prices[0], prices[1]


def list_flood_fees(law: Params, blocks: int) -> list[float]:
    """The base fee of each block of a flood, in units of the first."""
    fee_micro, fees = np.int64(MICRO), []
    for _ in range(blocks):
        fees.append(float(fee_micro) / MICRO)
        fee_micro = compute_base_fee(law, fee_micro, 2 * law.target_tasks)
    return fees


def count_flood_blocks(law: Params, times: float) -> int:
    """Full blocks until the base fee has risen so many times."""
    return next(n for n, fee in enumerate(list_flood_fees(law, 200)) if fee >= times)


def most_difficulty(law: Params) -> float:
    """How much tau rises, in log-odds, from the centre of d to complete disagreement."""
    network, _ = _empty(law)
    tau = lambda d_q16: float(compute_tau_q12(law, network, np.int64(d_q16))) / Q12
    return tau(Q16) - tau(int(law.difficulty_centre_q16))


def count_undoing(law: Params) -> int:
    """Randomly audited right acceptances until I is back where one wrong acceptance found it."""
    network, _ = _empty(law)
    network, count = move_integral(law, network, np.bool_(True)), 0
    while network.integral_q12 > 0:
        network, count = move_integral(law, network, np.bool_(False)), count + 1
    return count


def _empty(law: Params) -> tuple:
    return presets.genesis(law, np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros((1, 2), np.int64), 0, 0, MICRO)


ATTACK = Attack(
    "challenge spam, threshold pushing",
    "challenges right answers, floods blocks, or disagrees to raise tau",
    "costs grow with what is delayed; tau moves within bounds, at a loss",
    judge,
    cases,
)
