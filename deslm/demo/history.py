"""What the ledger's events say of every task and every node, gathered for scoring and for the report."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from consensus.ledger import events

from .cast import Member
from .questions import Question


class Task(NamedTuple):
    """One settled task, with all that its later events added."""

    question: Question
    settled: events.Settled
    audited: events.Audited | None
    payments: tuple[events.Payment, ...]  # of every event of this task, in order


class History(NamedTuple):
    """A run as the ledger tells it."""

    tasks: tuple[Task, ...]  # in the order settled
    blocks: tuple[events.BlockEnded, ...]

    @property
    def final(self) -> dict[bytes, events.NodeLine]:
        """Every account after the last block, by key."""
        return {line.key: line for line in self.blocks[-1].nodes}


def gather(rows: Iterable[events.Event], questions: Sequence[Question]) -> History:
    """Return the history of the tasks whose prompt is one of `questions`; other tasks are left out."""
    by_text = {question.text: question for question in questions}
    settled: dict[bytes, events.Settled] = {}
    audited: dict[bytes, events.Audited] = {}
    payments: dict[bytes, list[events.Payment]] = defaultdict(list)
    blocks: list[events.BlockEnded] = []
    for row in rows:
        match row:
            case events.BlockEnded():
                blocks.append(row)
            case events.Settled():
                settled[row.task_id] = row
            case events.Audited():
                audited[row.task_id] = row
        payments[getattr(row, "task_id", b"")].extend(getattr(row, "payments", ()))
    tasks = tuple(
        Task(by_text[row.prompt], row, audited.get(task_id), tuple(payments[task_id]))
        for task_id, row in settled.items()
        if row.prompt in by_text
    )
    return History(tasks, tuple(blocks))


def name_keys(keys: dict[str, bytes], cast: Sequence[Member]) -> dict[bytes, Member]:
    """Return who stands behind each public key; `keys` maps a member's name to its key."""
    return {keys[member.name]: member for member in cast}
