"""Sybil split and merge: one stake as k keys. Weights are linear in stake and wagers indifferent to splitting (R2, R7).

The stake is a third of its role's; every key answers honestly with one model, as one owner's keys would.
"""

from consensus.simulator.attacks.cast import ATTACKER, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read

ROLES = ("generator", "discriminator")
SHARE = 1 / 3


def list_keys(size: Size) -> tuple[int, ...]:
    """k, the whole stake first."""
    return (1, 2, 4, 8, 16, 32, 64) if size.is_study else (1, 8, 64)


def cases(size: Size) -> dict[str, Case]:
    """The same stake in k keys, in either role."""
    split = lambda k, role: make_setting(size.law, attackers(k, role, "honest", SHARE, recipe=0))
    return {f"sybil {role} {k}": Case(split(k, role), size.rounds) for role in ROLES for k in list_keys(size)}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Seats and net return of k keys against one key."""
    readings, curves = [], []
    for number, role in enumerate(ROLES):
        runs = {k: played[f"sybil {role} {k}"] for k in list_keys(size)}
        points = []
        for name, of in (("seats", Played.seats), ("net return", Played.net)):
            samples = {k: of(run, ATTACKER, number) for k, run in runs.items()}
            whole = samples[1].mean()
            relative = {k: (sample - samples[1]) / whole for k, sample in samples.items()}
            most = max(list_keys(size)[1:], key=lambda k: mean_and_error(relative[k])[0])
            readings.append(
                read(f"{role}: {name} of the best number of keys against one, - 1", relative[most], "<=", 0.0)
            )
            points = [(float(k), *mean_and_error(sample)) for k, sample in relative.items()]
        curves.append(Curve(f"net return of a {role}'s stake in k keys", "k", "against one key, - 1", tuple(points)))
    return Report(tuple(readings), tuple(curves))


ATTACK = Attack(
    "Sybil split and merge", "one stake as k = 1 to 64 keys", "seats and net return <= those of one key", judge, cases
)
