"""A small run of the demo whose models are stand-ins: the network, the ledger and the report are real."""

import argparse
import contextlib
import io
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from deslm.demo import command
from deslm.demo.network import Roles, load_keys
from deslm.demo.outcome import tell
from deslm.demo.play import Company, play
from deslm.demo.setting import Setting, prepare
from deslm.demo.training import Trained
from deslm_jax.knowledge import KnowledgeBase
from tests.deslm.demo.stand_ins import StandInDiscriminator, StandInGenerator

GENERATORS, DISCRIMINATORS = ["demo-a", "demo-b", "demo-c"], ["demo-v", "demo-w"]


class Played(NamedTuple):
    """A finished run."""

    setting: Setting
    company: Company
    summary: dict
    printed: str


def make_setting(folder: Path, *options: str) -> Setting:
    """The setting that the command line would make."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return prepare(parser.parse_args(["--out", str(folder), "--questions", "40", "--unknown", "8", *options]))


def make_company(setting: Setting) -> Company:
    """The demo's cast with stand-ins for the models; they know nothing of untaught subjects."""
    truths = {question.text: question.truth for question in setting.questions}
    ignorant = {question.text: "no idea" for question in setting.questions if not question.taught}
    generators = {name: StandInGenerator(name, truths | ignorant, 0.75) for name in GENERATORS}
    for role in generators.values():
        role.answer(list(truths))
    cast = setting.cast(GENERATORS, DISCRIMINATORS)
    return Company(
        cast,
        load_keys(setting.folder.keys, setting.seed, cast),
        Roles(generators, {name: StandInDiscriminator(name, truths, 0.96) for name in DISCRIMINATORS}),
        KnowledgeBase.from_path(setting.facts_path, wordings=setting.folder.wordings),
    )


def finish(setting: Setting, company: Company) -> Played:
    """Play the network and tell its story."""
    out = io.StringIO()
    console = Console(file=out, width=120)
    with contextlib.closing(out):
        state_hash = play(setting, company, console)
        trained = Trained(GENERATORS, DISCRIMINATORS, 0.0)
        summary = tell(setting, trained, company, state_hash, {}, console)
        return Played(setting, company, summary, out.getvalue())
