"""Rules that the law refuses, written down here alone, to show that the instruments would notice: under each of them an
attack or a misreport pays.

Pay for agreement, answers without commit-reveal, stake counted again in the tally, a pot shared in proportion to
scores, and scores that are slashed, clipped or multiplied on one side. Nothing in `consensus.rules` uses these.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from consensus.rules.accept import compute_difficulty_q16, compute_tau_q12, decide
from consensus.rules.score import score_confidence, score_verdict
from consensus.rules.tally import tally_round
from consensus.simulator.attacks.cast import (
    ATTACKER,
    HONEST,
    HONEST_NODES,
    Case,
    attackers,
    get_tip_pot_micro,
    make_setting,
)
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Reading, Report, Size, exact, mean_and_error, read
from consensus.simulator.attacks.sampling import Sample, draw_samples
from consensus.simulator.views import SURE_NOT_Q16, SURE_Q16
from consensus.state import DISCRIMINATOR, GENERATOR, Nodes, Params, Round
from consensus.units import Q16

COPYCATS = 2
REPORT_Q16 = np.arange(0, Q16 + 1, 64)  # the grid on which the best report is looked for
PEERS, PEER_Q16 = 4, round(0.9 * Q16)
SLASH = 0.5  # of the wager, for a confidence above .8 in a wrong answer
WHALES = (0.2, 0.3, 0.4)


def pay_for_agreement(law: Params, sample: Sample, round: Round) -> np.ndarray:
    """Pots [D]: the role's flat fees, shared by the seats on the more numerous side about the best candidate."""
    best = tally_round(law, sample.network, sample.nodes, round).best
    flags_D = round.verdict_q16_DC[:, best] > Q16 // 2
    most = int(flags_D.sum() * 2 > len(flags_D))
    agrees_D = flags_D == most
    pool = float(round.flat_fee_micro_R[DISCRIMINATOR]) * len(flags_D) / get_tip_pot_micro(law)
    return np.where(agrees_D, pool / max(int(agrees_D.sum()), 1), 0.0)


