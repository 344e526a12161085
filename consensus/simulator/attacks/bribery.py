"""p + epsilon bribery: a briber makes good what verdict seats lose by approving a lie, and a little more.

Asked of the rules, seat by seat: real rounds of the honest network, as many seats turned as it takes until R5 accepts
the lie, and what the wagers of R7 then cost them on average over what the beacon may audit. Lost voice, reputation and
later seats come on top and are not counted. Under pay for agreement the same bribe costs next to nothing: once the
turned seats prevail, they are the ones who agree (Buterin 2015).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from consensus.rules.accept import compute_difficulty_q16, compute_tau_q12, decide
from consensus.rules.audit import compute_audit_rate_q16
from consensus.rules.tally import tally_round
from consensus.rules.wager import compute_payouts, grade_discriminators
from consensus.simulator.attacks.ablations import pay_for_agreement
from consensus.simulator.attacks.cast import get_tip_pot_micro, make_setting
from consensus.simulator.attacks.report import Attack, Report, Size, mean_and_error, read
from consensus.simulator.attacks.sampling import Sample, draw_samples
from consensus.simulator.views import SURE_NOT_Q16, SURE_Q16
from consensus.state import DISCRIMINATOR, Params, Round
from consensus.units import Q16

WARM, TRIED = 12, 24  # rounds before the first bribe; most tasks that are tried a run
Pay = Callable[[Params, Sample, Round], np.ndarray]  # expected pots of every discriminator seat


class Bribe(NamedTuple):
    """What it takes to have one lie accepted."""

    seats: int  # turned
    budget: float  # pots that these seats lose by it under the law
    budget_agreement: float  # the same if seats were paid for agreeing
    honest_pay: float  # pots that they would have been paid by the law


def judge(size: Size, played: object) -> Report:
    """Budgets over the tasks in which some number of seats can flip the answer."""
    setting = make_setting(size.law)
    bribes: list[Bribe] = []
    tried = 0
    for seed in range(4 if size.is_study else 1):
        for i, sample in enumerate(draw_samples(setting, seed, WARM + TRIED // 8)):
            if i < WARM * 8:
                continue
            tried += 1
            found = find_bribe(size.law, sample)
            bribes += [found] if found else []
    if len(bribes) < 2:
        raise ValueError(f"of {tried} tasks fewer than two could be flipped: play more rounds")
    spread = [bribe.budget - bribe.honest_pay for bribe in bribes]
    readings = (
        read("budget less the audited pay of the turned seats, pots", spread, ">", 0.0),
        read("budget to flip a task, pots", [b.budget for b in bribes], ">", 0.0),
        read(
            "ablation, pay for agreement: the same budget, pots (about 0)",
            [b.budget_agreement for b in bribes],
            "<=",
            0.0,
        ),
    )
    mean = lambda name: mean_and_error([getattr(bribe, name) for bribe in bribes])[0]
    note = (
        f"{len(bribes)} of {tried} tasks can be flipped by turning discriminators alone, on average"
        f" {mean('seats'):.1f} of 15 seats, for {mean('budget') / mean('honest_pay'):.1f} times what they are paid."
    )
    return Report(readings, (), note)


def find_bribe(law: Params, sample: Sample) -> Bribe | None:
    """The fewest seats that make R5 accept the most proposed lie; None if there is no lie or all seats do not do it."""
    round = sample.round
    seats_on_C = (round.answer_G[:, None] == np.arange(len(round.answer_G))[None, :]).sum(axis=0)
    lies_C = np.where(sample.truth_C == 0, seats_on_C, 0)
    if lies_C.max() == 0:
        return None
    lie, seats = int(lies_C.argmax()), len(round.discriminator_D)
    for turned in range(1, seats + 1):
        bribed = turn(round, lie, turned)
        if _accepts(law, sample, bribed) == lie:
            law_pay, agreement_pay = expect_wagers, pay_for_agreement
            honest, lied = law_pay(law, sample, round), law_pay(law, sample, bribed)
            # Under agreement pay the seat compares with disagreeing, alone, once all others are turned.
            alone = agreement_pay(law, sample, turn(round, lie, turned, spare=0))
            return Bribe(
                seats=turned,
                budget=float((honest - lied)[:turned].sum()),
                budget_agreement=float(max(0.0, (alone - agreement_pay(law, sample, bribed))[0]) * turned),
                honest_pay=float(honest[:turned].sum()),
            )
    return None


def turn(round: Round, lie: int, turned: int, spare: int = -1) -> Round:
    """The round with the first seats turned, but for one: sure that the lie is true and everything else false."""
    is_turned_D = (np.arange(len(round.discriminator_D)) < turned) & (np.arange(len(round.discriminator_D)) != spare)
    bought_C = np.where(np.arange(len(round.answer_G)) == lie, SURE_NOT_Q16, SURE_Q16)
    return round._replace(
        verdict_q16_DC=np.where(is_turned_D[:, None], bought_C[None, :], round.verdict_q16_DC),
        evidence_DC=np.where(is_turned_D[:, None], 1, round.evidence_DC),
    )


def expect_wagers(law: Params, sample: Sample, round: Round) -> np.ndarray:
    """Pots [D] that every discriminator seat is paid by R7: its flat fee, and its wager over what may be audited."""
    wager_micro = round.wager_micro_R[DISCRIMINATOR]
    audit = float(compute_audit_rate_q16(law)) / Q16
    answered = round.answer_G[round.answer_G >= 0]
    won_D = np.zeros(len(round.discriminator_D))
    for candidate in answered:  # R6 draws the candidate by seats
        graded = grade_discriminators(law, sample.network, round, candidate, sample.truth_C)
        won_D += (compute_payouts(wager_micro, graded) - wager_micro) / len(answered)
    return (float(round.flat_fee_micro_R[DISCRIMINATOR]) + audit * won_D) / get_tip_pot_micro(law)


def _accepts(law: Params, sample: Sample, round: Round) -> int:
    tally = tally_round(law, sample.network, sample.nodes, round)
    tau_q12 = compute_tau_q12(law, sample.network, compute_difficulty_q16(tally.seats_on_C))
    return int(decide(tally, tau_q12, len(round.generator_G), len(round.discriminator_D))[0])


ATTACK = Attack(
    "p + epsilon bribery",
    "pays verdict seats to approve a lie",
    "budget >= audited pay of the seats it turns; about 0 under pay for agreement",
    judge,
)
