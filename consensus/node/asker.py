"""Who asks: puts its questions to the network, a few at a time, some of them canaries (R1, R6).

Question i is asked with nonce i + 1 and nothing else is signed with the key, so a restarted asker reads from the
ledger how far it got.
"""

from collections.abc import Sequence
from typing import NamedTuple

from consensus.ledger.errors import LedgerError
from consensus.ledger.hashing import truth_commitment
from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import CanaryReveal, Task, sign_message
from consensus.ledger.tasks import OpenTask
from consensus.node.base import Node
from consensus.node.view import VALID_BLOCKS, Action, ChainView, Submit


class Question(NamedTuple):
    """One question. `truths` makes it a canary: the answers that count as right, () if nobody can answer it."""

    prompt: str
    tip_micro: int
    task_class: int = 0
    truths: tuple[str, ...] | None = None


class Asker(Node):
    """Keeps `in_flight` tasks open until all questions are asked."""

    def __init__(self, key: SigningKey, questions: Sequence[Question], in_flight: int = 8) -> None:
        super().__init__(key)
        self.questions, self.in_flight = questions, in_flight

    def on_block(self, view: ChainView) -> list[Action]:
        asked = view.nonces.get(self.key.public, 0)
        room = self.in_flight - sum(task.author == self.key.public for task in view.tasks)
        return [self._ask(view, number) for number in range(asked, min(asked + max(room, 0), len(self.questions)))]

    def is_done(self, view: ChainView) -> bool:
        return view.nonces.get(self.key.public, 0) >= len(self.questions)

    def on_refused(self, reason: str) -> None:
        """LedgerError: a question that cannot be asked now would never be asked by waiting."""
        raise LedgerError(f"a question was refused: {reason}.")

    def canary_reveal(self, task: OpenTask) -> CanaryReveal | None:
        """What opens `task`, if it is a canary of this asker."""
        if task.author != self.key.public or not 1 <= task.nonce <= len(self.questions):
            return None
        truths = self.questions[task.nonce - 1].truths
        return None if truths is None else CanaryReveal(task.id, self._salt(task.nonce), truths)

    def _ask(self, view: ChainView, number: int) -> Submit:
        question, nonce = self.questions[number], number + 1
        if question.truths is None:
            commitment = self.key.derive_salt("no canary", nonce.to_bytes(8, "big"))
        else:
            commitment = truth_commitment(self._salt(nonce), question.truths)
        body = Task(question.task_class, question.prompt, question.tip_micro, commitment)
        return Submit(sign_message(self.key, view.chain_id, nonce, view.height + VALID_BLOCKS, body))

    def _salt(self, nonce: int) -> bytes:
        return self.key.derive_salt("canary", nonce.to_bytes(8, "big"))
