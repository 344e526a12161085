"""A colluding cartel: members of both roles agree on one wrong answer, and approve it while they flag the rest.

The open cartel always lies. The patient one behaves honestly, and lies only on tasks where it happens to hold three
generator and eight discriminator seats; what that costs is what it gives up against honest play.
"""

import numpy as np

from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.simulator.setting import Setting

MEMBERS = 4  # of each role
STRONG = (3, 8)
TESTED = (0.1, 0.2, 0.3)


def list_shares(size: Size) -> tuple[float, ...]:
    """f, of the stake of both roles."""
    return (0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7) if size.is_study else TESTED


def cases(size: Size) -> dict[str, Case]:
    """The cartel, the patient cartel and the same nodes at honest work."""

    def cast(policy: str, share: float) -> Setting:
        members = [attackers(MEMBERS, role, policy, share, STRONG) for role in ("generator", "discriminator")]
        return make_setting(size.law, *members)

    settings = {f"cartel {share}": cast("cartel", share) for share in list_shares(size)}
    for share in list_shares(size) if size.is_study else TESTED[-1:]:
        settings |= {f"schemer {share}": cast("schemer", share), f"as honest {share}": cast("honest", share)}
    return {name: Case(setting, size.rounds) for name, setting in settings.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Profit below a third of the stake, wrong accepts, and what a wrong accept costs who waits for it."""
    profit = {
        share: per_hundred(played[f"cartel {share}"].gain(ATTACKER), played[f"cartel {share}"])
        for share in list_shares(size)
    }
    readings = [read(f"open cartel of {share}: profit, pots in 100 tasks", profit[share], "<", 0.0) for share in TESTED]
    third, honest = played[f"schemer {TESTED[-1]}"], played[f"as honest {TESTED[-1]}"]
    given_up = per_hundred(third.gain(ATTACKER) - honest.gain(ATTACKER), third)
    readings.append(
        read(f"patient cartel of {TESTED[-1]}: profit against honest play, pots in 100 tasks", given_up, "<", 0.0)
    )
    curves = [_curve("profit of an open cartel", "pots in 100 tasks", profit)]
    wrong = {share: played[f"cartel {share}"].wrong() for share in list_shares(size)}
    curves.append(_curve("wrong accepts under an open cartel", "share of tasks", wrong))
    note = ""
    if size.is_study:
        prices = {share: _price(played, share) for share in list_shares(size)}
        curves.append(
            Curve(
                "what one wrong accept costs a patient cartel",
                "share of stake",
                "pots",
                tuple((share, *price) for share, price in prices.items() if price is not None),
            )
        )
        extra = {s: played[f"schemer {s}"].wrong() - played[f"as honest {s}"].wrong() for s in list_shares(size)}
        curves.append(_curve("wrong accepts that a patient cartel adds", "share of tasks", extra))
        loss = {
            s: per_hundred(
                played[f"schemer {s}"].gain(ATTACKER) - played[f"as honest {s}"].gain(ATTACKER), played[f"schemer {s}"]
            )
            for s in list_shares(size)
        }
        curves.append(_curve("profit of a patient cartel against honest play", "pots in 100 tasks", loss))
    return Report(tuple(readings), tuple(curves), note)


def _curve(name: str, y_name: str, samples: dict[float, np.ndarray]) -> Curve:
    return Curve(name, "share of stake", y_name, tuple((x, *mean_and_error(y)) for x, y in samples.items()))


def _price(played: dict[str, Played], share: float) -> tuple[float, float] | None:
    """(pots given up for each wrong accept that honest play would not have had, its error); None if there is none."""
    schemer, honest = played[f"schemer {share}"], played[f"as honest {share}"]
    lost, lost_error = mean_and_error(honest.gain(ATTACKER) - schemer.gain(ATTACKER))
    count = lambda run: run.added("wrong_K").sum(axis=-1).astype(float)
    more, more_error = mean_and_error(count(schemer) - count(honest))
    if more <= 2 * more_error:
        return None
    price = lost / more
    return price, ((lost_error / more) ** 2 + (price * more_error / more) ** 2) ** 0.5


ATTACK = Attack(
    "colluding cartel",
    "nodes of both roles propose and approve one lie",
    "profit < 0 below a third of the stake",
    judge,
    cases,
)
