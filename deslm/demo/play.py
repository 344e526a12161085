"""The network's phase: begin a ledger or go on with one, and let the nodes answer until everything is settled."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from consensus.engine.local import LocalEngine
from consensus.ledger.keys import SigningKey
from consensus.ledger.store import ledger_file
from consensus.node.driver import run
from deslm_jax.knowledge import KnowledgeBase
from deslm_jax.roles import Answer, DiscriminatorRole, GeneratorRole

from .. import interrupts
from .cast import Member
from .live import Screen
from .network import Roles, load_keys, make_askers, make_demo_genesis, make_nodes
from .scoring import Vote
from .setting import Folder, Setting
from .summary import NodeAnswers


class Rehearsed:
    """A generator role whose answers to known questions are at hand; others go to its model."""

    def __init__(self, role: GeneratorRole, questions: Sequence[str]) -> None:
        self._role = role
        self.known: dict[str, Answer] = dict(zip(questions, role.answer(questions), strict=True))

    def answer(self, questions: Sequence[str]) -> list[Answer]:
        """As `GeneratorRole.answer`."""
        new = [question for question in questions if question not in self.known]
        if new:
            self.known.update(zip(new, self._role.answer(new), strict=True))
        return [self.known[question] for question in questions]


class Company(NamedTuple):
    """Everybody who takes part: the cast, their keys, the models they run."""

    cast: list[Member]
    keys: dict[str, SigningKey]
    roles: Roles
    knowledge: KnowledgeBase

    @property
    def public(self) -> dict[str, bytes]:
        """Every public key by name."""
        return {name: key.public for name, key in self.keys.items()}

    @property
    def guesses(self) -> list[str]:
        """What the inflator picks from: every answer the knowledge base holds."""
        return sorted({record.object for record in self.knowledge.records})


def gather_company(
    folder: Folder, cast: list[Member], seed: int, facts_path: Path, questions: Sequence[str] = ()
) -> Company:
    """Load keys and models of the cast; every generator model answers `questions` at once, to have them at hand."""
    knowledge = KnowledgeBase.from_path(facts_path, wordings=folder.wordings)
    models = {
        role: dict.fromkeys(m.model for m in cast if m.role == role and m.model)
        for role in ("generator", "discriminator")
    }
    generators = {
        name: Rehearsed(GeneratorRole.from_bundle(folder.models / name), questions) for name in models["generator"]
    }
    discriminators = {
        name: DiscriminatorRole.from_bundle(folder.models / name, knowledge) for name in models["discriminator"]
    }
    return Company(cast, load_keys(folder.keys, seed, cast), Roles(generators, discriminators), knowledge)


def honest_answers(company: Company) -> NodeAnswers:
    """What every honest generator node's model answers to each question."""
    said = {
        name: {text: Vote(*answer) for text, answer in role.known.items()}
        for name, role in company.roles.generators.items()
    }
    return {m.name: said[m.model] for m in company.cast if m.role == "generator" and m.is_honest}


def play(setting: Setting, company: Company, console: Console) -> str:
    """Play the network to its end on the run's ledger; returns the live state hash, hex.

    A finished run (one with a summary) is set aside as `ledger.previous` and a new one begins.
    """
    folder = setting.folder
    if folder.summary.exists():
        folder.summary.unlink()
        set_aside = folder.root / "ledger.previous"
        shutil.rmtree(set_aside, ignore_errors=True)
        if folder.ledger.exists():
            folder.ledger.rename(set_aside)
    sequencer = company.keys["sequencer"]
    if ledger_file(folder.ledger).exists():
        engine = LocalEngine.open(folder.ledger, sequencer)
        console.print(f"going on with the ledger at block {engine.height}")
    else:
        folder.ledger.mkdir(parents=True, exist_ok=True)
        genesis = make_demo_genesis(setting.seed, company.cast, company.keys)
        engine = LocalEngine.create(folder.ledger, genesis, sequencer)
    with engine:
        before_micro = stakes_before(engine.app.genesis.accounts)
        nodes = make_nodes(company.cast, company.keys, company.roles, company.guesses)
        nodes += make_askers(company.keys, setting.questions, setting.truths().get)
        with Screen(console, company.cast, company.public, before_micro, setting.questions) as screen:
            for result in run(engine, nodes):
                screen.show(result.events)
                interrupts.check()
        return engine.app_hash.hex()


def stakes_before(accounts: Sequence) -> Mapping[str, int]:
    """What each account of a genesis began with, micro-tokens by name."""
    return {account.name: account.liquid_micro + account.bonded_micro for account in accounts}
