"""`deslm ask "What is the capital of Peru?"`: put one question to a trained network and show how it decides.

The network goes on from where the demo's ledger ended, with the stakes, reputations and voices its nodes earned
there, on a copy of that ledger: the demo's own stays as it was verified.
"""

import argparse
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from .compiler import configure
from .errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from consensus.ledger import events

    from .demo.play import Company


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the question and the run."""
    parser.add_argument("question", help="what to ask, in quotes")
    parser.add_argument("--run", type=Path, default=Path("runs/demo"), help="a finished demo (default: runs/demo)")


def run(args: argparse.Namespace) -> int:
    """Print the decision and return 0, also if the network abstains."""
    configure(args.run)
    from rich.console import Console

    from deslm_jax.prompts import normalise_text

    from .demo.recall import recall

    question = normalise_text(args.question)
    if not question:
        raise UserError('the question is empty; ask something: deslm ask "What is the capital of Peru?"')
    company = recall(args.run)
    for role in company.roles.generators.values():
        role.answer([question])  # a question that no model reads is refused here, with the ledger untouched
    settled = _put(question, company, _copy_ledger(args.run / "ledger", args.run / "ask"))
    _show(settled, company, Console(highlight=False))
    return 0


def _copy_ledger(source: Path, folder: Path) -> Path:
    """Return the ledger that questions to this run extend; it begins as a copy of the run's own."""
    from consensus.ledger.store import FILE_NAME, Store

    with Store.open(source, read_only=True) as store:
        target = folder / store.tip().app_hash.hex()[:16]
    if not (target / FILE_NAME).exists():
        target.mkdir(parents=True, exist_ok=True)
        draft = target / f".{FILE_NAME}.{os.getpid()}"
        try:
            with closing(sqlite3.connect(source / FILE_NAME)) as old, closing(sqlite3.connect(draft)) as new:
                old.backup(new)
            os.replace(draft, target / FILE_NAME)
        finally:
            draft.unlink(missing_ok=True)
    return target


def _put(question: str, company: "Company", ledger: Path) -> "events.Settled":
    """Ask the question and step the network until it is settled."""
    from consensus.engine.local import LocalEngine
    from consensus.ledger import events
    from consensus.node.asker import Asker, Question
    from consensus.node.driver import Driver

    from .demo.network import TIP_MICRO, make_nodes

    visitor = company.keys["visitor"]
    with LocalEngine.open(ledger, company.keys["sequencer"]) as engine:
        nodes = make_nodes(company.cast, company.keys, company.roles, company.guesses)
        driver = Driver(engine, nodes)
        asked = driver.view().nonces.get(visitor.public, 0)
        # The asker numbers its questions by its nonce: what was asked before keeps its place.
        driver.nodes = [*nodes, Asker(visitor, [Question(question, TIP_MICRO)] * (asked + 1))]
        while True:
            for row in driver.step().events:
                if isinstance(row, events.Settled) and row.author == visitor.public and row.nonce == asked + 1:
                    return row


def _show(settled: "events.Settled", company: "Company", console: "Console") -> None:
    """Print the decision and everything it rests on."""
    from rich.table import Table

    from consensus.units import Q12, Q16

    from .demo.history import name_keys
    from .demo.story import cite

    names = name_keys(company.public, company.cast)
    odds = f"margin {settled.margin_q12 / Q12:+.2f}, threshold {settled.tau_q12 / Q12:.2f}"
    if settled.accepted >= 0:
        console.print(f"[bold]{_plain(settled.accepted_text)}[/bold]   (accepted: {odds})")
    else:
        console.print(f"[bold]no answer[/bold]   (the network abstains: {settled.reason}; {odds})")
    candidates = Table("candidate", "score", "generators", "discriminators")
    for j, text in enumerate(settled.candidates):
        scores = (settled.score_q12[j], settled.generator_score_q12[j], settled.discriminator_score_q12[j])
        candidates.add_row(_plain(text), *(f"{score / Q12:+.2f}" for score in scores))
    answers = Table("generator", "seats", "answers", "confidence", "voice")
    for line in settled.answers:
        shown = (line.text, f"{line.confidence_q16 / Q16:.2f}") if line.candidate >= 0 else ("(not revealed)", "")
        answers.add_row(names[line.key].name, str(line.seats), _plain(shown[0]), shown[1], f"{line.beta_q16 / Q16:.2f}")
    verdicts = Table("discriminator", "seats", "P(false) of each candidate", "evidence", "voice")
    for verdict in settled.verdicts:
        said = ", ".join(
            f"{_plain(text)} {p_false / Q16:.2f}"
            for text, p_false in zip(settled.candidates, verdict.p_false_q16, strict=False)
        )
        read = dict.fromkeys(i for ids in verdict.evidence for i in ids)
        records = " ".join(cite(company.knowledge, i) for i in read)
        verdicts.add_row(
            names[verdict.key].name,
            str(verdict.seats),
            said or "(not revealed)",
            _plain(records) or "none found",
            f"{verdict.beta_q16 / Q16:.2f}",
        )
    for table in (candidates, answers, verdicts):
        console.print(table)


def _plain(text: str) -> str:
    """`text` with nothing that a terminal or the markup would act on."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else " " for c in text))
