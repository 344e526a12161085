"""What a driver needs of anything that holds a key and reacts to blocks."""

from typing import Any

from consensus.ledger.keys import SigningKey
from consensus.node.view import Action, ChainView


class Node:
    """A key that reacts to blocks. `role` is the model that a driver asks on its behalf, None if it needs none."""

    def __init__(self, key: SigningKey, role: Any = None) -> None:
        self.key, self.role = key, role

    def on_block(self, view: ChainView) -> list[Action]:
        """What the node wants done before the next block. Called once a block."""
        raise NotImplementedError

    def is_done(self, view: ChainView) -> bool:
        """Whether it will begin nothing more by itself; most nodes only react."""
        return True

    def on_refused(self, reason: str) -> None:
        """The ledger rejected what the node submitted; most nodes look at the next block and try again."""
