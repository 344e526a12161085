"""Paraphrase splitting: the same answer in other words, which the class's equality does not see through.

True answers then stand against each other. The attacker can only split off his own seats' votes; how much a class loses
whose equality misses a share of all respellings is the curve.
"""

import numpy as np

from consensus.simulator.attacks.cast import ATTACKER, HONEST_NODES, Case, attackers, honest, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.simulator.attacks.sampling import draw_samples
from consensus.units import Q16

SPLITTERS = 2  # beside eight honest generators: a fifth of the stake
SHARE = SPLITTERS / (SPLITTERS + HONEST_NODES)


def list_missed(size: Size) -> tuple[float, ...]:
    """Shares of answers whose wording the equality does not fold."""
    return (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if size.is_study else ()


def cases(size: Size) -> dict[str, Case]:
    """Splitters, the same nodes in plain words, and networks whose class misses some of everybody's wordings."""
    cast = lambda policy: make_setting(size.law, attackers(SPLITTERS, "generator", policy, dials=(Q16,)))
    out = {"split": cast("paraphraser"), "plain": cast("honest")}
    for missed in list_missed(size):
        everybody = honest("generator", policy="paraphraser", dials=(round(missed * Q16),))
        out[f"missed {missed}"] = make_setting(size.law, everybody, without_honest=("generator",))
    return {name: Case(setting, size.rounds) for name, setting in out.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Votes lost to the share that splits, what splitting earns, and what it costs the network."""
    split, plain = played["split"], played["plain"]
    gain = per_hundred(split.gain(ATTACKER) - plain.gain(ATTACKER), split, SPLITTERS)
    votes = [count_votes_lost(size, seed) for seed in range(8 if size.is_study else 2)]
    readings = (
        read(f"votes for true answers lost to rival wordings, splitters with {SHARE:.0%}", votes, "<", SHARE),
        read("splitter: gain against plain words, pots a node in 100 tasks", gain, "<", 0.0),
    )
    lost, error = mean_and_error(1 - split.coverage() / plain.coverage().mean())
    note = (
        f"Splitters with {SHARE:.0%} of the generators' stake cost {lost:.2f} +- {error:.2f} of the coverage:"
        " a lost vote is also a rival, and disagreement that raises tau."
    )
    points = tuple((m, *mean_and_error(played[f"missed {m}"].coverage())) for m in list_missed(size))
    curves = (
        Curve(
            "coverage of a class whose equality misses wordings", "share of wordings missed", "share of tasks", points
        ),
    )
    return Report(readings, curves if points else (), note)


def count_votes_lost(size: Size, seed: int) -> float:
    """The share of all revealed seats that give the truth in other words than most who give it."""
    setting = make_setting(size.law, attackers(SPLITTERS, "generator", "paraphraser", dials=(Q16,)))
    lost = seats = 0
    for sample in draw_samples(setting, seed, 8):
        answers = sample.round.answer_G[sample.round.answer_G >= 0]
        true_C = np.bincount(answers, minlength=len(sample.truth_C)) * sample.truth_C
        lost, seats = lost + int(true_C.sum() - true_C.max()), seats + len(answers)
    return lost / seats


ATTACK = Attack(
    "paraphrase splitting",
    "gives true answers in words that count as another answer",
    "votes lost < the share that splits; what a class misses is reported",
    judge,
    cases,
)