def count_stake_twice(nodes: Nodes) -> Nodes:
    """The nodes with voices multiplied by their stake against the mean: what chose the seats weighs again."""
    stake_N = nodes.bonded_micro_N
    mean_micro = max(int(stake_N.sum()) // max(int((stake_N > 0).sum()), 1), 1)
    scale_q16_N = ((stake_N >> 12) << 16) // (mean_micro >> 12)
    return nodes._replace(beta_q16_NR=(nodes.beta_q16_NR * scale_q16_N[:, None]) >> 16)


def find_best_report(belief: float, value: Callable[[Any, int], Any]) -> float:
    """The report with the highest expected value, `value(report Q16, outcome)`, for somebody with this belief."""
    expected = belief * value(REPORT_Q16, 1) + (1 - belief) * value(REPORT_Q16, 0)
    return float(REPORT_Q16[int(np.argmax(expected))]) / Q16


def wager(report_q16: Any, is_true: int) -> Any:
    """The law: the result is the score less the peers', who are fixed."""
    return score_confidence(report_q16, np.int64(is_true)) / Q16


def share_pot(report_q16: Any, is_true: int) -> Any:
    """A pot shared in proportion to scores, with four peers at .9."""
    own, peer = wager(report_q16, is_true), wager(np.int64(PEER_Q16), is_true)
    return own / (own + PEERS * peer)


def slash_on_top(report_q16: Any, is_true: int) -> Any:
    """The law's score, and half a wager lost by who was surer than .8 of a wrong answer."""
    return wager(report_q16, is_true) - SLASH * (report_q16 > 0.8 * Q16) * (1 - is_true)


def clip_score(report_q16: Any, is_true: int) -> Any:
    """A quadratic score that cannot fall below one half."""
    return np.maximum(1 - (report_q16 / Q16 - is_true) ** 2, 0.5)


def multiply_false_flags(report_q16: Any, is_false: int) -> Any:
    """The law's score of a verdict without its bracket, but with three times the loss where the candidate was true."""
    plain = score_verdict(report_q16, np.int64(is_false), np.int64(Q16)) / Q16
    best = score_verdict(np.int64(is_false * Q16), np.int64(is_false), np.int64(Q16)) / Q16
    return best - (best - plain) * (1 if is_false else 3)


def cases(size: Size) -> dict[str, Case]:
    """Copycats and followers where commits hide nothing, and where they hide everything."""
    cast = lambda policy, hide: make_setting(size.law, attackers(COPYCATS, "generator", policy), commits_hide=hide)
    settings = {"open copycat": cast("copycat", False), "open follower": cast("follower", False)}
    settings["hidden copycat"] = cast("copycat", True)
    settings["hidden follower"] = cast("follower", True)
    return {name: Case(setting, size.rounds) for name, setting in settings.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Under every refused rule something pays that must not."""
    against = lambda run: (
        per_hundred(run.net(ATTACKER, GENERATOR), run, COPYCATS)
        - per_hundred(run.net(HONEST, GENERATOR), run, HONEST_NODES)
    )
    gain = lambda run: per_hundred(run.net(ATTACKER, GENERATOR), run, COPYCATS)
    names = ("open copycat", "hidden copycat", "open follower", "hidden follower")
    copycat, hidden, follower, alone = (played[name] for name in names)
    agreement = [measure_agreement(size.law, seed) for seed in range(8 if size.is_study else 2)]
    readings = [
        read("no commit-reveal: a copycat gains by it, pots in 100 tasks", gain(copycat) - gain(hidden), ">", 0.0),
        read("no commit-reveal: a copycat, without work, against honest nodes", against(copycat), ">=", 0.0),
        read("no commit-reveal: who reads before he answers gains by it", gain(follower) - gain(alone), ">", 0.0),
        read(
            "pay for agreement: generators that all say the same, against honest ones (1 = a paid seat)",
            [1 - g for g in agreement],
            ">",
            0.0,
        ),
        *_report_readings(),
    ]
    twice = {
        share: measure_whale(size.law, share, 4 if size.is_study else 2)
        for share in (WHALES if size.is_study else WHALES[1:2])
    }
    readings.append(
        read(
            "stake twice: more wrong accepts of a trusted whale of .3, share of tasks",
            twice[0.3][1] - twice[0.3][0],
            ">",
            0.0,
        )
    )
    curves = [
        Curve(
            f"wrong accepts of a trusted whale, {name}",
            "share of stake",
            "share of tasks",
            tuple((s, *mean_and_error(pair[i])) for s, pair in twice.items()),
        )
        for i, name in enumerate(("the law", "stake counted twice"))
    ]
    beliefs = tuple(round(0.05 * i, 2) for i in range(1, 20))
    curves += [
        Curve(f"best report, {name}", "belief", "report", tuple((p, find_best_report(p, rule), 0.0) for p in beliefs))
        for name, rule in (
            ("the law", wager),
            ("pot shared by scores", share_pot),
            ("slash on top", slash_on_top),
            ("clipped", clip_score),
        )
    ]
    return Report(tuple(readings), tuple(curves))


def _report_readings() -> list[Reading]:
    off = lambda belief, rule: abs(find_best_report(belief, rule) - belief)
    return [
        exact("the law: belief .70, how far off the best report is (to the grain of Q16)", off(0.7, wager), "<", 0.006),
        exact("pot shared by scores: the same", off(0.7, share_pot), ">", 0.02),
        exact("slash on top: the same at belief .90", off(0.9, slash_on_top), ">", 0.05),
        exact("clipped score: the same at belief .70", off(0.7, clip_score), ">", 0.2),
        exact("false-flag loss times three: the same at belief .30", off(0.3, multiply_false_flags), ">", 0.1),
    ]


def measure_agreement(law: Params, seed: int) -> float:
    """The share of honest generator seats that agree with the most numerous answer."""
    agreeing = []
    for sample in draw_samples(make_setting(law), seed, 6):
        counts_C = np.bincount(sample.round.answer_G[sample.round.answer_G >= 0], minlength=1)
        agreeing.append(counts_C.max() / counts_C.sum())
    return float(np.mean(agreeing))


def measure_whale(law: Params, share: float, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of tasks in which a whale's lie is accepted, by the law and with stake counted twice, run by run.

    The whale has one key a role, an honest past, and lies in the task at hand only.
    """
    whales = [attackers(1, role, "honest", share) for role in ("generator", "discriminator")]
    setting = make_setting(law, *whales)
    is_whale_N = setting.conduct.group_N == ATTACKER
    rates = []
    for seed in range(runs):
        accepted = np.zeros(2)
        tasks = [sample for i, sample in enumerate(draw_samples(setting, seed, 20)) if i >= 80]
        for sample in tasks:
            round, lie = lie_with(sample.round, is_whale_N)
            for i, nodes in enumerate((sample.nodes, count_stake_twice(sample.nodes))):
                tally = tally_round(law, sample.network, nodes, round)
                tau_q12 = compute_tau_q12(law, sample.network, compute_difficulty_q16(tally.seats_on_C))
                taken = decide(tally, tau_q12, len(round.generator_G), len(round.discriminator_D))[0]
                accepted[i] += lie >= 0 and int(taken) == lie
        rates.append(accepted / len(tasks))
    law_rate, twice_rate = np.array(rates).T
    return law_rate, twice_rate


def lie_with(round: Round, is_liar_N: np.ndarray) -> tuple[Round, int]:
    """The round in which these nodes give one lie, approve it and flag the rest; and the lie's number, or -1."""
    is_liar_G, is_liar_D = is_liar_N[round.generator_G], is_liar_N[round.discriminator_D]
    if not is_liar_G.any():
        return round, -1
    taken = set(round.answer_G[~is_liar_G].tolist())
    lie = next(c for c in range(len(round.answer_G)) if c not in taken)
    verdict_C = np.where(np.arange(len(round.answer_G)) == lie, SURE_NOT_Q16, SURE_Q16)
    honest_DC = round.verdict_q16_DC.copy()
    honest_DC[:, lie] = SURE_Q16  # the others see through it
    return (
        round._replace(
            answer_G=np.where(is_liar_G, lie, round.answer_G),
            confidence_q16_G=np.where(is_liar_G, SURE_Q16, round.confidence_q16_G),
            verdict_q16_DC=np.where(is_liar_D[:, None], verdict_C[None, :], honest_DC),
            evidence_DC=np.where(is_liar_D[:, None], 1, round.evidence_DC),
        ),
        lie,
    )


ATTACK = Attack(
    "ablations (must fail)",
    "plays under rules that the law refuses",
    "the attack or the misreport pays",
    judge,
    cases,
)
