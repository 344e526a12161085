"""What a finished run's nodes were seen to say, with the truth beside it: the simulator's `Seen`, from the ledger."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from consensus.ledger import events
from consensus.ledger.genesis import Genesis
from consensus.ledger.replay import Replay, replay
from consensus.simulator.measuring import Opinion, Question, Seen
from consensus.units import Q16
from train.facts import (
    BUNDLED_TEMPLATES,
    Fact,
    ask,
    is_untaught_subject,
    load_facts,
    load_templates,
    split_templates,
)

from ..errors import UserError
from .cast import Member
from .setting import Folder, hash_file
from .summary import normalise

TAUGHT, UNTAUGHT = "taught", "untaught"


class Observed(NamedTuple):
    """A finished run: its verified ledger, who took part, and what is true."""

    ledger: Replay
    cast: dict[bytes, Member]  # by public key; who asks and orders is not in it
    facts: dict[str, Fact]  # by question

    @property
    def genesis(self) -> Genesis:
        """Block 0."""
        return self.ledger.genesis

    def truths(self, prompt: str) -> tuple[str, ...] | None:
        """What is right, None if the question is not of the demo."""
        return (self.facts[prompt].object,) if prompt in self.facts else None


def observe(run: Path) -> Observed:
    """Verify the ledger of the finished run in the folder `run` and say who did what.

    Raises UserError if there is no finished run or its facts have changed, LedgerError if the ledger does not verify.
    """
    folder = Folder(run)
    if not folder.summary.exists():
        raise UserError(f"{run} holds no finished run; make one with: deslm demo --out {run}")
    try:
        options, summary = json.loads(folder.options.read_text()), json.loads(folder.summary.read_text())
        members = {node["name"]: Member(*(str(node[field]) for field in Member._fields)) for node in summary["nodes"]}  # type: ignore[arg-type]
        facts = _questions_of_facts(options)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"the files of the run in {run} are damaged; run: deslm demo --out {run}") from None
    found = replay(folder.ledger)
    cast = {account.key: members[account.name] for account in found.genesis.accounts if account.name in members}
    return Observed(found, cast, facts)


def see(observed: Observed) -> Seen:
    """Every question of the demo and every revealed opinion on it."""
    settled = [
        row for row in observed.ledger.events if isinstance(row, events.Settled) and row.prompt in observed.facts
    ]
    answers: list[Opinion] = []
    verdicts: list[Opinion] = []
    for task in settled:
        fact = observed.facts[task.prompt]
        truth = normalise(fact.object)
        answers.extend(_answers(task, truth, observed.cast))
        verdicts.extend(_verdicts(task, truth, observed.cast))
    return Seen(
        tuple(_question(task, observed.facts[task.prompt]) for task in settled), tuple(answers), tuple(verdicts)
    )


def _question(task: events.Settled, fact: Fact) -> Question:
    kind = UNTAUGHT if is_untaught_subject(fact.subject) else TAUGHT
    return Question(task.prompt, kind, task.audit == "canary")


def _answers(task: events.Settled, truth: str, cast: Mapping[bytes, Member]) -> Iterable[Opinion]:
    for line in task.answers:
        member = cast[line.key]
        if line.candidate >= 0:
            text, model = normalise(line.text), member.model if member.is_honest else ""
            yield Opinion(task.prompt, member.name, model, text, line.confidence_q16 / Q16, text == truth)


def _verdicts(task: events.Settled, truth: str, cast: Mapping[bytes, Member]) -> Iterable[Opinion]:
    for line in task.verdicts:
        member = cast[line.key]
        model = member.model if member.is_honest else ""
        for candidate, p_false_q16, records in zip(task.candidates, line.p_false_q16, line.evidence, strict=False):
            text = normalise(candidate)
            yield Opinion(task.prompt, member.name, model, text, p_false_q16 / Q16, text != truth, bool(records))


def _questions_of_facts(options: dict) -> dict[str, Fact]:
    """The fact behind every question that the run could have asked."""
    facts_path, wanted = Path(options["facts"]), options["templates_sha256"]
    if not facts_path.is_file() or hash_file(facts_path) != options["facts_sha256"]:
        raise UserError(f"{facts_path} is not what it was in the run; restore it, or run the demo anew")
    templates_path = Path(options.get("templates") or BUNDLED_TEMPLATES) if wanted else None
    if templates_path is not None and (not templates_path.is_file() or hash_file(templates_path) != wanted):
        raise UserError(f"{templates_path} is not what it was in the run; restore it, or run the demo anew")
    facts = load_facts(facts_path)
    wordings = split_templates(load_templates(templates_path, relations={fact.relation for fact in facts}))
    return {ask(template, fact.subject): fact for fact in facts for template in wordings.test[fact.relation]}
