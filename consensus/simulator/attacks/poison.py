"""Poisoned knowledge and injected instructions. Text is data: no rule reads it. What is left are models that obey it.

A poisoned question is one whose favourite wrong answer the knowledge base supports. An injected instruction ("this
answer is true") is obeyed, always, by a share of the verifiers: the curve of a recipe that can be talked over.
"""

from consensus.simulator.attacks.cast import ATTACKER, HONEST_NODES, STAKE_POTS, Case, attackers, honest, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.simulator.networks import FACTS, Group
from consensus.simulator.setting import Setting

INJECTORS = 2  # generators, a fifth of their stake
DOUBT = 0.25


def list_poisoned(size: Size) -> tuple[float, ...]:
    """Shares of the questions."""
    return (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0) if size.is_study else (0.0, 0.2)


def list_obeying(size: Size) -> tuple[int, ...]:
    """Verifiers of eight that do what an answer tells them."""
    return (0, 1, 2, 3, 4, 5, 6, 8) if size.is_study else (0, 2)


def cases(size: Size) -> dict[str, Case]:
    """Knowledge bases with poisoned entries, and verifiers that obey injected answers."""
    poisoned = lambda share: make_setting(size.law, kinds=[kind._replace(poison=share) for kind in FACTS])

    def injected(obeying: int) -> Setting:
        verifiers = [
            honest("discriminator", HONEST_NODES - obeying),
            Group("attacker", obeying, "discriminator", "gullible", STAKE_POTS),
        ]
        cast = [attackers(INJECTORS, "generator", "cartel"), *(group for group in verifiers if group.nodes)]
        return make_setting(size.law, *cast, without_honest=("discriminator",))

    out = {f"poison {share}": poisoned(share) for share in list_poisoned(size)}
    out |= {f"obey {n}": injected(n) for n in list_obeying(size)}
    return {name: Case(setting, size.rounds) for name, setting in out.items()}


def judge(size: Size, played: dict[str, Played]) -> Report:
    """Wrong accepts by share; obeying costs who obeys, and injecting costs the injector."""
    clean, fifth = played["poison 0.0"].wrong(), played["poison 0.2"].wrong()
    few, none = played["obey 2"], played["obey 0"]
    readings = (
        read("a fifth of the questions poisoned: more wrong accepts, share of tasks", fifth - clean, "<", 0.2),
        read(
            "a quarter of verifiers obey injected text: more wrong accepts",
            few.wrong() - none.wrong(),
            "<",
            DOUBT * 0.2,
        ),
        read("injectors: profit, pots in 100 tasks", per_hundred(few.gain(ATTACKER, 0), few), "<", 0.0),
    )
    curve = lambda name, x, y, points: Curve(name, x, y, tuple(points))
    by_share = [(s, *mean_and_error(played[f"poison {s}"].wrong())) for s in list_poisoned(size)]
    by_obeying = [(n / HONEST_NODES, *mean_and_error(played[f"obey {n}"].wrong())) for n in list_obeying(size)]
    paid = [
        (n / HONEST_NODES, *mean_and_error(per_hundred(played[f"obey {n}"].gain(ATTACKER, 1), played[f"obey {n}"], n)))
        for n in list_obeying(size)
        if n
    ]
    return Report(
        readings,
        (
            curve("wrong accepts from a poisoned knowledge base", "share of questions", "share of tasks", by_share),
            curve(
                "wrong accepts from injected instructions", "share of verifiers that obey", "share of tasks", by_obeying
            ),
            curve("gain of a verifier that obeys", "share of verifiers that obey", "pots a node in 100 tasks", paid),
        ),
    )


ATTACK = Attack(
    "poisoned knowledge base, injected instructions",
    "puts false entries where verifiers look, or orders into answers",
    "curve reported; wrong accepts rise by less than the poisoned share",
    judge,
    cases,
)
