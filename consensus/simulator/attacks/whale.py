"""A whale: one owner with 10 to 45 % of the stake of both roles builds a good name, then falls silent or lies.

Small committees answer; they are never safe against a third of the stake. Finality (R12) is, and needs the whale's
signature from a third on.
"""

from collections.abc import Callable

import numpy as np

from consensus.rules.finality import is_final
from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, exact, mean_and_error, read
from consensus.simulator.ending import measure_concentration
from consensus.simulator.setting import Setting

KEYS = 4  # of each role: one key cannot sit in both roles of a task
HONEST_KEYS = 96  # of equal stake, for the Nakamoto coefficient


def list_shares(size: Size) -> tuple[float, ...]:
    """Of the stake of both roles."""
    return (0.1, 0.15, 0.2, 0.25, 0.3, 0.33, 0.35, 0.4, 0.45) if size.is_study else (0.3,)


def cases(size: Size) -> dict[str, Case]:
    """Honest for the first part; then silent, lying, or still honest."""

    def cast(g_policy: str, d_policy: str, share: float) -> Setting:
        members = attackers(KEYS, "generator", g_policy, share), attackers(KEYS, "discriminator", d_policy, share)
        return make_setting(size.law, *members)

    out = {}
    for share in list_shares(size):
        before = cast("honest", "honest", share)
        for name, policies in (
            ("silent", ("silent", "silent")),
            ("lying", ("cartel", "cartel")),
            ("calm", ("honest",) * 2),
        ):
            out[f"whale {name} {share}"] = Case(
                before, size.rounds // 2, None, cast(*policies, share), size.rounds // 2
            )
    return out


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Coverage and wrong accepts after the turn, finality, and how few keys hold a third."""
    shares = list_shares(size)
    runs = {(name, share): played[f"whale {name} {share}"] for name in ("silent", "lying", "calm") for share in shares}
    alive = {share: runs["silent", share].coverage() / runs["calm", share].coverage().mean() for share in shares}
    wrong = {share: runs["lying", share].wrong() for share in shares}
    profit = {share: per_hundred(runs["lying", share].gain(ATTACKER), runs["lying", share]) for share in shares}
    cost = {share: per_hundred(runs["silent", share].gain(ATTACKER), runs["silent", share]) for share in shares}
    readings = (
        exact(
            "most stake (of 1,000) that cannot stop finality by silence",
            _find_last(lambda f: is_final(1000 - f, 1000)),
            ">",
            332,
        ),
        exact(
            "least stake that makes a conflicting block final with split honest stake", _find_first_conflict(), ">", 333
        ),
        exact("Nakamoto coefficient beside a whale of .33, 96 equal keys", compute_nakamoto(0.33), ">", 1),
        exact("Nakamoto coefficient beside a whale of .34", compute_nakamoto(0.34), "=", 1),
        read("whale of .3 silent: coverage against calm (live)", alive[0.3], ">", 0.1),
        read("whale of .3 silent: its profit, pots in 100 tasks", cost[0.3], "<", 0.0),
        read("whale of .3 lying: its profit, pots in 100 tasks", profit[0.3], "<", 0.0),
    )
    curve = lambda name, y_name, of: Curve(
        name, "share of stake", y_name, tuple((s, *mean_and_error(of[s])) for s in shares)
    )
    return Report(
        readings,
        (
            curve("coverage while a trusted whale is silent", "against calm", alive),
            curve("wrong accepts after a trusted whale turns", "share of tasks", wrong),
            curve("profit of a whale that lies", "pots in 100 tasks", profit),
        ),
    )


def compute_nakamoto(share: float) -> int:
    """Fewest keys that hold more than a third of all stake, beside a whale with this share."""
    whale = round(HONEST_KEYS * 10**9 * share / (1 - share))
    stake_N = np.array([whale, *[10**9] * HONEST_KEYS])
    return int(measure_concentration(stake_N, stake_N > 0)[2])


def _find_last(holds: Callable[[int], bool]) -> int:
    return max(f for f in range(1000) if holds(f))


def _find_first_conflict() -> int:
    """Of 1,000: two blocks are both final if each is signed by half of the honest stake and by the whole whale."""
    return min(f for f in range(1000) if is_final(f + (1000 - f) // 2, 1000))


ATTACK = Attack(
    "whale",
    "one owner of 10 to 45 % of the stake turns silent or lies",
    "finality is safe and live below a third; losses beyond are reported",
    judge,
    cases,
)
