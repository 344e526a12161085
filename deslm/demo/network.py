"""The demo's network: its keys, its genesis, its nodes, and the roles they run.

Everything is derived from the seed, keys included, so the same models and seed give the same ledger on one machine;
the keys guard nothing of value. They still lie on disk as a real node's would: one file each, 0600.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from consensus import presets
from consensus.ledger.genesis import Account, Genesis, make_genesis
from consensus.ledger.keys import SigningKey
from consensus.node.asker import Asker
from consensus.node.asker import Question as Asked
from consensus.node.auditor import Auditor, CanaryAuthor
from consensus.node.base import Node
from consensus.node.behaviours import AnswerBehaviour, Copycat, FlagEverything, Inflator, VerdictBehaviour, Withholder
from consensus.node.discriminator import DiscriminatorNode
from consensus.node.generator import GeneratorNode
from consensus.units import MICRO, SUPPLY_CAP_MICRO

from .cast import Member
from .questions import Question

# Orders blocks; answers audits; asks the demo's questions; opens its canaries; asks yours.
STAFF = ("sequencer", "auditor", "author", "opener", "visitor")
TEXT_CLASS = 0
TIP_MICRO = MICRO
STAKE_POTS = 600  # what a node bonds, in pots of one task; docs/PROTOCOL.md, "Where it stands"
IN_FLIGHT = 8  # tasks open at once


class Roles(NamedTuple):
    """The trained models as plain callables, by bundle name."""

    generators: Mapping[str, Any]
    discriminators: Mapping[str, Any]


def load_keys(folder: Path, seed: int, cast: Sequence[Member]) -> dict[str, SigningKey]:
    """Return everybody's key by name from the files in `folder`, which are made if they are not there yet.

    Raises LedgerError if a file is damaged, or open to other users.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys = {}
    for name in (*(member.name for member in cast), *STAFF):
        path = folder / f"{name}.key"
        if not path.exists():
            SigningKey.from_seed(seed, name).save(path)
        keys[name] = SigningKey.load(path)
    return keys


def make_demo_genesis(seed: int, cast: Sequence[Member], keys: Mapping[str, SigningKey]) -> Genesis:
    """Block 0: every node bonds `STAKE_POTS` pots, the two askers hold liquid, all else is reserve and treasury."""
    params = presets.demo()
    pot_micro = TIP_MICRO + (SUPPLY_CAP_MICRO * int(params.emission_rate_q32) >> 32)
    stake_micro = STAKE_POTS * pot_micro
    accounts = [
        Account(keys[member.name].public, member.name, 0, stake_micro, 1 if member.role == "generator" else 2)
        for member in cast
    ]
    funds = {"author": 10_000 * MICRO, "visitor": 1_000 * MICRO}
    accounts += [Account(keys[name].public, name, funds.get(name, 0), 0, 0) for name in STAFF]
    return make_genesis(
        f"deslm-demo-{seed}",
        accounts,
        params,
        sequencer=keys["sequencer"].public,
        auditor=keys["auditor"].public,
        typical_tip_micro=TIP_MICRO,
    )


def make_nodes(
    cast: Sequence[Member], keys: Mapping[str, SigningKey], roles: Roles, guesses: Sequence[str]
) -> list[Node]:
    """Return the generator and discriminator nodes; the inflator guesses among `guesses`."""
    answering: dict[str, AnswerBehaviour] = {"inflator": Inflator(tuple(guesses)), "copycat": Copycat()}
    judging: dict[str, VerdictBehaviour] = {"flag_everything": FlagEverything(), "withholder": Withholder()}
    nodes: list[Node] = []
    for member in cast:
        key, behaviour = keys[member.name], member.behaviour
        if member.role == "generator":
            nodes.append(GeneratorNode(key, roles.generators.get(member.model), answering.get(behaviour)))
        else:
            nodes.append(DiscriminatorNode(key, roles.discriminators.get(member.model), judging.get(behaviour)))
    return nodes


def make_askers(
    keys: Mapping[str, SigningKey], questions: Sequence[Question], truths: Callable[[str], tuple[str, ...] | None]
) -> list[Node]:
    """Return the author of the demo's questions and canaries, and the auditor, who knows `truths(prompt)`."""
    asked = [Asked(q.text, TIP_MICRO, TEXT_CLASS, (q.truth,) if q.canary else None) for q in questions]
    author = Asker(keys["author"], asked, in_flight=IN_FLIGHT)
    return [author, CanaryAuthor(keys["opener"], [author]), Auditor(keys["auditor"], truths)]
