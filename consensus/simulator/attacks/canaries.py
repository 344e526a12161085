"""Canaries that are known: by nodes that recognise them, and by nodes whose friend wrote them.

Who recognises a canary works on it and idles elsewhere; random audits are then all that deters. An author may tell its
friends the answers, or commit a false answer as the truth, which only they give.
"""

from consensus.simulator.attacks.cast import ATTACKER, HONEST, HONEST_NODES, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.simulator.networks import FACTS, Kind

FEW = 2
TOLD = (0.0, 0.25)
LYING = (0.1,)


def list_tells(size: Size) -> tuple[float, ...]:
    """delta, the chance to recognise a canary."""
    return (0.0, 0.25, 0.5, 0.75, 0.9, 1.0) if size.is_study else TOLD


def list_lies(size: Size) -> tuple[float, ...]:
    """Shares of the canaries whose author lies."""
    return (0.0, 0.05, 0.1, 0.2, 0.35, 0.5) if size.is_study else (0.0, *LYING)


def make_kinds(lies: float) -> tuple[Kind, ...]:
    """Of the canaries, a share whose committed truth nobody can know, while the real one has evidence."""
    lie = Kind("lie", 0.0, lies, knows=0.0, guess=0.0, lure=0.5, prior=0.7, poison=1.0)
    return (*(kind._replace(canary_share=kind.canary_share * (1 - lies)) for kind in FACTS), lie)


def cases(size: Size) -> dict[str, Case]:
    """Nodes of either role that know canaries; friends of an author who tells, and of one who lies."""
    out = {}
    for tell in list_tells(size):
        for role in _ROLES:
            out[f"knows {role} {tell}"] = make_setting(size.law, attackers(FEW, role, "canary-wise"), canary_tell=tell)
        friends = [attackers(FEW, role, "insider") for role in _ROLES]
        if size.is_study:
            out[f"told {tell}"] = make_setting(size.law, *friends, canary_tell=tell)
    friends = [attackers(FEW, role, "insider") for role in _ROLES]
    for lies in list_lies(size):
        out[f"lies {lies}"] = make_setting(size.law, *friends, kinds=make_kinds(lies), canary_tell=1.0)
    return {name: Case(setting, size.rounds) for name, setting in out.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """What knowing canaries earns against honest work, and what a lying author costs the others."""
    margin = lambda run, role: (
        per_hundred(run.net(ATTACKER, role), run, FEW) - per_hundred(run.net(HONEST, role), run, HONEST_NODES)
    )
    readings, curves = [], []
    for number, role in enumerate(_ROLES):
        runs = {tell: played[f"knows {role} {tell}"] for tell in list_tells(size)}
        profit = {tell: per_hundred(run.net(ATTACKER), run, FEW) for tell, run in runs.items()}
        readings += [
            read(
                f"{role} that recognises {tell:.0%} of canaries: against honest work",
                margin(runs[tell], number),
                "<",
                0.0,
            )
            for tell in TOLD
        ]
        line = lambda name, samples: Curve(
            name,
            "chance to recognise a canary",
            "pots a node in 100 tasks",
            tuple((t, *mean_and_error(s)) for t, s in samples.items()),
        )
        curves += [
            line(f"gain of a {role} that works on recognised canaries only", profit),
            line(f"the same against honest work, {role}", {t: margin(run, number) for t, run in runs.items()}),
        ]
    honest = {lies: played[f"lies {lies}"] for lies in list_lies(size)}
    gain = lambda run, role: per_hundred(run.net(HONEST, role), run, HONEST_NODES)
    paid = gain(honest[0.1], 1)
    readings.append(read("a tenth of the canaries lie: an honest discriminator still gains", paid, ">", 0.0))
    lied = lambda name, y, of: Curve(
        name, "share of canaries that lie", y, tuple((x, *mean_and_error(of(run))) for x, run in honest.items())
    )
    curves += [
        lied(f"gain of an honest {role}", "pots a node in 100 tasks", lambda run, i=i: gain(run, i))
        for i, role in enumerate(_ROLES)
    ]
    curves += [
        lied("coverage under a lying author", "share of tasks", Played.coverage),
        lied(
            "gain of the author's friends",
            "pots a node in 100 tasks",
            lambda run: per_hundred(run.net(ATTACKER), run, 2 * FEW),
        ),
    ]
    if size.is_study:
        told = {tell: played[f"told {tell}"] for tell in list_tells(size)}
        points = tuple((t, *mean_and_error(per_hundred(run.net(ATTACKER), run, 2 * FEW))) for t, run in told.items())
        curves.append(
            Curve(
                "gain of nodes that an author tells its answers",
                "share of canaries told",
                "pots a node in 100 tasks",
                points,
            )
        )
    return Report(tuple(readings), tuple(curves))


_ROLES = ("generator", "discriminator")

ATTACK = Attack(
    "known canaries, dishonest author",
    "works only on canaries it recognises; an author tells its answers or commits lies",
    "idling does not pay while a quarter is recognised; break-even reported",
    judge,
    cases,
)
