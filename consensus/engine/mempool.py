"""Transactions that wait for a block: in the order they came, within limits, each checked before it may wait."""

from collections import Counter
from collections.abc import Iterable

from consensus.ledger.app import App
from consensus.ledger.limits import MEMPOOL_BYTES, PENDING_PER_KEY
from consensus.ledger.messages import Message
from consensus.ledger.validation import ACCEPT, Ignore, Verdict


class Mempool:
    """First come, first served; at most 64 transactions a key, 16 MiB in all."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._waiting: dict[bytes, Message] = {}
        self._per_key: Counter[bytes] = Counter()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, transaction: bytes) -> Verdict:
        """Let `transaction` wait if the ledger could accept it now and there is room."""
        if transaction in self._waiting:
            return Ignore("the transaction waits already")
        verdict = self._app.check_tx(transaction)
        message = self._app.admission.admit(transaction)
        if verdict != ACCEPT or not isinstance(message, Message):
            return verdict
        if self._per_key[message.key] >= PENDING_PER_KEY:
            return Ignore(f"{PENDING_PER_KEY} transactions of this key wait already; try again after the next block")
        if self._bytes + len(transaction) > MEMPOOL_BYTES:
            return Ignore("too many transactions wait; try again after the next block")
        self._waiting[transaction] = message
        self._per_key[message.key] += 1
        self._bytes += len(transaction)
        return ACCEPT

    def transactions(self) -> list[bytes]:
        """What waits, oldest first."""
        return list(self._waiting)

    def update(self, included: Iterable[bytes]) -> None:
        """After a block: forget what it included and what can no longer be valid."""
        for transaction in included:
            self._forget(transaction)
        for transaction in [t for t in self._waiting if self._app.check_tx(t) != ACCEPT]:
            self._forget(transaction)

    def _forget(self, transaction: bytes) -> None:
        message = self._waiting.pop(transaction, None)
        if message is not None:
            self._bytes -= len(transaction)
            self._per_key[message.key] -= 1
            if not self._per_key[message.key]:
                del self._per_key[message.key]
