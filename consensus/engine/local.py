"""The embedded engine: ONE sequencer orders the transactions and signs the blocks. No Byzantine fault tolerance.

It is for one machine, or for people who trust whoever holds the sequencer's key to include what they send. The
sequencer cannot forge a transaction, pay itself beyond the rules or change a past block unnoticed by those who keep a
later hash, but it can leave transactions out, order them, and choose when to close a block. Across machines that do
not trust each other the same `App` runs under an engine with R12's finality.
"""

from pathlib import Path
from typing import NamedTuple

from consensus.engine.mempool import Mempool
from consensus.ledger.app import App
from consensus.ledger.block import Tip, check_head, make_seal, sign_block
from consensus.ledger.errors import LedgerError
from consensus.ledger.events import Event
from consensus.ledger.execution import Receipt
from consensus.ledger.genesis import Genesis
from consensus.ledger.keys import SigningKey
from consensus.ledger.state import compute_app_hash
from consensus.ledger.store import Store
from consensus.ledger.validation import Reject, Verdict


class BlockResult(NamedTuple):
    """One committed block."""

    height: int
    receipts: tuple[Receipt, ...]
    events: tuple[Event, ...]
    app_hash: bytes
    supply_error_micro: int  # always 0


class LocalEngine:
    """A ledger that this process extends. `create` begins one, `open` goes on with one; use it in a `with`."""

    def __init__(self, store: Store, app: App, key: SigningKey, tip: Tip) -> None:
        self.store, self.app, self._key, self._tip = store, app, key, tip
        self.mempool = Mempool(app)

    @classmethod
    def create(cls, path: str | Path, genesis: Genesis, key: SigningKey) -> "LocalEngine":
        """Begin a ledger at `path` with `genesis`; `key` is its sequencer's. LedgerError if one is there already."""
        _require_sequencer(genesis, key)
        app = App()
        tip = Tip(0, genesis.hash(), app.init_chain(genesis))
        return cls(Store.create(path, genesis, tip, app.state.encode()), app, key, tip)

    @classmethod
    def open(cls, path: str | Path, key: SigningKey) -> "LocalEngine":
        """Go on with the ledger at `path` where its last committed block ended.

        The stored state must be the one the last block was signed for; that every block leads to it, `replay` shows.
        LedgerError if the ledger is missing, damaged, in use, or not this sequencer's.
        """
        store = Store.open(path)
        try:
            genesis, tip, snapshot = store.genesis(), store.tip(), store.snapshot()
            _require_sequencer(genesis, key)
            app = App()
            start = Tip(0, genesis.hash(), app.init_chain(genesis))
            if tip.height:
                check_head(store.block(tip.height), tip, key.public)
            elif tip != start:
                raise LedgerError(f"{store.path}: the head of the chain is damaged; restore the ledger from a copy.")
            if compute_app_hash(snapshot) != tip.app_hash:
                raise LedgerError(f"{store.path}: the stored state is damaged; restore the ledger from a copy.")
            app.load(genesis, snapshot)
        except BaseException:
            store.close()
            raise
        return cls(store, app, key, tip)

    @property
    def height(self) -> int:
        """Height of the last committed block."""
        return self._tip.height

    @property
    def app_hash(self) -> bytes:
        """State hash after the last committed block."""
        return self._tip.app_hash

    def submit(self, transaction: bytes) -> Verdict:
        """Put a transaction in line for the next block; anything but Accept says why it was not."""
        return self.mempool.add(transaction)

    def step(self) -> BlockResult:
        """Order what waits into a block, execute it, and return once it is on the disk.

        LedgerError if it cannot be written; then nothing has changed and `step` may be called again.
        """
        transactions = tuple(self.app.prepare_proposal(self.mempool.transactions()))
        verdict = self.app.process_proposal(transactions)
        if isinstance(verdict, Reject):
            raise LedgerError(f"block {self.height + 1} was refused: {verdict.reason}.")
        seal = make_seal(self._key, self.height + 1, self.app.state.beacon)
        result = self.app.finalize_block(transactions, seal)
        block = sign_block(self._key, self._tip, transactions, seal, result.app_hash)
        self.app.commit(lambda snapshot: self.store.append(block, snapshot))
        self._tip = Tip(block.height, block.hash(), block.app_hash)
        self.mempool.update(transactions)
        return BlockResult(result.height, result.receipts, result.events, result.app_hash, result.supply_error_micro)

    def close(self) -> None:
        """Let go of the ledger's file."""
        self.store.close()

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _require_sequencer(genesis: Genesis, key: SigningKey) -> None:
    if key.public != genesis.sequencer:
        raise LedgerError("this key is not the sequencer's named in the genesis; use the key the ledger began with.")
