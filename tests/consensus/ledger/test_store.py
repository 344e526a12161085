"""The file: all of a block or nothing of it, one writer, and one sentence for what goes wrong."""

import sqlite3
from pathlib import Path

import pytest

from consensus.engine.local import LocalEngine
from consensus.ledger.block import Tip, sign_block
from consensus.ledger.errors import LedgerError
from consensus.ledger.messages import Task, sign_message
from consensus.ledger.replay import replay
from consensus.ledger.store import FILE_NAME, Store
from tests.consensus.ledger.conftest import Played
from tests.consensus.ledger.network import CHAIN, TIP, key, small_genesis


def begin(folder: Path) -> LocalEngine:
    return LocalEngine.create(folder, small_genesis(), key("sequencer"))


def task(nonce: int, prompt: str = "q") -> bytes:
    return sign_message(key("asker"), CHAIN, nonce, 1_000, Task(0, prompt, TIP, bytes(32)))


def test_one_file_is_left_and_it_is_the_whole_ledger(tmp_path: Path) -> None:
    with begin(tmp_path) as engine:
        engine.submit(task(1))
        engine.step()
        app_hash = engine.app_hash
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME, FILE_NAME + ".lock"}
    for path in (tmp_path, tmp_path / FILE_NAME):
        assert replay(path).state_hash == app_hash
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME, FILE_NAME + ".lock"}


def test_an_empty_ledger_replays(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "new folder", tmp_path / "file.sqlite"):
        begin(path).close()
        assert replay(path).height == 0
    assert (tmp_path / "new folder" / FILE_NAME).is_file() and (tmp_path / "file.sqlite").is_file()


def test_a_ledger_is_never_overwritten(tmp_path: Path) -> None:
    begin(tmp_path).close()
    with pytest.raises(LedgerError, match="a ledger is there already"):
        begin(tmp_path)


def test_a_failed_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.ledger.store._SCHEMA", "CREATE TABLE nonsense")
    with pytest.raises(LedgerError, match="cannot be used"):
        begin(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {FILE_NAME + ".lock"}
    monkeypatch.undo()
    begin(tmp_path).close()


def test_what_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger here"):
        replay(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"hello" * 1_000)
    with pytest.raises(LedgerError, match="cut off, damaged, or not a ledger"):
        replay(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE something (x)")
    other.close()
    with pytest.raises(LedgerError, match="format 0 is not 1"):
        replay(tmp_path)


def test_one_writer_many_readers(tmp_path: Path) -> None:
    with begin(tmp_path) as engine:
        engine.step()
        with pytest.raises(LedgerError, match="another process is writing"):
            LocalEngine.open(tmp_path, key("sequencer"))
        assert replay(tmp_path).height == 1
        engine.step()
        assert replay(tmp_path).height == 2
    with LocalEngine.open(tmp_path, key("sequencer")) as engine:
        assert engine.height == 2


def test_a_reader_does_not_stop_the_writer(tmp_path: Path) -> None:
    with begin(tmp_path) as engine, Store.open(tmp_path, read_only=True) as reader:
        assert reader.tip().height == 0
        engine.step()
        assert reader.tip().height == 1
        with pytest.raises(LedgerError, match="readonly"):
            reader.append(sign_block(key("sequencer"), reader.tip(), (), bytes(64), bytes(32)), b"")
    assert replay(tmp_path).height == 1


def test_a_block_that_does_not_follow_is_not_stored(tmp_path: Path) -> None:
    """Two writers that both slipped past the lock: the slower one notices."""
    genesis = small_genesis()
    with begin(tmp_path) as engine:
        stale = Tip(0, genesis.hash(), engine.app_hash)
        engine.step()
        tip = engine.store.tip()
        for wrong in (stale, Tip(1, bytes(32), bytes(32))):
            with pytest.raises(LedgerError, match="another process has appended"):
                engine.store.append(sign_block(key("sequencer"), wrong, (), bytes(64), bytes(32)), b"")
        assert engine.store.tip() == tip
        engine.step()
    assert replay(tmp_path).height == 2


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    with begin(tmp_path) as engine:
        engine.step()
        connection = engine.store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 1}")
        engine.submit(task(1, "x" * 16_000))
        before = engine.height, engine.app_hash, engine.store.tip()
        with pytest.raises(LedgerError, match="disk is full; block 2 was not written, nothing else is lost"):
            engine.step()
        assert (engine.height, engine.app_hash, engine.store.tip()) == before
        assert engine.app.state.height == 1
        connection.execute(f"PRAGMA max_page_count={pages + 1_000}")
        result = engine.step()
        assert result.height == 2 and len(result.receipts) == 1
    assert replay(tmp_path).state_hash == result.app_hash


def test_resuming_goes_on_at_the_same_hash(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with begin(one) as engine:
        for nonce in range(1, 6):
            engine.submit(task(nonce))
            engine.step()
    begin(two).close()
    for nonce in range(1, 6):
        with LocalEngine.open(two, key("sequencer")) as again:
            again.submit(task(nonce))
            again.step()
    assert again.app_hash == engine.app_hash and replay(two).events == replay(one).events


def test_only_the_sequencer_goes_on(played: Played) -> None:
    with pytest.raises(LedgerError, match="not the sequencer's"):
        LocalEngine.open(played.folder, key("asker"))
    with LocalEngine.open(played.folder, key("sequencer")) as engine:
        assert engine.height == len(played.blocks)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE state SET data = zeroblob(100)", "stored state is damaged"),
        ("UPDATE head SET height = height - 1", "is not in its place|does not match"),
        ("UPDATE head SET app_hash = zeroblob(32)", "does not match"),
        ("UPDATE head SET block_hash = zeroblob(32)", "does not match"),
        ("UPDATE head SET height = 0", "head of the chain is damaged"),
        ("UPDATE head SET height = 'x'", "head of the chain is missing"),
        ("DELETE FROM head", "head of the chain is missing"),
        ("DELETE FROM genesis", "genesis is missing"),
        ("UPDATE genesis SET data = zeroblob(9)", "Genesis"),
        ("DELETE FROM blocks WHERE height = (SELECT height FROM head)", "is missing"),
        ("DROP TABLE state", "cannot be read"),
    ],
)
def test_a_damaged_end_is_not_built_upon(played: Played, statement: str, sentence: str) -> None:
    with sqlite3.connect(played.folder / FILE_NAME) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(LedgerError, match=sentence):
        LocalEngine.open(played.folder, key("sequencer"))
    with pytest.raises(LedgerError):
        replay(played.folder)
