"""What a run of the demo is about: its folder, its facts, its questions, its cast. The same options, the same run."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from consensus.files import write_text
from train.facts import (
    BUNDLED_FACTS,
    BUNDLED_TEMPLATES,
    Fact,
    load_facts,
    load_templates,
    split_templates,
    write_trained_wordings,
)

from ..errors import UserError
from .cast import Member, choose_cast
from .questions import Canaries, Question, choose_questions

# The author's plan, chosen by benchmarks/protocol_economy.py: docs/PROTOCOL.md, "Where it stands".
CANARIES = Canaries(share=0.2, unanswerable=0.3, lead=32)


class Folder(NamedTuple):
    """What lies where in a run's folder."""

    root: Path

    @property
    def models(self) -> Path:
        """Trained bundles, a folder each."""
        return self.root / "models"

    @property
    def ledger(self) -> Path:
        """The run's ledger."""
        return self.root / "ledger"

    @property
    def keys(self) -> Path:
        """Everybody's key files."""
        return self.root / "keys"

    @property
    def wordings(self) -> Path:
        """The trained question wordings, by which the knowledge base recognises relations."""
        return self.root / "wordings.tsv"

    @property
    def options(self) -> Path:
        """What the run is about; written first."""
        return self.root / "run.json"

    @property
    def summary(self) -> Path:
        """The run in figures; written last, so a run with a summary is finished."""
        return self.root / "summary.json"


class Setting(NamedTuple):
    """One run, before anything has happened."""

    folder: Folder
    seed: int
    facts_path: Path
    templates_path: Path | None  # None: generic wordings for every relation
    facts: Sequence[Fact]
    questions: list[Question]
    honest_only: bool

    def cast(self, generators: Sequence[str], discriminators: Sequence[str]) -> list[Member]:
        """Who plays, given the trained models' names."""
        return choose_cast(list(generators), list(discriminators), honest_only=self.honest_only)

    def truths(self) -> dict[str, tuple[str, ...]]:
        """Every question's truth, for the auditor."""
        return {question.text: (question.truth,) for question in self.questions}


def prepare(args: argparse.Namespace) -> Setting:
    """Return the run that the options ask for; its folder is made, and belongs to these options from then on.

    Raises UserError if the folder holds a run with other options.
    """
    facts_path = args.facts or Path(BUNDLED_FACTS)
    # A user's own facts are asked in generic wordings unless he brings his own.
    templates_path = args.templates or (None if args.facts else Path(BUNDLED_TEMPLATES))
    facts = load_facts(facts_path)
    templates = load_templates(templates_path, relations={fact.relation for fact in facts})
    wordings = split_templates(templates)
    questions = choose_questions(
        facts, wordings, seed=args.seed, taught=args.questions, untaught=args.unknown, canaries=CANARIES
    )
    setting = Setting(Folder(args.out), args.seed, facts_path, templates_path, facts, questions, args.honest_only)
    _claim(setting)
    write_trained_wordings(wordings, setting.folder.wordings)
    return setting


def _claim(setting: Setting) -> None:
    """Write down what this folder's run is, or, once something was made in it, compare with what stands there."""
    options = {
        "seed": setting.seed,
        "facts_sha256": hash_file(setting.facts_path),
        "templates_sha256": hash_file(setting.templates_path) if setting.templates_path else "",
        "questions": hashlib.sha256(repr(setting.questions).encode()).hexdigest(),
        "honest_only": setting.honest_only,
    }
    path = setting.folder.options
    setting.folder.root.mkdir(parents=True, exist_ok=True)
    begun = (setting.folder.models / "tokenizer.model").exists() or setting.folder.ledger.exists()
    if not path.exists() or not begun:
        # Paths are for `deslm ask` and `deslm profile`; what the run is about is the files' content.
        templates = str(setting.templates_path.resolve()) if setting.templates_path else ""
        paths = {"facts": str(setting.facts_path.resolve()), "templates": templates}
        write_text(path, json.dumps({**options, **paths}, indent=1) + "\n")
        return
    try:
        found = json.loads(path.read_text())
    except ValueError:
        raise UserError(f"{path} is damaged; name another folder with --out, or remove this one") from None
    differs = [name for name, value in options.items() if found.get(name) != value]
    if differs:
        raise UserError(
            f"{setting.folder.root} holds a run with other {', '.join(differs)}; choose another with --out or remove it"
        )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
