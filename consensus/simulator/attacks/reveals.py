"""Choosing what to reveal: nodes that hide what they are unsure of, and nodes that grind the beacon.

Whoever reveals last knows both beacons, with his salt and without. Hiding costs the slash of R8, the wager if the task
is audited, and what the seat would have earned; one hidden salt buys the better of two draws of all seats of a block.
"""

from math import comb, sqrt

import numpy as np

from consensus import presets
from consensus.rules.emission import draw_emission
from consensus.rules.pot import compute_flat_fees
from consensus.rules.slash import slash
from consensus.rules.wager import compute_nominal_wagers
from consensus.simulator.attacks.cast import ATTACKER, HONEST, Case, attackers, get_tip_pot_micro, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Curve, Reading, Report, Size, mean_and_error, read
from consensus.state import Params
from consensus.units import MICRO, Q16

SEATS = (presets.GENERATOR_SEATS, presets.DISCRIMINATOR_SEATS)
ROLES = ("generator", "discriminator")
# Confidences and distances from one half below which a selective node hides.
HIDES_BELOW = {"generator": 0.5, "discriminator": 0.45}


def cases(size: Size) -> dict[str, Case]:
    """Two nodes that reveal only what they are sure of, in either role, and the same nodes at honest work."""
    out = {}
    for role, below in HIDES_BELOW.items():
        for policy in ("selective", "honest"):
            group = attackers(2, role, policy, dials=(round(below * Q16),))
            out[f"reveals {policy} {role}"] = Case(make_setting(size.law, group), size.rounds)
    return out


def judge(size: Size, played: dict[str, Played]) -> Report:
    """What hiding costs against revealing, and the price of a beacon's bit against what it can earn."""
    readings: list[Reading] = []
    worth, worth_error = [], []
    for number, role in enumerate(ROLES):
        hides, calm = (played[f"reveals {policy} {role}"] for policy in ("selective", "honest"))
        difference = per_hundred(hides.gain(ATTACKER) - calm.gain(ATTACKER), hides, 2)
        readings.append(
            read(f"selective {role}: gain against revealing all, pots a node in 100 tasks", difference, "<", 0.0)
        )
        a_seat = mean_and_error(calm.gain(HONEST, number) / calm.seats(HONEST, number))
        worth.append(a_seat[0])
        worth_error.append(a_seat[1])
    for number, role in enumerate(ROLES):
        price = compute_price(size.law)[number]
        gains = {share: value_bit(size.law, share, worth) for share in (0.1, 0.2, 0.3, 0.33)}
        error = gains[0.33] * max(e / w for e, w in zip(worth_error, worth, strict=True))
        readings.append(
            Reading(
                f"a bit by a hidden {role} reveal: pots it earns less pots it costs, stake .33",
                gains[0.33] - price,
                error,
                "<",
                0.0,
            )
        )
    price = min(compute_price(size.law))
    curve = tuple((share, value_bit(size.law, share, worth), 0.0) for share in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5))
    chances = {share: strike_chance(share) for share in (0.1, 0.2, 0.3)}
    note = (
        f"A bit costs at least {price:.3f} pots. A patient cartel that grinds for committees with three generator and"
        " eight discriminator seats meets one in "
        + ", ".join(f"{1 / chance:,.0f} tasks (stake {share})" for share, chance in chances.items())
        + "; a bit doubles the chance of one task, so it pays if a wrong accept is worth more than "
        + ", ".join(f"{price / chance:,.1f}" for chance in chances.values())
        + " pots."
    )
    return Report(
        tuple(readings),
        (Curve("what a bit of the beacon earns in seats, against its price", "share of stake", "pots", curve, price),),
        note,
    )


def compute_price(law: Params) -> tuple[float, float]:
    """Pots that one hidden reveal costs at least, by role: a key with the least stake, one seat, the wager if audited.

    What an honest reveal would have earned is not counted.
    """
    pot_micro = get_tip_pot_micro(law)
    network, nodes = _network(law)
    network, emission_micro = draw_emission(law, network)
    flat_micro_R = compute_flat_fees(law, emission_micro + MICRO, *SEATS)
    wager_micro_R = compute_nominal_wagers(law, flat_micro_R)
    fraction = np.array([int(law.non_reveal_slash_q16)] * 2)
    _, _, taken_micro_N = slash(law, network, nodes, fraction)
    audit = float(law.canary_rate_q16 + law.random_audit_rate_q16) / Q16
    # An audit finds the wager; its rate is the least chance, since canaries are known only to their authors.
    return tuple((audit * float(wager_micro_R[r]) + float(taken_micro_N[0])) / pot_micro for r in (0, 1))  # type: ignore[return-value]


def value_bit(law: Params, share: float, worth_R: list[float]) -> float:
    """Pots that the better of two draws of a block's seats is worth to a stake share: exact for the seats.

    A block holds the tasks at which its fee rests (R1). Further bits earn less each, and cost the same.
    """
    tasks = int(law.target_tasks)
    return sum(_better_of_two(tasks * seats, share) * worth for seats, worth in zip(SEATS, worth_R, strict=True))


def strike_chance(share: float, generators: int = 3, discriminators: int = 8) -> float:
    """The chance that a share of the stake holds so many seats of both roles in one task."""
    tail = lambda n, k: sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    return tail(SEATS[0], generators) * tail(SEATS[1], discriminators)


def _better_of_two(seats: int, share: float) -> float:
    """E max of two binomial draws, less the mean: sum of F (1 - F), which is sd / sqrt(pi) for many seats."""
    if seats > 1_000:
        return sqrt(seats * share * (1 - share) / np.pi)
    chance = np.array([comb(seats, k) * share**k * (1 - share) ** (seats - k) for k in range(seats + 1)])
    below = np.cumsum(chance)
    return float((below * (1 - below)).sum())


def _network(law: Params) -> tuple:
    """Two keys with the least stake that may be drawn."""
    bonded_N = np.array([int(law.stake_min_micro)] * 2)
    treasury_micro = 10**8 * MICRO  # a pot is stated at a reserve of nine tenths of the supply
    return presets.genesis(law, bonded_N * 0, bonded_N, np.ones((2, 2), np.int64), treasury_micro, 0, MICRO)


ATTACK = Attack(
    "selective non-reveal, beacon grinding",
    "reveals only what suits; hides a salt to redraw the seats",
    "hiding costs more than it earns; a bit costs more than its seats are worth",
    judge,
    cases,
)
