"""A ledger as a `Recorded` run: what was revealed and in which order it settled, ready to be settled again.

Every task gets the steps that the rules could ask for, whether they did or not: an audit that the beacon did not pick
under the run's parameters may be picked under others. It then takes place one block after the settlement, which is when
an auditor who is always there answers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from consensus.ledger.app import App, FinalizedBlock
from consensus.ledger.auditing import CANARY, NONE, RANDOM
from consensus.ledger.block import Block
from consensus.ledger.codec import decode
from consensus.ledger.equality import canonical
from consensus.ledger.errors import LedgerError
from consensus.ledger.events import Audited, Settled, TaskOpened
from consensus.ledger.genesis import Genesis, first_state
from consensus.ledger.limits import BLOCK_BYTES
from consensus.ledger.messages import (
    AnswerCommit,
    AnswerReveal,
    AuditTruth,
    CanaryReveal,
    Task,
    VerdictCommit,
    VerdictReveal,
    parse_body,
    parse_envelope,
)
from consensus.ledger.replay import replay_blocks
from consensus.ledger.rounds import draw_once
from consensus.ledger.store import Store
from consensus.recorded import AUDIT, CLOSE, END, OPEN, SETTLE, Recorded, RecordedTasks

Truths = Callable[[str], Sequence[str] | None]
_PLAYED = (Task, AnswerCommit, AnswerReveal, VerdictCommit, VerdictReveal, CanaryReveal, AuditTruth)


class Recording(NamedTuple):
    """A run and the names behind its numbers."""

    recorded: Recorded
    task_ids: tuple[bytes, ...]  # of task t
    prompts: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...]
    keys: tuple[bytes, ...]  # of row n


def record(path: str | Path, truths: Truths = lambda prompt: None) -> Recording:
    """Verify the ledger at `path` and return what its nodes revealed.

    `truths(prompt)` are the right answers of tasks that were not audited, None if nobody knows: then no audit finds out
    either. LedgerError if the ledger does not verify, or holds what cannot be settled again: transfers, bonds,
    challenges, equivocations, changes of parameters.
    """
    with Store.open(path, read_only=True) as store:
        genesis, app = store.genesis(), App()
        app.init_chain(genesis)
        blocks = []
        for height, result in enumerate(replay_blocks(store, app), start=1):
            _require_play(height, decode(store.block(height), Block, 2 * BLOCK_BYTES).transactions)
            blocks.append((result, app.state.beacon))
    return _Recorder(genesis, blocks, truths).finish()


def _require_play(height: int, transactions: Sequence[bytes]) -> None:
    for data in transactions:
        body = parse_body(parse_envelope(data)).body
        if not isinstance(body, _PLAYED):
            raise LedgerError(
                f"block {height} holds a {type(body).__name__}; only tasks, answers, verdicts and truths can be "
                "settled again."
            )


class _Recorder:
    """Gathers the tasks and the steps of a verified run."""

    def __init__(self, genesis: Genesis, blocks: list[tuple[FinalizedBlock, bytes]], truths: Truths) -> None:
        self.genesis, self.blocks, self.truths = genesis, blocks, truths
        self.keys = tuple(account.key for account in genesis.accounts)
        self.row = {key: number for number, key in enumerate(self.keys)} | {b"": -1}
        events = [event for result, _ in blocks for event in result.events]
        self.settled = {event.task_id: event for event in events if isinstance(event, Settled)}
        self.audited = {event.task_id: event for event in events if isinstance(event, Audited)}
        self.opened = {event.task_id: event for event in events if isinstance(event, TaskOpened)}
        self.number = {task_id: t for t, task_id in enumerate(self.opened)}
        self.beacons = {result.height: beacon for result, beacon in blocks}

    def finish(self) -> Recording:
        """Everything as arrays."""
        rows = [self._task(task_id) for task_id in self.opened]
        columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
        if not columns:
            raise LedgerError("the ledger holds no task; there is nothing to settle again.")
        steps = np.array(list(self._steps()), np.int64)
        network, nodes = first_state(self.genesis)
        recorded = Recorded(self.genesis.params(), network, nodes, RecordedTasks(*columns), steps[:, 0], steps[:, 1])
        none: tuple[str, ...] = ()
        candidates = (self.settled[task_id].candidates if task_id in self.settled else none for task_id in self.opened)
        prompts = tuple(event.prompt for event in self.opened.values())
        return Recording(recorded, tuple(self.opened), prompts, tuple(candidates), self.keys)

    def _steps(self) -> Iterator[tuple[int, int]]:
        """In the order of the ledger: transactions, then openings, settlements, what is due, the end of the block."""
        window = int(self.genesis.params().challenge_window_blocks)
        due: dict[int, list[int]] = defaultdict(list)
        waiting: list[int] = []
        for result, _ in self.blocks:
            yield from ((AUDIT, t) for t in waiting)
            waiting = []
            opened = 0
            for event in result.events:
                t = self.number.get(getattr(event, "task_id", b""), -1)
                if isinstance(event, TaskOpened):
                    opened += 1
                    yield OPEN, t
                elif isinstance(event, Settled):
                    yield SETTLE, t
                    due[result.height + window].append(t)
                    if event.audit == NONE and self._know(event) is not None:
                        waiting.append(t)
                elif isinstance(event, Audited) and event.kind == RANDOM:
                    yield AUDIT, t
            yield from ((CLOSE, t) for t in due[result.height])
            yield END, opened

    def _know(self, settled: Settled) -> list[int] | None:
        """1 for each candidate that is true, None if nobody knows."""
        if settled.task_id in self.audited:
            return list(self.audited[settled.task_id].candidate_is_true)
        truths = self.truths(settled.prompt)
        if truths is None:
            return None
        equality = self.genesis.classes[settled.task_class].equality
        right = {canonical(equality, truth) for truth in truths}
        return [int(canonical(equality, text) in right) for text in settled.candidates]

    def _task(self, task_id: bytes) -> tuple:
        """The leaves of `RecordedTasks` for one task; of one that never settled only the opening counts."""
        opened, settled = self.opened[task_id], self.settled.get(task_id)
        G = len(opened.generators)
        answers = {line.key: line for line in settled.answers} if settled else {}
        verdicts = {line.key: line for line in settled.verdicts if line.p_false_q16} if settled else {}
        truth = self._know(settled) if settled else None
        fill = lambda row, empty=0: [*row, *[empty] * (G - len(row))]
        draws = [
            draw_once(self.beacons[settled.height], task_id, name) if settled else np.zeros(16, np.int64)
            for name in ("candidate", "audit")
        ]
        return (
            opened.task_class,
            opened.tip_micro,
            self.row[opened.author],
            self.row[self.genesis.sequencer],
            int(settled is not None and settled.audit == CANARY),
            [self.row[key] for key in opened.generators],
            [self.row[key] for key in opened.discriminators],
            [answers[key].candidate if key in answers else -1 for key in opened.generators],
            [answers[key].confidence_q16 if key in answers else 0 for key in opened.generators],
            [int(key in verdicts) for key in opened.discriminators],
            [fill(verdicts[key].p_false_q16 if key in verdicts else ()) for key in opened.discriminators],
            [
                fill([int(bool(found)) for found in verdicts[key].evidence] if key in verdicts else ())
                for key in opened.discriminators
            ],
            int(truth is not None),
            fill(truth or []),
            *draws,
        )
