"""The record of one task, from the block that asked it until nothing about it is pending.

While a task is open its record holds everything a node needs to take part, so a node can restart from the open tasks
alone. Once settled, only what an audit, a challenge or an escrow still needs is kept, and then nothing.
"""

from enum import IntEnum

import msgspec

from consensus.ledger.codec import Bytes32, Integer, Natural, Record
from consensus.ledger.equality import canonical
from consensus.ledger.messages import CandidateVerdict

NOBODY = b""  # the key of a seat that found no eligible node


class Phase(IntEnum):
    """What a task waits for in one block; also the index of that window's last height in `OpenTask.deadlines`."""

    ANSWER_COMMIT, ANSWER_REVEAL, VERDICT_COMMIT, VERDICT_REVEAL, CANARY_REVEAL = range(5)
    SETTLED = 5


class Commit(Record, frozen=True):
    """A commitment that stands in the ledger."""

    key: Bytes32
    commitment: Bytes32


class Answer(Record, frozen=True):
    """A revealed answer."""

    key: Bytes32
    text: str
    confidence_q16: Natural


class Verdicts(Record, frozen=True):
    """A discriminator's revealed verdicts, one for each candidate."""

    key: Bytes32
    verdicts: tuple[CandidateVerdict, ...]


class Candidate(Record, frozen=True):
    """A distinct answer: the form it is compared by, and the first spelling in byte order that was proposed."""

    form: str
    text: str


class OpenTask(Record, frozen=True):
    """A task that has not settled. Lists of what came in are in ascending key order."""

    id: Bytes32
    author: Bytes32
    nonce: Natural  # of the message that asked it
    task_class: Natural
    prompt: str
    truth_commitment: Bytes32
    tip_micro: Natural
    fee_micro: Natural  # base fee + tip
    emission_micro: Natural
    flat_fee_micro: tuple[int, int]  # a paid seat's fee: generator, discriminator
    wager_micro: tuple[int, int]  # what each seat put up
    opened: Natural  # height
    deadlines: tuple[int, int, int, int, int]  # last height of each `Phase`
    generators: tuple[bytes, ...]  # key of each seat, NOBODY if none was eligible
    discriminators: tuple[bytes, ...]
    answer_commits: tuple[Commit, ...] = ()
    answers: tuple[Answer, ...] = ()
    candidates: tuple[Candidate, ...] = ()  # by ascending bytes of `form`, fixed when the answer window closes
    verdict_commits: tuple[Commit, ...] = ()
    verdicts: tuple[Verdicts, ...] = ()
    canary: tuple[tuple[str, ...], ...] = ()  # (truths,) once a canary was opened

    def phase(self, height: int) -> Phase:
        """What block `height` may contain for this task."""
        return Phase(sum(height > last for last in self.deadlines))


class Bond(Record, frozen=True):
    """An open challenge."""

    challenger: Bytes32
    bond_micro: Natural
    deadline: Natural  # height until which the auditor's word counts


class SettledTask(Record, frozen=True):
    """What is left of a settled task: escrow to release, and what an audit or a challenge needs."""

    id: Bytes32
    task_class: Natural
    prompt: str
    accepted: tuple[Candidate, ...]  # (the accepted answer,), or () after an abstention
    fee_micro: Natural
    release: Natural  # height at whose end escrow is released and an audit without a truth is given up
    escrow: tuple[tuple[bytes, int], ...]  # (generator's key, amount)
    known: Natural = 0  # 1 once its truth is: nobody can challenge it any more
    audit: tuple[OpenTask, ...] = ()  # (the whole record,) while the beacon's random audit waits for its truth
    outcome: tuple[tuple[Integer, ...], ...] = ()  # the leaves of that record's Outcome, in row order
    challenge: tuple[Bond, ...] = ()

    def due(self) -> int:
        """Height at whose end the record is closed unless a truth closes it before."""
        return max(self.release, *(bond.deadline for bond in self.challenge), 0)


def insert_by_key(rows: tuple, row: Record) -> tuple:
    """`rows` with `row` added, in ascending order of `.key`."""
    return tuple(sorted((*rows, row), key=lambda r: r.key))


def compute_candidates(answers: tuple[Answer, ...], equality: int) -> tuple[Candidate, ...]:
    """R4: the distinct answers under the class's equality, by ascending bytes of their canonical form."""
    texts: dict[str, str] = {}
    for answer in answers:
        form = canonical(equality, answer.text)
        texts[form] = min(texts.get(form, answer.text), answer.text, key=str.encode)
    return tuple(Candidate(form, texts[form]) for form in sorted(texts, key=str.encode))


def replace(task: OpenTask, **changes: object) -> OpenTask:
    """`task` with some fields changed."""
    return msgspec.structs.replace(task, **changes)
