"""The whole state of the chain between two blocks, and its hash.

`State` is never changed: a block works on a `Draft` of it and freezes the result. Accounts are rows in ascending key
order, as the rules want them; everything else names accounts by key, so a new row moves nothing.
"""

import hashlib
from typing import NamedTuple

import msgspec
import numpy as np

from consensus.ledger.codec import encode
from consensus.ledger.errors import LedgerError
from consensus.ledger.genesis import Genesis, first_state
from consensus.ledger.leaves import from_rows, to_rows
from consensus.ledger.tasks import OpenTask, SettledTask
from consensus.state import Network, Nodes, Params
from consensus.units import SUPPLY_CAP_MICRO

VERSION = 1


class State(NamedTuple):
    """After some block, or before the first."""

    params: Params
    network: Network
    nodes: Nodes
    keys: tuple[bytes, ...]  # of the rows of `nodes`, ascending
    nonces: tuple[int, ...]  # highest used, of each row
    row: dict[bytes, int]  # key -> row
    beacon: bytes
    open: dict[bytes, OpenTask]  # by task id, in the order they were opened
    pending: dict[bytes, SettledTask]  # settled, not yet closed
    equivocators: tuple[bytes, ...]  # of this epoch, ascending

    @property
    def height(self) -> int:
        """Height of the last block, 0 before the first (the law's `network.height` is that of the next)."""
        return int(self.network.height) - 1

    def encode(self) -> bytes:
        """The canonical bytes of everything above; SHA-256 of them is the app hash."""
        return encode(
            (
                VERSION,
                to_rows(self.params),
                to_rows(self.network),
                to_rows(self.nodes),
                self.keys,
                self.nonces,
                self.beacon,
                list(self.open.values()),
                list(self.pending.values()),
                self.equivocators,
            )
        )


def compute_app_hash(snapshot: bytes) -> bytes:
    """32 bytes: SHA-256 of `State.encode()`."""
    return hashlib.sha256(snapshot).digest()


def make_state(genesis: Genesis) -> State:
    """The state before block 1."""
    network, nodes = first_state(genesis)
    keys = tuple(account.key for account in genesis.accounts)
    return State(genesis.params(), network, nodes, keys, (0,) * len(keys), index(keys), genesis.beacon, {}, {}, ())


def decode_state(snapshot: bytes) -> State:
    """The state whose `encode()` gave `snapshot`; the caller has compared its hash. LedgerError if it is no state."""
    try:
        version, params, network, nodes, keys, nonces, beacon, opened, pending, equivocators = _decoder.decode(snapshot)
    except (ValueError, RecursionError):
        raise LedgerError(
            "the stored state is damaged; run `deslm verify` and restore the ledger from a copy."
        ) from None
    if version != VERSION:
        raise LedgerError(f"the stored state has version {version}, not {VERSION}; use the release that wrote it.")
    return State(
        from_rows(Params, params),
        from_rows(Network, network),
        from_rows(Nodes, nodes),
        keys,
        nonces,
        index(keys),
        beacon,
        {task.id: task for task in opened},
        {task.id: task for task in pending},
        equivocators,
    )


def index(keys: tuple[bytes, ...]) -> dict[bytes, int]:
    """Row of each key."""
    return {key: row for row, key in enumerate(keys)}


def insert_row(nodes: Nodes, row: int, params: Params) -> Nodes:
    """`nodes` with an empty account before `row`: no stake, no reputation, the voice of a beginner."""
    inserted = Nodes(*(np.insert(leaf, row, 0, axis=0) for leaf in nodes))
    beta_NR = inserted.beta_q16_NR.copy()
    beta_NR[row] = params.beta_start_q16
    return inserted._replace(beta_q16_NR=beta_NR)


def compute_supply_error_micro(supply_micro: int) -> int:
    """I1: how far the sum of all accounts is from the cap; 0, or something is broken."""
    return int(supply_micro) - SUPPLY_CAP_MICRO


_Rows = tuple[tuple[int, ...], ...]
_decoder = msgspec.msgpack.Decoder(
    tuple[
        int,
        _Rows,
        _Rows,
        _Rows,
        tuple[bytes, ...],
        tuple[int, ...],
        bytes,
        tuple[OpenTask, ...],
        tuple[SettledTask, ...],
        tuple[bytes, ...],
    ]
)
