"""Verify a ledger from its first block: nothing is believed but the genesis and the signatures.

Every block must be there, in its place, name the one before, carry the sequencer's signature, hold only transactions
that are valid where they stand (signature, nonce, deadline, everything), and lead to the state hash it claims.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from consensus.ledger.app import App, FinalizedBlock
from consensus.ledger.block import Tip, check_block, check_seal
from consensus.ledger.errors import LedgerError
from consensus.ledger.events import Event
from consensus.ledger.genesis import Genesis
from consensus.ledger.state import compute_app_hash
from consensus.ledger.store import Store
from consensus.ledger.validation import Reject


class Replay(NamedTuple):
    """A verified ledger."""

    genesis: Genesis
    height: int
    state_hash: bytes  # 32 bytes: app hash after the last block
    events: tuple[Event, ...]  # of all blocks, the same that the live network gave
    transactions: int
    supply_error_micro: int  # the largest after any block, in size: always 0


def replay(path: str | Path) -> Replay:
    """Verify the ledger at `path` (its file or its folder) and return what it holds.

    LedgerError names the first block that is missing, damaged, changed, out of place, or holds anything invalid.

    Verification shows that the ledger is consistent and signed, not that it is the newest: a file put back to an
    earlier block verifies. Compare `height` and `state_hash` with somebody else's to notice that.
    """
    events: list[Event] = []
    transactions, error_micro = 0, 0
    with Store.open(path, read_only=True) as store:
        genesis, app = store.genesis(), App()
        state_hash = app.init_chain(genesis)
        for block in replay_blocks(store, app):
            state_hash = block.app_hash
            events.extend(block.events)
            transactions += len(block.receipts)
            error_micro = max(error_micro, abs(block.supply_error_micro))
    return Replay(genesis, app.state.height, state_hash, tuple(events), transactions, error_micro)


def replay_blocks(store: Store, app: App) -> Iterator[FinalizedBlock]:
    """Yield each verified block of `store`, executed on `app`, which stands before block 1; then check the end.

    LedgerError as `replay`.
    """
    genesis, end = app.genesis, store.tip()
    tip = Tip(0, genesis.hash(), compute_app_hash(app.state.encode()))
    while tip.height < end.height:
        block = check_block(store.block(tip.height + 1), tip, genesis.sequencer)
        check_seal(block, app.state.beacon, genesis.sequencer)
        verdict = app.process_proposal(block.transactions)
        if isinstance(verdict, Reject):
            raise LedgerError(f"block {block.height} cannot be: {verdict.reason}.")
        result = app.finalize_block(block.transactions, block.seal)
        if result.app_hash != block.app_hash:
            raise LedgerError(f"block {block.height} leads to another state than it claims; restore the ledger.")
        app.commit()
        tip = Tip(block.height, block.hash(), block.app_hash)
        yield result
    if tip != end:
        raise LedgerError(f"the head of the chain does not match block {tip.height}; restore the ledger from a copy.")
    if store.count_blocks() != end.height:
        raise LedgerError(f"there are blocks after block {tip.height}, where the chain ends; restore the ledger.")
    if store.is_cut_off():
        raise LedgerError(f"the file is cut off behind block {tip.height}; restore the ledger from a copy.")
    if compute_app_hash(store.snapshot()) != tip.app_hash:
        raise LedgerError(f"the stored state is not that of block {tip.height}; restore the ledger from a copy.")
