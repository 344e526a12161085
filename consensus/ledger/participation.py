"""Transactions about a task: asking it, and the commitments and reveals of its nodes (R1, R3)."""

from consensus.ledger import events
from consensus.ledger.codec import Record
from consensus.ledger.draft import Draft
from consensus.ledger.hashing import commitment
from consensus.ledger.limits import ANSWER_BYTES, PROMPT_BYTES
from consensus.ledger.messages import AnswerCommit, AnswerReveal, Message, Task, VerdictCommit, VerdictReveal
from consensus.ledger.tasks import Answer, Commit, OpenTask, Phase, Verdicts, insert_by_key, replace
from consensus.ledger.validation import ACCEPT, Ignore, Reject, Verdict, check_text
from consensus.rules.settle import can_open
from consensus.state import DISCRIMINATOR, GENERATOR

ANSWER, VERDICT = "answer", "verdict"  # domains of the two commitments


def commit_answer(task_id: bytes, key: bytes, salt: bytes, text: str, confidence_q16: int) -> bytes:
    """R3: the commitment that an `AnswerReveal` with these fields opens."""
    return commitment(ANSWER, task_id, key, salt, (text, confidence_q16))


def commit_verdicts(task_id: bytes, key: bytes, salt: bytes, verdicts: tuple[Record, ...]) -> bytes:
    """R3: the commitment that a `VerdictReveal` with these fields opens."""
    return commitment(VERDICT, task_id, key, salt, verdicts)


def check_task(draft: Draft, message: Message, body: Task) -> Verdict:
    """R1: a known class, a prompt, and money for the fee."""
    if body.task_class >= len(draft.genesis.classes):
        return Reject(f"no task class has the number {body.task_class}")
    if not body.prompt.strip():
        return Reject("the prompt is empty")
    text = check_text(body.prompt, "prompt", PROMPT_BYTES)
    if text != ACCEPT:
        return text
    if not can_open(draft.network, draft.nodes, draft.row[message.key], body.tip_micro):
        return Reject("the account cannot pay base fee and tip, or the tip is above its bound")
    if draft.spendable_micro(message.key) < int(draft.network.base_fee_micro) + body.tip_micro:
        return Reject("the account cannot pay for all tasks it asks in this block")
    return ACCEPT


def apply_task(draft: Draft, message: Message, body: Task) -> None:
    """Reserve the fee; the task opens at the end of the block, when the beacon that draws its seats is known."""
    fee_micro = int(draft.network.base_fee_micro) + body.tip_micro
    draft.reserved_micro[message.key] = draft.reserved_micro.get(message.key, 0) + fee_micro
    draft.asked.append(message)


def check_answer_commit(draft: Draft, message: Message, body: AnswerCommit) -> Verdict:
    """R3: by a generator of the task, in time, once."""
    task = _seated(draft, body.task_id, message.key, GENERATOR, Phase.ANSWER_COMMIT)
    if not isinstance(task, OpenTask):
        return task
    if _find(task.answer_commits, message.key):
        return Reject("this generator has committed to an answer already")
    return ACCEPT


def apply_answer_commit(draft: Draft, message: Message, body: AnswerCommit) -> None:
    """Write the commitment down."""
    task = draft.open[body.task_id]
    commits = insert_by_key(task.answer_commits, Commit(message.key, body.commitment))
    draft.open[task.id] = replace(task, answer_commits=commits)


def check_answer_reveal(draft: Draft, message: Message, body: AnswerReveal) -> Verdict:
    """R3: opens this generator's commitment, in time, once."""
    task = _seated(draft, body.task_id, message.key, GENERATOR, Phase.ANSWER_REVEAL)
    if not isinstance(task, OpenTask):
        return task
    if _find(task.answers, message.key):
        return Reject("this generator has revealed its answer already")
    text = check_text(body.text, "answer", ANSWER_BYTES)
    if text != ACCEPT:
        return text
    opened = commit_answer(body.task_id, message.key, body.salt, body.text, body.confidence_q16)
    return _check_opening(task.answer_commits, message.key, opened)


