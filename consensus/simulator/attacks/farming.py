"""On-off farming and the long con: honest work for a while, then cheating on the name it made, for good or by turns."""

import numpy as np

from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read

ROLES = ("generator", "discriminator")
TURNED = {"generator": "guesses with .99", "discriminator": "flags all"}
FARMERS = 2


def list_periods(size: Size) -> tuple[int, ...]:
    """Rounds of honest work, and as many of cheating; a period of half the run is the long con."""
    half = size.rounds // 2
    return (1, 2, 4, 8, 16, half) if size.is_study else (4, half)


def cases(size: Size) -> dict[str, Case]:
    """Two farmers of either role for every period, and the same nodes at honest work."""
    out = {}
    for role in ROLES:
        for period in list_periods(size):
            group = attackers(FARMERS, role, "turning", dials=(period, period))
            out[f"farm {role} {period}"] = Case(make_setting(size.law, group), size.rounds)
        out[f"farm {role} never"] = Case(make_setting(size.law, attackers(FARMERS, role, "honest")), size.rounds)
    return out


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Profit over whole cycles, and what the cheating half changed against honest work."""
    readings, curves = [], []
    for role in ROLES:
        never = played[f"farm {role} never"]
        gains = {period: _gain(played[f"farm {role} {period}"]) for period in list_periods(size)}
        best = max(gains, key=lambda period: mean_and_error(gains[period])[0])
        readings += [
            read(f"{role}: profit of the best period, pots a node in 100 tasks", gains[best], "<", 0.0),
            read(f"{role}: the same against honest work", gains[best] - _gain(never), "<", 0.0),
        ]
        points = tuple((float(period), *mean_and_error(gain)) for period, gain in gains.items())
        curves.append(
            Curve(
                f"profit of a {role} that {TURNED[role]} every second period",
                "rounds a period",
                "pots a node in 100 tasks",
                points,
            )
        )
    return Report(tuple(readings), tuple(curves))


def _gain(run: Played) -> np.ndarray:
    return per_hundred(run.gain(ATTACKER), run, FARMERS)


ATTACK = Attack(
    "on-off farming, long con",
    "honest until trusted, then not",
    "profit < 0 for every period",
    judge,
    cases,
)
