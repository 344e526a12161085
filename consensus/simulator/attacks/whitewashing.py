"""Whitewashing: a cheat that was caught leaves its key and comes back as a stranger with the same stake.

Measured as a head start: from the block in which both may sit again, how much more a fresh key earns than the spoiled
one at honest work. To that comes the jail that the fresh key does not serve. Against it stands the time that stake
needs to leave (R10). All of it is stated in blocks of honest income.
"""

from functools import partial

import numpy as np

from consensus.simulator.attacks.cast import ATTACKER, HONEST, HONEST_NODES, Alter, Case, attackers, make_setting
from consensus.simulator.attacks.playing import Played, per_hundred
from consensus.simulator.attacks.report import Attack, Reading, Report, Size, mean_and_error
from consensus.simulator.setting import Setting
from consensus.simulator.world import State

CHEATS = {"generator": "inflator", "discriminator": "flag-all"}


def cases(size: Size) -> dict[str, Case]:
    """One cheat of either role for a part of the run; then honest, on its old key or on a spare one."""
    out = {}
    for role, policy in CHEATS.items():
        before = make_setting(size.law, attackers(1, role, policy))
        after = make_setting(size.law, attackers(1, role, "honest"))
        old = int(np.flatnonzero(after.conduct.group_N == ATTACKER)[0])
        new = int(
            np.flatnonzero((after.conduct.group_N > ATTACKER) & (after.conduct.role_NR[:, _NUMBER[role]] == 1))[0]
        )
        moves: dict[str, Alter] = {"stays": partial(release, node=old), "washes": partial(move, old=old, new=new)}
        for name, alter in moves.items():
            out[f"wash {role} {name}"] = Case(before, size.rounds // 2, alter, _label(after, new), size.rounds // 2)
    return out


def judge(size: Size, played: dict[str, Played]) -> Report:
    """The head start, and the sum of it and the jail against the unbonding time."""
    readings, starts = [], []
    for role in CHEATS:
        stays, washes = played[f"wash {role} stays"], played[f"wash {role} washes"]
        head_start = per_hundred(washes.gain(ATTACKER) - stays.gain(ATTACKER), washes) * washes.tasks().mean() / 100
        a_block = mean_and_error(stays.gain(HONEST, _NUMBER[role]) / HONEST_NODES / stays.added("rounds"))[0]
        blocks, error = (x / a_block for x in mean_and_error(head_start))
        profit = blocks + float(size.law.jail_blocks) - float(size.law.unbonding_blocks)
        name = f"{role}: profit of leaving against staying, blocks of honest income"
        readings.append(Reading(name, profit, error, "<", 0.0))
        starts.append(f"{blocks:+.0f} +- {error:.0f} blocks ({role})")
    spare = float(size.law.unbonding_blocks) - float(size.law.jail_blocks)
    note = f"Head start of a fresh key: {', '.join(starts)}. Leaving takes {spare:+.0f} blocks longer than a jail."
    return Report(tuple(readings), (), note)


def release(state: State, node: int) -> State:
    """The state with this node's jail over [leaves with a leading axis of seeds]."""
    jailed_SN = state.nodes.jailed_until_N.copy()
    jailed_SN[:, node] = 0
    return state._replace(nodes=state.nodes._replace(jailed_until_N=jailed_SN))


def move(state: State, old: int, new: int) -> State:
    """The state with the old key's bonded stake on the new one, but for what open wagers lock, at once and for nothing.

    Kinder to the attacker than the law: leaving takes `unbonding_blocks`, and opening an account a base fee.
    """
    nodes = state.nodes
    bonded_SN = nodes.bonded_micro_N.copy()
    free_S = nodes.bonded_micro_N[:, old] - nodes.locked_micro_N[:, old]
    bonded_SN[:, old] -= free_S
    bonded_SN[:, new] += free_S
    return state._replace(nodes=nodes._replace(bonded_micro_N=bonded_SN))


def _label(setting: Setting, node: int) -> Setting:
    """The setting with one more of the attacker's keys."""
    group_N = setting.conduct.group_N.copy()
    group_N[node] = ATTACKER
    return setting._replace(conduct=setting.conduct._replace(group_N=group_N))


_NUMBER = {"generator": 0, "discriminator": 1}

ATTACK = Attack(
    "whitewashing",
    "leaves a spoiled key and returns on a fresh one",
    "leaving earns less than staying",
    judge,
    cases,
)
