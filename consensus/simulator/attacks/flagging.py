"""False flags: discriminators that call everything false, alone to hurt generators, or as a ring that feeds on them."""

from consensus.simulator.attacks.cast import ATTACKER, HONEST, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Report, Size, mean_and_error, read
from consensus.state import GENERATOR

RING = 4


def list_shares(size: Size) -> tuple[float, ...]:
    """Of the discriminators' stake."""
    return (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7) if size.is_study else (0.2, 0.4)


def cases(size: Size) -> dict[str, Case]:
    """A ring, and the same nodes at honest work."""
    cast = lambda policy, share: make_setting(size.law, attackers(RING, "discriminator", policy, share))
    policies = {"ring": "flag-all", "no ring": "honest"}
    return {
        f"{name} {share}": Case(cast(policy, share), size.rounds)
        for name, policy in policies.items()
        for share in list_shares(size)
    }


def judge(size: Size, played: dict[str, Played]) -> Report:
    """The ring's pay, and what all generators lose against what it loses."""
    readings, pay, harm = [], [], []
    for share in list_shares(size):
        ring, calm = played[f"ring {share}"], played[f"no ring {share}"]
        gain = per_hundred(ring.gain(ATTACKER), ring)
        loss = per_hundred(calm.gain(HONEST, GENERATOR) - ring.gain(HONEST, GENERATOR), ring)
        ratio = mean_and_error(loss)[0] / -mean_and_error(gain)[0]
        spread = mean_and_error(loss + ratio * gain)[1] / -mean_and_error(gain)[0]
        pay.append((share, *mean_and_error(gain)))
        harm.append((share, ratio, spread))
        if share <= 0.4 and share in (0.2, 0.4):
            readings += [
                read(f"ring of {share}: pay, pots in 100 tasks", gain, "<", 0.0),
                read(f"ring of {share}: generators' loss minus the ring's, pots in 100 tasks", loss + gain, "<", 0.0),
            ]
    curves = (
        Curve("pay of a flag-everything ring", "share of the discriminators' stake", "pots in 100 tasks", tuple(pay)),
        Curve(
            "generators' loss for each pot the ring loses",
            "share of the discriminators' stake",
            "pots",
            tuple(harm),
            1.0,
        ),
    )
    return Report(tuple(readings), curves)


ATTACK = Attack(
    "false flags",
    "discriminators call every answer false",
    "victims lose no more than attackers; the ring's pay < 0",
    judge,
    cases,
)
