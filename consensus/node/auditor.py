"""Who brings the truth: the author of canaries opens them, the auditor named in the genesis answers audits (R6)."""

from collections.abc import Callable, Sequence

from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import AuditTruth
from consensus.ledger.tasks import Phase
from consensus.node.asker import Asker
from consensus.node.base import Node
from consensus.node.view import Action, ChainView, Signer


class CanaryAuthor(Node):
    """Opens the canaries of `askers` in their window. Signs with a key of its own: an opening needs only the salt."""

    def __init__(self, key: SigningKey, askers: Sequence[Asker]) -> None:
        super().__init__(key)
        self.askers, self.signer = askers, Signer(key)

    def on_block(self, view: ChainView) -> list[Action]:
        waiting = [task for task in view.tasks if view.phase(task) == Phase.CANARY_REVEAL and not task.canary]
        bodies = [asker.canary_reveal(task) for task in waiting for asker in self.askers]
        return [self.signer.sign(view, body) for body in bodies if body is not None]


class Auditor(Node):
    """Answers random audits and challenges with `truths(prompt)`: the right answers, () if there is none.

    A prompt it knows nothing about (None) stays unanswered; its wagers unlock after the window.
    """

    def __init__(self, key: SigningKey, truths: Callable[[str], tuple[str, ...] | None]) -> None:
        super().__init__(key)
        self.truths, self.signer = truths, Signer(key)

    def on_block(self, view: ChainView) -> list[Action]:
        known = [(task.id, self.truths(task.prompt)) for task in view.audits]
        return [self.signer.sign(view, AuditTruth(task_id, truths)) for task_id, truths in known if truths is not None]
