"""The state a block is working on: a cheap copy of the last one, changed transaction by transaction, then frozen."""

from collections.abc import Sequence

import numpy as np

from consensus.ledger.events import Event, Payment
from consensus.ledger.genesis import Genesis
from consensus.ledger.messages import Message
from consensus.ledger.state import State
from consensus.ledger.tasks import NOBODY
from consensus.ledger.validation import Admission
from consensus.state import Array, Nodes


class Draft:
    """A `State` under construction, and what the block has gathered: salts, tasks to open, money they need, events."""

    def __init__(self, genesis: Genesis, admission: Admission, state: State) -> None:
        self.genesis, self.admission = genesis, admission
        self.params, self.network, self.nodes = state.params, state.network, state.nodes
        self.keys, self.row, self.nonces = state.keys, state.row, list(state.nonces)
        self.beacon, self.equivocators = state.beacon, state.equivocators
        self.open, self.pending = dict(state.open), dict(state.pending)
        self.height = int(state.network.height)  # of the block under construction
        self.salts: list[bytes] = []  # revealed in this block, for the beacon
        self.asked: list[Message] = []  # tasks that open at the end of this block
        self.reserved_micro: dict[bytes, int] = {}  # what the payers of `asked` may no longer spend
        self.events: list[Event] = []

    def freeze(self) -> State:
        """The finished state."""
        return State(
            self.params,
            self.network,
            self.nodes,
            self.keys,
            tuple(self.nonces),
            self.row,
            self.beacon,
            self.open,
            self.pending,
            self.equivocators,
        )

    def spendable_micro(self, key: bytes) -> int:
        """Liquid of `key` that no task asked in this block needs."""
        return int(self.nodes.liquid_micro_N[self.row[key]]) - self.reserved_micro.get(key, 0)

    def rows_of(self, keys: Sequence[bytes]) -> Array:
        """Row of each key [S], -1 for nobody."""
        return np.array([-1 if key == NOBODY else self.row[key] for key in keys], dtype=np.int64)

    def amounts_of(self, amounts: Sequence[tuple[bytes, int]]) -> Array:
        """Amounts by key as an array [N]; a key may occur more than once."""
        amount_N = np.zeros(len(self.keys), dtype=np.int64)
        for key, amount_micro in amounts:
            amount_N[self.row[key]] += amount_micro
        return amount_N

    def payments(self, amount_N: Array, reason: str) -> list[Payment]:
        """One payment for each row whose amount is not 0."""
        return [Payment(self.keys[i], int(amount_N[i]), reason) for i in np.flatnonzero(amount_N)]


def compute_stakes(nodes: Nodes) -> Array:
    """What each account owns in all [N]: liquid + bonded + unbonding + escrow."""
    return nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N
