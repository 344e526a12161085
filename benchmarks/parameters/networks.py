"""The networks that every setting of the study is played in, all of one shape, so that one program plays them all.

Sixteen nodes, eight a role, and the questions and models of benchmarks/protocol_economy.py: the demo's cast, idlers and
long cons, honest nodes only, honest nodes of which half stake sixteen times what the others do, and honest nodes with
the demo's trained models, or with others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from consensus.presets import check_params
from consensus.simulator.loops import map_leaves
from consensus.simulator.networks import FACTS, Group, Kind, Models, get_pot_micro, make_network
from consensus.simulator.setting import Setting, Static
from consensus.simulator.sweep import Swept, sweep
from consensus.state import Params
from consensus.units import MICRO

LABELS = 8  # of every network: the asker's and up to seven groups
STAKE_POTS, SMALL_POTS, LARGE_POTS, PURSE_POTS = 600.0, 150.0, 2_400.0, 160.0
EFFORT_MICRO = 1_000  # a working node and task: a count, which the figures price
BATCH_RUNS = 64


# What `deslm profile` measured of the demo's trained models, the mean of three seeds, rounded.
TRAINED_KINDS = (
    Kind("taught", 0.87, 0.70, knows=1.0, accuracy=0.70, guess=0.0, lure=1 / 12, prior=0.70, evidence=1.0, trap=0.15),
    Kind("untaught", 0.13, 0.30, knows=1.0, accuracy=0.06, guess=0.0, lure=1 / 12, prior=0.06, evidence=1.0),
)
TRAINED_MODELS = Models(
    generator_separation=3.1,
    generator_bias=0.0,
    generator_temperature=0.65,
    generator_shared=0.08,
    generator_trapped=0.6,
    generator_blind=0.07,
    verifier_separation=6.0,
    verifier_bias=0.3,
    verifier_temperature=0.45,
    verifier_shared=0.35,
    verifier_trapped=0.5,
    verifier_blind=0.01,
)


class Size(NamedTuple):
    """How much is played of every setting."""

    tasks: int
    in_flight: int
    seeds: Sequence[int]


class Network(NamedTuple):
    """Who takes part, and how good the models are."""

    groups: list[Group]
    kinds: tuple[Kind, ...] = FACTS
    models: Models = Models()


def list_networks(tasks: int) -> dict[str, Network]:
    """Each network by its name; a long con turns in the middle of so many tasks."""
    one = lambda role, policy: Group(f"{role[0].upper()} {policy}", 1, role, policy, STAKE_POTS, dials=(tasks // 2,))
    honest = lambda role, nodes: Group(f"{role[0].upper()} honest", nodes, role, stake_pots=STAKE_POTS)
    generators = lambda *policies: [one("generator", policy) for policy in policies]
    discriminators = lambda *policies: [one("discriminator", policy) for policy in policies]
    all_honest = [honest("generator", 8), honest("discriminator", 8)]
    skilled = lambda accuracy: (FACTS[0]._replace(accuracy=accuracy), FACTS[1]._replace(accuracy=accuracy))
    return {
        "cast": Network(
            [
                honest("generator", 6),
                *generators("inflator", "copycat"),
                honest("discriminator", 6),
                *discriminators("flag-all", "silent"),
            ]
        ),
        "idle": Network(
            [
                honest("generator", 6),
                *generators("garbage", "turning"),
                honest("discriminator", 5),
                *discriminators("lazy", "approve-all", "turning"),
            ]
        ),
        "honest": Network(all_honest),
        "unequal": Network(
            [
                Group("G small", 4, "generator", stake_pots=SMALL_POTS),
                Group("G large", 4, "generator", stake_pots=LARGE_POTS),
                Group("D small", 4, "discriminator", stake_pots=SMALL_POTS),
                Group("D large", 4, "discriminator", stake_pots=LARGE_POTS),
            ]
        ),
        "trained": Network(all_honest, TRAINED_KINDS, TRAINED_MODELS),
        "generators .65": Network(all_honest, kinds=skilled(0.65)),
        "generators .80": Network(all_honest, kinds=skilled(0.80)),
        "verifiers .90": Network(all_honest, models=Models(verifier_separation=2.6)),
        "verifiers .97": Network(all_honest, models=Models(verifier_separation=3.8)),
    }


class Played(NamedTuple):
    """All settings with all seeds in one network: leaves [P, S, ...], P settings, S seeds."""

    swept: Swept
    groups: list[str]  # names of the labels 1, 2, ...
    pot_micro_P: np.ndarray
    purse_pots: float  # in the purse at the start


def split_legal(laws: Sequence[Params]) -> tuple[list[int], dict[str, int]]:
    """The laws that `check_params` lets pass, by index, and how many it refused by the first words of its sentence."""
    legal: list[int] = []
    refused: dict[str, int] = {}
    for index, law in enumerate(laws):
        try:
            check_params(law)
            legal.append(index)
        except ValueError as error:
            why = str(error).partition(":")[0]
            refused[why] = refused.get(why, 0) + 1
    return legal, refused


def play(laws: Sequence[Params], size: Size, only: Sequence[str] = (), parallel: str = "jit") -> dict[str, Played]:
    """Every law in every network, or in those named, with every seed; one compilation for each `in_flight`.

    Raises ValueError if there is no law, and as `sweep` does, so for a law that `check_params` refuses.
    """
    if not laws:
        raise ValueError("there is no law to play: check_params refused every point, so narrow the ranges")
    networks = {name: network for name, network in list_networks(size.tasks).items() if not only or name in only}
    made = [_make(law, network, size) for network in networks.values() for law in laws]
    static = made[0][0]
    stacked = map_leaves(lambda *leaves: np.stack(leaves), *(setting for _, setting in made))
    rounds = size.tasks + size.in_flight - 1  # one task a round
    swept = sweep(static, stacked, size.seeds, rounds, parallel=parallel, batch_runs=BATCH_RUNS)
    pot_micro_P = np.array([get_pot_micro(law, MICRO) for law in laws])
    out = {}
    for number, (name, network) in enumerate(networks.items()):
        mine = slice(number * len(laws), (number + 1) * len(laws))
        part = map_leaves(lambda leaf, mine=mine: leaf[mine], swept)
        out[name] = Played(part, [group.name for group in network.groups], pot_micro_P, PURSE_POTS)
    return out


def _make(law: Params, network: Network, size: Size) -> tuple[Static, Setting]:
    law = law._replace(target_tasks=np.asarray(1, dtype=np.int64))  # one task a round is the resting load
    who = (network.groups, network.kinds, network.models)
    static, setting = make_network(law, *who, purse_pots=PURSE_POTS, tasks=1, lag=size.in_flight - 1)
    return static._replace(groups=LABELS), setting
