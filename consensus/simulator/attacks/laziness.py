"""Work avoided: lazy verdicts, verdicts read off the crowd, and answers copied from others.

A lazy discriminator quotes the house's own base rate; a crowd reader looks at how many seats stand behind a candidate.
The copycat can read nothing before it commits (R3); `ablations` shows what it could earn without commit-reveal.
"""

from consensus.simulator.attacks.cast import ATTACKER, HONEST, HONEST_NODES, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.state import DISCRIMINATOR, GENERATOR

IDLERS = 2
LAZY = {"lazy": "lazy discriminator", "crowd": "crowd reader", "random": "random verdicts"}


def cases(size: Size) -> dict[str, Case]:
    """Two idlers beside eight honest nodes of their role."""
    settings = {f"{policy} D": make_setting(size.law, attackers(IDLERS, "discriminator", policy)) for policy in LAZY}
    settings["copycat"] = make_setting(size.law, attackers(IDLERS, "generator", "copycat"))
    if size.is_study:
        for nodes in (1, 4, 8, 16, 32):
            settings[f"lazy {nodes}"] = make_setting(size.law, attackers(nodes, "discriminator", "lazy"))
    return {name: Case(setting, size.rounds) for name, setting in settings.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """What a node gains after effort, and against an honest node of its role in the same runs."""
    readings = []
    for policy, name in LAZY.items():
        run = played[f"{policy} D"]
        idle, honest = (per_hundred(run.net(label, DISCRIMINATOR), run, n) for label, n in _NODES)
        readings += [
            read(f"{name}: gain after effort, pots a node in 100 tasks", idle, "<", 0.0),
            read(f"{name}: against an honest node", idle - honest, "<", 0.0),
        ]
    hidden = played["copycat"]
    against = lambda run: (
        per_hundred(run.net(ATTACKER, GENERATOR), run, IDLERS)
        - per_hundred(run.net(HONEST, GENERATOR), run, HONEST_NODES)
    )
    readings += [
        read(
            "copycat: gain after effort, pots a node in 100 tasks",
            per_hundred(hidden.net(ATTACKER, GENERATOR), hidden, IDLERS),
            "<",
            0.0,
        ),
        read("copycat: against an honest node", against(hidden), "<", 0.0),
    ]
    curves: tuple[Curve, ...] = ()
    if size.is_study:
        points = []
        for nodes in (1, 4, 8, 16, 32):
            run = played[f"lazy {nodes}"]
            points.append((nodes / (nodes + HONEST_NODES), *mean_and_error(per_hundred(run.net(ATTACKER), run, nodes))))
        curves = (
            Curve(
                "gain of a lazy discriminator",
                "share of the role's stake that is lazy",
                "pots a node in 100 tasks",
                tuple(points),
            ),
        )
    return Report(tuple(readings), curves)


_NODES = ((ATTACKER, IDLERS), (HONEST, HONEST_NODES))

ATTACK = Attack(
    "laziness and copying",
    "verdicts without looking, answers without a model",
    "gain after effort < 0 and below an honest node's",
    judge,
    cases,
)
