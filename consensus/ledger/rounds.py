"""A task's record as the arrays the rules take: keys become rows, answers become candidate numbers."""

import numpy as np

from consensus.ledger.draft import Draft
from consensus.ledger.equality import canonical
from consensus.ledger.hashing import DRAW_BYTES, draw
from consensus.ledger.tasks import OpenTask
from consensus.state import Array, Round


def draw_seats(beacon: bytes, task_id: bytes, purpose: str, seats: int) -> Array:
    """Beacon bytes for each seat [S,16], int64."""
    return np.array([draw(beacon, task_id, purpose, seat) for seat in range(seats)], np.int64).reshape(-1, DRAW_BYTES)


def draw_once(beacon: bytes, task_id: bytes, purpose: str) -> Array:
    """Beacon bytes for one choice [16], int64."""
    return np.array(draw(beacon, task_id, purpose), np.int64)


def build_round(draft: Draft, task: OpenTask) -> Round:
    """The round the rules settle or audit: seats, and what was revealed in time."""
    candidate = number_answers(task, draft.genesis.classes[task.task_class].equality)
    G, D = len(task.generators), len(task.discriminators)
    confidence = {answer.key: answer.confidence_q16 for answer in task.answers}
    verdicts = {row.key: row.verdicts for row in task.verdicts}
    verdict_q16_DC, evidence_DC = np.zeros((D, G), np.int64), np.zeros((D, G), np.int64)
    for seat, key in enumerate(task.discriminators):
        for j, verdict in enumerate(verdicts.get(key, ())):
            verdict_q16_DC[seat, j] = verdict.p_false_q16
            evidence_DC[seat, j] = bool(verdict.evidence)
    return Round(
        task_class=np.asarray(task.task_class, np.int64),
        fee_micro=np.asarray(task.fee_micro, np.int64),
        tip_micro=np.asarray(task.tip_micro, np.int64),
        emission_micro=np.asarray(task.emission_micro, np.int64),
        flat_fee_micro_R=np.array(task.flat_fee_micro, np.int64),
        wager_micro_R=np.array(task.wager_micro, np.int64),
        generator_G=draft.rows_of(task.generators),
        discriminator_D=draft.rows_of(task.discriminators),
        answer_G=np.array([candidate.get(key, -1) for key in task.generators], np.int64),
        confidence_q16_G=np.array([confidence.get(key, 0) for key in task.generators], np.int64),
        revealed_D=np.array([key in verdicts for key in task.discriminators], np.int64),
        verdict_q16_DC=verdict_q16_DC,
        evidence_DC=evidence_DC,
    )


def number_answers(task: OpenTask, equality: int) -> dict[bytes, int]:
    """The candidate number of each generator that revealed an answer."""
    numbers = {candidate.form: number for number, candidate in enumerate(task.candidates)}
    return {answer.key: numbers[canonical(equality, answer.text)] for answer in task.answers}
