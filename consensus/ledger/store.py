"""The ledger on disk: one SQLite file with the genesis, the blocks, and the state after the last of them.

A commit is one transaction, forced to the disk (WAL, synchronous FULL): after a crash at any moment the file holds
either the block and its state or neither. A `head` row says where the chain ends, so a cut-off tail is noticed. One
process writes at a time; readers may come and go.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from consensus.ledger.block import Block, Tip
from consensus.ledger.codec import encode
from consensus.ledger.errors import LedgerError
from consensus.ledger.genesis import Genesis, check_genesis

FILE_NAME = "ledger.sqlite"
_FORMAT = 1
_SCHEMA = """
CREATE TABLE genesis (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);
CREATE TABLE blocks (height INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1), height INTEGER NOT NULL, block_hash BLOB NOT NULL, app_hash BLOB NOT NULL
);
"""


def ledger_file(path: str | Path) -> Path:
    """The ledger's file: `path` itself if it is one or ends in .sqlite, else `ledger.sqlite` in the folder `path`."""
    path = Path(path)
    return path if path.suffix == ".sqlite" or path.is_file() else path / FILE_NAME


class Store:
    """An open ledger file. Make one with `Store.create` or `Store.open`; close it, or use it in a `with`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.path, self._connection, self._lock = path, connection, lock

    @classmethod
    def create(cls, path: str | Path, genesis: Genesis, tip: Tip, snapshot: bytes) -> "Store":
        """A new ledger at `path` (a folder, or a name that ends in .sqlite), before block 1, opened for writing."""
        path = ledger_file(path)
        if path.exists():
            raise LedgerError(f"{path}: a ledger is there already; open it, or move it away first.")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquire(path)
        draft = path.with_name(f".{path.name}.new")
        try:
            for old in (draft, draft.with_name(draft.name + "-journal")):
                old.unlink(missing_ok=True)
            with _sentences(path), closing(_connect(f"file:{draft}?mode=rwc")) as connection:
                connection.executescript(f"PRAGMA user_version={_FORMAT}; BEGIN; {_SCHEMA}")
                connection.execute("INSERT INTO genesis VALUES (1, ?)", (encode(genesis),))
                connection.execute("INSERT INTO state VALUES (1, ?)", (snapshot,))
                connection.execute("INSERT INTO head VALUES (1, ?, ?, ?)", tip)
                connection.execute("COMMIT")
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            os.close(lock)
            raise
        return cls._connect(path, lock)

    @classmethod
    def open(cls, path: str | Path, read_only: bool = False) -> "Store":
        """The ledger at `path`; LedgerError if there is none, it is no ledger, or another process is writing to it."""
        path = ledger_file(path)
        if not path.is_file():
            raise LedgerError(f"{path}: there is no ledger here.")
        return cls._connect(path, None if read_only else _acquire(path))

    @classmethod
    def _connect(cls, path: Path, lock: int | None) -> "Store":
        """A writer has a lock. A reader's connection cannot write."""
        connection = None
        try:
            with _sentences(path):
                connection = _connect(f"file:{path}?mode={'ro' if lock is None else 'rw'}")
                if lock is None:  # lets SQLite read what is left of a cut-off file, so that the block can be named
                    connection.execute("PRAGMA writable_schema=ON")
                (found,) = connection.execute("PRAGMA user_version").fetchone()
                if found != _FORMAT:
                    raise LedgerError(f"{path}: format {found} is not {_FORMAT}; it is damaged or of another release.")
                if lock is not None:
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            if connection is not None:
                connection.close()
            if lock is not None:
                os.close(lock)
            raise
        return cls(path, connection, lock)

    def close(self) -> None:
        """Let go of the file; the last writer folds its log into it, so that one file holds everything."""
        if self._lock is not None:
            with suppress(sqlite3.Error):  # a reader is still there: the log stays beside the file, and is valid
                self._connection.execute("PRAGMA busy_timeout=0")
                self._connection.execute("PRAGMA journal_mode=DELETE")
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def genesis(self) -> Genesis:
        """The checked genesis."""
        return check_genesis(self._one("SELECT data FROM genesis", "the genesis"))

    def tip(self) -> Tip:
        """Where the chain says it ends."""
        with _sentences(self.path):
            row = self._connection.execute("SELECT height, block_hash, app_hash FROM head").fetchone()
        if row is None or [type(value) for value in row] != [int, bytes, bytes]:
            raise LedgerError(f"{self.path}: the head of the chain is missing; restore the ledger from a copy.")
        return Tip(*row)

    def snapshot(self) -> bytes:
        """The canonical state after the last block."""
        return self._one("SELECT data FROM state", "the state")

    def block(self, height: int) -> bytes:
        """Block `height` as it was stored; LedgerError if it is missing or cannot be read."""
        name = f"block {height}"
        return self._one("SELECT data FROM blocks WHERE height = ?", name, height)

    def count_blocks(self) -> int:
        """How many blocks the file holds."""
        with _sentences(self.path):
            (count,) = self._connection.execute("SELECT count(*) FROM blocks").fetchone()
        return int(count)

    def is_cut_off(self) -> bool:
        """Whether the file is shorter than it says; a log beside it may hold the rest."""
        with _sentences(self.path):
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            (page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
        has_log = self.path.with_name(self.path.name + "-wal").exists()
        return not has_log and self.path.stat().st_size < pages * page_bytes

    def append(self, block: Block, snapshot: bytes) -> None:
        """Store `block` and the state after it: both, on the disk, or neither.

        LedgerError if the disk is full, or the chain no longer ends where `block` begins.
        """
        with _sentences(self.path, f"block {block.height} was not written, nothing else is lost"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                moved = self._connection.execute(
                    "UPDATE head SET height = ?, block_hash = ?, app_hash = ? WHERE height = ? AND block_hash = ?",
                    (block.height, block.hash(), block.app_hash, block.height - 1, block.previous_hash),
                )
                if moved.rowcount != 1:
                    raise LedgerError(f"{self.path}: another process has appended block {block.height}; open it again.")
                self._connection.execute("INSERT INTO blocks VALUES (?, ?)", (block.height, encode(block)))
                self._connection.execute("UPDATE state SET data = ?", (snapshot,))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _one(self, query: str, name: str, *values: int) -> bytes:
        try:
            row = self._connection.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise LedgerError(
                f"{self.path}: {name} cannot be read, the file is cut off or damaged ({error}); restore it from a copy."
            ) from None
        if row is None or not isinstance(row[0], bytes):
            raise LedgerError(f"{self.path}: {name} is missing; restore the ledger from a copy.")
        return row[0]


def _connect(uri: str) -> sqlite3.Connection:
    """Transactions are begun and ended by hand."""
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)


def _acquire(path: Path) -> int:
    """The writer's lock, which the system lets go when the process ends, however it ends."""
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LedgerError(f"{path}: another process is writing to this ledger; stop it first.") from None
    return lock


@contextmanager
def _sentences(path: Path, effect: str = "nothing was written") -> Iterator[None]:
    """SQLite's errors as sentences for the user."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise LedgerError(f"{path}: the disk is full; {effect}; free some space and run it again.") from None
        raise LedgerError(f"{path}: the ledger cannot be used ({error}); {effect}.") from None
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path}: cut off, damaged, or not a ledger ({error}); restore it from a copy.") from None