def apply_answer_reveal(draft: Draft, message: Message, body: AnswerReveal) -> None:
    """Write the answer down; its salt feeds the beacon."""
    task = draft.open[body.task_id]
    answers = insert_by_key(task.answers, Answer(message.key, body.text, body.confidence_q16))
    draft.open[task.id] = replace(task, answers=answers)
    draft.salts.append(body.salt)
    row = events.AnswerRevealed(draft.height, task.id, message.key, body.text, body.confidence_q16)
    draft.events.append(row)


def check_verdict_commit(draft: Draft, message: Message, body: VerdictCommit) -> Verdict:
    """R3: by a discriminator of the task, in time, once, and if there is anything to judge."""
    task = _seated(draft, body.task_id, message.key, DISCRIMINATOR, Phase.VERDICT_COMMIT)
    if not isinstance(task, OpenTask):
        return task
    if not task.candidates:
        return Ignore("no answer was revealed, there is nothing to judge")
    if _find(task.verdict_commits, message.key):
        return Reject("this discriminator has committed to its verdicts already")
    return ACCEPT


def apply_verdict_commit(draft: Draft, message: Message, body: VerdictCommit) -> None:
    """Write the commitment down."""
    task = draft.open[body.task_id]
    commits = insert_by_key(task.verdict_commits, Commit(message.key, body.commitment))
    draft.open[task.id] = replace(task, verdict_commits=commits)


def check_verdict_reveal(draft: Draft, message: Message, body: VerdictReveal) -> Verdict:
    """R3: opens this discriminator's commitment, in time, once, with a verdict for each candidate."""
    task = _seated(draft, body.task_id, message.key, DISCRIMINATOR, Phase.VERDICT_REVEAL)
    if not isinstance(task, OpenTask):
        return task
    if len(body.verdicts) != len(task.candidates):
        return Reject(f"{len(body.verdicts)} verdicts for {len(task.candidates)} candidates")
    if _find(task.verdicts, message.key):
        return Reject("this discriminator has revealed its verdicts already")
    opened = commit_verdicts(body.task_id, message.key, body.salt, body.verdicts)
    return _check_opening(task.verdict_commits, message.key, opened)


def apply_verdict_reveal(draft: Draft, message: Message, body: VerdictReveal) -> None:
    """Write the verdicts down; their salt feeds the beacon."""
    task = draft.open[body.task_id]
    verdicts = insert_by_key(task.verdicts, Verdicts(message.key, body.verdicts))
    draft.open[task.id] = replace(task, verdicts=verdicts)
    draft.salts.append(body.salt)
    p_false_q16 = tuple(verdict.p_false_q16 for verdict in body.verdicts)
    evidence = tuple(verdict.evidence for verdict in body.verdicts)
    draft.events.append(events.VerdictRevealed(draft.height, task.id, message.key, p_false_q16, evidence))


def _seated(draft: Draft, task_id: bytes, key: bytes, role: int, phase: Phase) -> OpenTask | Verdict:
    """The open task, if `key` has a seat of `role` in it and this block is in the window; else why not."""
    task = draft.open.get(task_id)
    if task is None:
        return Ignore("no open task has this id")
    if key not in (task.generators, task.discriminators)[role]:
        return Reject("the key has no such seat in this task")
    current = task.phase(draft.height)
    if current < phase:
        return Ignore(f"too early: the window opens after block {task.deadlines[phase - 1]}")
    if current > phase:
        return Ignore(f"too late: the window closed with block {task.deadlines[phase]}")
    return task


def _find(rows: tuple, key: bytes) -> tuple:
    return tuple(row for row in rows if row.key == key)


def _check_opening(commits: tuple[Commit, ...], key: bytes, opened: bytes) -> Verdict:
    found = _find(commits, key)
    if not found:
        return Reject("nothing was committed that this could open")
    if found[0].commitment != opened:
        return Reject("what is revealed is not what was committed")
    return ACCEPT
