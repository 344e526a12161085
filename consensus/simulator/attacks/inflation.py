"""Confidence inflation: everything is said with .99, by a node that guesses or by one that works.

Pay and beta come from the simulator's networks; how fast a voice fades is asked of the rule itself, audit by audit.
"""

import numpy as np

from consensus import presets
from consensus.rules.tally import tally_round
from consensus.rules.voice import update_voice
from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.simulator.attacks.sampling import draw_samples
from consensus.state import GENERATOR, Params
from consensus.units import Q12, Q16

AUDITS = 200
GUESS, MODEL = 0.04, 0.48  # how often a guess and a model of the demo's network are right


def cases(size: Size) -> dict[str, Case]:
    """Two inflators, or two exaggerators, beside eight honest generators."""
    policies = ("inflator", "exaggerator", "honest")
    cast = lambda policy: make_setting(size.law, attackers(2, "generator", policy))
    return {f"inflation {policy}": Case(cast(policy), size.rounds) for policy in policies}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Pay, vote share, calibration error, and the voice over 200 audits."""
    gain = {p: per_hundred(run.gain(ATTACKER), run, 2) for p, run in ((p, played[f"inflation {p}"]) for p in _POLICIES)}
    shares, misses = sample_votes(size.law, 2 if not size.is_study else 8)
    guessing, working = (follow_voice(size.law, chance, max(size.seeds, 16)) for chance in (GUESS, MODEL))
    readings = (
        read("inflator: gain, pots a node in 100 tasks", gain["inflator"], "<", 0.0),
        read("exaggerator: gain against honest work", gain["exaggerator"] - gain["honest"], "<", 0.0),
        read("inflators (a fifth of the stake): share of the generators' evidence", shares, "<", 0.2),
        read("inflator: stated minus true share of right answers", misses, ">", 0.5),
        read(f"inflator: voice after {AUDITS} audits (1/2 at first)", guessing[:, -1], "<", 0.02),
        read(f"exaggerator: voice after {AUDITS} audits", working[:, -50:].mean(axis=1), "<", 0.25),
    )
    curves = [
        Curve(
            f"voice of {name}",
            "audits",
            "beta",
            tuple((float(a), *mean_and_error(voice[:, a])) for a in range(0, AUDITS, 10)),
        )
        for name, voice in (("an inflator", guessing), ("an exaggerator", working))
    ]
    return Report(readings, tuple(curves))


def follow_voice(law: Params, right: float, seeds: int) -> np.ndarray:
    """beta [seeds, audits] of nodes that state .99 and are right so often, by R4; one row of the ledger a node."""
    nothing_N = np.zeros(seeds, np.int64)
    _, nodes = presets.genesis(law, nothing_N, nothing_N, np.ones((seeds, 2), np.int64), 0, 0, 0)
    x_S = np.zeros(seeds, np.int64) + 3 * Q12
    rng, seat_S, voice = np.random.default_rng(0), np.arange(seeds), []
    for _ in range(AUDITS):
        is_true_S = (rng.random(seeds) < right).astype(np.int64)
        nodes = update_voice(law, nodes, GENERATOR, seat_S, seat_S >= 0, x_S, is_true_S)
        voice.append(nodes.beta_q16_NR[:, GENERATOR] / Q16)
    return np.stack(voice, axis=1)


def sample_votes(law: Params, runs: int) -> tuple[list[float], list[float]]:
    """(share of the generators' evidence that inflators give, stated minus true share of right answers), run by run."""
    setting = make_setting(law, attackers(2, "generator", "inflator"))
    shares, misses = [], []
    for seed in range(runs):
        theirs = everyones = stated = right = seats = 0
        for sample in draw_samples(setting, seed, 12):
            seat_G = sample.round.generator_G
            is_theirs_G = setting.conduct.group_N[seat_G] == ATTACKER
            evidence_G = tally_round(law, sample.network, sample.nodes, sample.round).generator_evidence_q12_G
            theirs, everyones = theirs + int(evidence_G[is_theirs_G].sum()), everyones + int(np.abs(evidence_G).sum())
            stated += int(sample.round.confidence_q16_G[is_theirs_G].sum())
            right += int(sample.truth_C[sample.round.answer_G[is_theirs_G]].sum())
            seats += int(is_theirs_G.sum())
        shares.append(theirs / everyones)
        misses.append((stated / Q16 - right) / max(seats, 1))
    return shares, misses


_POLICIES = ("inflator", "exaggerator", "honest")

ATTACK = Attack(
    "confidence inflation",
    "every answer stated with .99",
    "pay < 0, voice to 0 within 200 audits",
    judge,
    cases,
)
