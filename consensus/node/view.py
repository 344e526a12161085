"""What a node sees after a block, and what it may ask for: the two sides of a node without I/O."""

from typing import NamedTuple

from consensus.ledger.codec import Record
from consensus.ledger.genesis import Genesis, TaskClass
from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import sign_message
from consensus.ledger.state import State
from consensus.ledger.tasks import OpenTask, Phase, SettledTask

VALID_BLOCKS = 16  # a node's message may wait so long for a block


class Submit(NamedTuple):
    """Please send this signed transaction."""

    transaction: bytes


class AskAnswers(NamedTuple):
    """Please have the node's generator answer these questions, and call `receive_answers`."""

    questions: tuple[str, ...]


class AskVerdicts(NamedTuple):
    """Please have the node's discriminator judge these (question, answer) pairs, and call `receive_verdicts`."""

    pairs: tuple[tuple[str, str], ...]


Action = Submit | AskAnswers | AskVerdicts


class ChainView(NamedTuple):
    """The committed ledger as nodes see it. A node that starts anew needs no more than this."""

    chain_id: str
    height: int  # of the last block
    nonces: dict[bytes, int]
    tasks: tuple[OpenTask, ...]
    audits: tuple[SettledTask, ...]  # settled, waiting for the auditor's word
    classes: tuple[TaskClass, ...]

    def phase(self, task: OpenTask) -> Phase:
        """What the next block may contain for `task`."""
        return task.phase(self.height + 1)


def make_view(genesis: Genesis, state: State) -> ChainView:
    """The view of `state`."""
    return ChainView(
        genesis.chain_id,
        state.height,
        dict(zip(state.keys, state.nonces, strict=True)),
        tuple(state.open.values()),
        tuple(task for task in state.pending.values() if task.audit or task.challenge),
        genesis.classes,
    )


class Signer:
    """Signs one key's messages with ever higher nonces, also after a restart."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self._last = 0

    def sign(self, view: ChainView, body: Record) -> Submit:
        """`body` as a transaction for the next blocks."""
        self._last = max(self._last, view.nonces.get(self.key.public, 0)) + 1
        return Submit(sign_message(self.key, view.chain_id, self._last, view.height + VALID_BLOCKS, body))
