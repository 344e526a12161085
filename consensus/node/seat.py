"""What generator and discriminator nodes have in common: two windows for each task in which they hold a seat.

A node is a state machine without I/O: it is told what the ledger holds and returns what it wants done. What it has to
remember it can derive again: salts from its key and the task, its commitment from the ledger. So a node that was killed
starts anew from the open tasks alone.
"""

from abc import ABC, abstractmethod
from typing import Any

from consensus.ledger.keys import SigningKey
from consensus.ledger.tasks import OpenTask, Phase
from consensus.node.base import Node
from consensus.node.view import Action, ChainView, Signer, Submit


class SeatedNode(Node, ABC):
    """A node that takes part in tasks."""

    def __init__(self, key: SigningKey, role: Any = None) -> None:
        super().__init__(key, role)
        self.signer = Signer(key)
        self._view: ChainView | None = None
        self._sent: set[bytes] = set()  # tasks served since the last block
        self._wanted: list[Any] = []  # what the model is asked next

    def on_block(self, view: ChainView) -> list[Action]:
        self._view, self._sent = view, set()
        self.forget({task.id for task in view.tasks})
        return self.act()

    def act(self) -> list[Action]:
        """Serve every task that waits for this node and was not served since the last block."""
        if self._view is None:
            return []
        self._wanted = []
        actions: list[Action] = []
        for task in self._view.tasks:
            submit = None if task.id in self._sent else self.serve(self._view, task)
            if submit is not None:
                self._sent.add(task.id)
                actions.append(submit)
        if self._wanted:
            actions.append(self.ask(tuple(dict.fromkeys(self._wanted))))
        return actions

    @abstractmethod
    def serve(self, view: ChainView, task: OpenTask) -> Submit | None:
        """The message `task` waits for from this node, if any; notes in `_wanted` what the model must say first."""

    @abstractmethod
    def ask(self, wanted: tuple) -> Action:
        """The request to the model."""

    @abstractmethod
    def forget(self, open_tasks: set[bytes]) -> None:
        """Drop what belongs to no open task."""


def is_listed(rows: tuple, key: bytes) -> bool:
    """Whether `key` has a row among the task's commitments or reveals."""
    return any(row.key == key for row in rows)


def get_commitment(rows: tuple, key: bytes) -> bytes:
    """The commitment of `key`, b"" if it made none."""
    return next((row.commitment for row in rows if row.key == key), b"")


def needs(view: ChainView, task: OpenTask, phase: Phase) -> bool:
    """Whether the next block is in that window of the task."""
    return view.phase(task) == phase
