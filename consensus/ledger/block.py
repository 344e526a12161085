"""A block: transactions in order, chained to the block before and signed by the sequencer."""

from typing import NamedTuple

import msgspec

from consensus.ledger.codec import Bytes32, Bytes64, Natural, Record, decode, encode
from consensus.ledger.errors import LedgerError
from consensus.ledger.hashing import digest
from consensus.ledger.keys import SigningKey, verify
from consensus.ledger.limits import BLOCK_BYTES

DOMAIN, SEAL_DOMAIN = "deslm/block/1", "deslm/seal/1"
_OVERHEAD_BYTES = 1 << 18  # lengths of up to 65,536 short transactions, and the header


class Block(Record, frozen=True):
    """One block. `previous_hash` of the first is the genesis's; `app_hash` is that of the state after it.

    `seal` is the sequencer's signature over the beacon before the block, and one of the salts that make the next one:
    nobody else can compute it, so who asks a task cannot know the seats it will draw.
    """

    height: Natural
    previous_hash: Bytes32
    transactions: tuple[bytes, ...]
    seal: Bytes64
    app_hash: Bytes32
    signature: Bytes64

    def hash(self) -> bytes:
        """32 bytes over all but the signature: what the sequencer signs and the next block names."""
        transactions_hash = digest(DOMAIN, *self.transactions)
        return digest(DOMAIN, self.height, self.previous_hash, transactions_hash, self.seal, self.app_hash)


class Tip(NamedTuple):
    """Where a chain ends: height, the hash the next block must name, and the state's hash."""

    height: int
    block_hash: bytes
    app_hash: bytes


def make_seal(key: SigningKey, height: int, beacon: bytes) -> bytes:
    """The seal of block `height` over the beacon before it."""
    return key.sign(SEAL_DOMAIN, encode((height, beacon)))


def sign_block(key: SigningKey, tip: Tip, transactions: tuple[bytes, ...], seal: bytes, app_hash: bytes) -> Block:
    """The block after `tip`."""
    draft = Block(tip.height + 1, tip.block_hash, transactions, seal, app_hash, bytes(64))
    return msgspec.structs.replace(draft, signature=key.sign(DOMAIN, draft.hash()))


def check_block(data: bytes, tip: Tip, sequencer: bytes) -> Block:
    """The block in `data`, if it follows `tip` and the sequencer signed it; LedgerError names the block otherwise."""
    block = _check_signed(data, tip.height + 1, sequencer)
    if block.previous_hash != tip.block_hash:
        raise LedgerError(f"block {block.height} does not follow the block before it; restore the ledger from a copy.")
    return block


def check_seal(block: Block, beacon: bytes, sequencer: bytes) -> None:
    """LedgerError unless the block's seal is the sequencer's over the beacon before it."""
    if not verify(sequencer, SEAL_DOMAIN, encode((block.height, beacon)), block.seal):
        raise LedgerError(f"block {block.height} is not sealed over the beacon before it; restore the ledger.")


def check_head(data: bytes, tip: Tip, sequencer: bytes) -> None:
    """LedgerError unless `data` is the block that `tip` says is the last, signed by the sequencer."""
    block = _check_signed(data, tip.height, sequencer)
    if (block.hash(), block.app_hash) != (tip.block_hash, tip.app_hash):
        raise LedgerError(f"the head of the chain does not match block {tip.height}; restore the ledger from a copy.")


def _check_signed(data: bytes, height: int, sequencer: bytes) -> Block:
    try:
        block = decode(data, Block, BLOCK_BYTES + _OVERHEAD_BYTES)
    except LedgerError as error:
        raise LedgerError(f"block {height} is damaged ({error}); restore the ledger from a copy.") from None
    if block.height != height:
        raise LedgerError(f"block {height} is not in its place (block {block.height} is there); restore the ledger.")
    if not verify(sequencer, DOMAIN, block.hash(), block.signature):
        raise LedgerError(f"block {height} was changed: its signature is not the sequencer's; restore the ledger.")
    return block
