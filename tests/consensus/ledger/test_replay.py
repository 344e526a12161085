"""Whatever was done to a stored ledger, replay names the block, in one sentence; or it changes nothing that counts."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from consensus.engine.local import LocalEngine
from consensus.ledger.app import App
from consensus.ledger.block import Block, Tip, make_seal, sign_block
from consensus.ledger.codec import decode, encode
from consensus.ledger.errors import LedgerError
from consensus.ledger.genesis import Genesis
from consensus.ledger.messages import Transfer
from consensus.ledger.replay import replay
from consensus.ledger.store import FILE_NAME, Store
from tests.consensus.ledger.conftest import Played
from tests.consensus.ledger.network import Chain, key, play, small_genesis


def edit(folder: Path, *statements: tuple) -> None:
    connection = sqlite3.connect(folder / FILE_NAME)
    for statement, *values in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def block_bytes(folder: Path, height: int) -> bytes:
    with Store.open(folder, read_only=True) as store:
        return store.block(height)


def refuse(folder: Path, sentence: str) -> None:
    with pytest.raises(LedgerError, match=sentence) as raised:
        replay(folder)
    assert "\n" not in str(raised.value)


def test_a_missing_block(played: Played) -> None:
    edit(played.folder, ("DELETE FROM blocks WHERE height = 7",))
    refuse(played.folder, "block 7 is missing")


def test_a_cut_off_tail(played: Played) -> None:
    edit(played.folder, ("DELETE FROM blocks WHERE height > 9",))
    refuse(played.folder, "block 10 is missing")


def test_a_cut_off_tail_with_the_head_moved_back(played: Played) -> None:
    """Needs the old state too: then it is an older ledger that verifies, and only its height tells (docs/LEDGER.md)."""
    block = decode(block_bytes(played.folder, 9), Block, 2 << 20)
    edit(
        played.folder,
        ("DELETE FROM blocks WHERE height > 9",),
        ("UPDATE head SET height = 9, block_hash = ?, app_hash = ?", block.hash(), block.app_hash),
    )
    refuse(played.folder, "stored state is not that of block 9")


def test_blocks_beyond_the_head(played: Played) -> None:
    edit(played.folder, ("INSERT INTO blocks VALUES (100000, ?)", block_bytes(played.folder, 1)))
    refuse(played.folder, "there are blocks after block")


def test_reordered_blocks(played: Played) -> None:
    one, two = block_bytes(played.folder, 5), block_bytes(played.folder, 6)
    edit(
        played.folder,
        ("UPDATE blocks SET data = ? WHERE height = 5", two),
        ("UPDATE blocks SET data = ? WHERE height = 6", one),
    )
    refuse(played.folder, "block 5 is not in its place")


def test_a_flipped_bit_anywhere_in_any_block(played: Played) -> None:
    """Every block is damaged once, at a random place, also in its signature and hashes."""
    rng = random.Random(0)
    connection = sqlite3.connect(played.folder / FILE_NAME, isolation_level=None)
    rows = connection.execute("SELECT height, data FROM blocks ORDER BY height").fetchall()
    for height, data in rows[::3]:
        place = rng.randrange(len(data))
        bad = data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        connection.execute("UPDATE blocks SET data = ? WHERE height = ?", (bad, height))
        refuse(played.folder, rf"^block {height} ")
        connection.execute("UPDATE blocks SET data = ? WHERE height = ?", (data, height))
    connection.close()
    assert replay(played.folder).height == len(rows)


def test_a_flipped_byte_anywhere_in_the_file(tmp_path: Path) -> None:
    """One sentence, or the byte was one that SQLite does not use; never anything else, never another ledger."""
    path, expected = tmp_path / FILE_NAME, play(tmp_path, 2)[-1].app_hash
    good = path.read_bytes()
    rng, refused = random.Random(1), 0
    for place in [*range(0, 100, 9), *(rng.randrange(len(good)) for _ in range(60))]:
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        try:
            found = replay(path).state_hash
        except LedgerError:
            refused += 1
        else:
            assert found == expected
        for extra in tmp_path.glob(FILE_NAME + "-*"):
            extra.unlink()
    assert refused > 20


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_cut_off_file(played: Played, share: float) -> None:
    path = played.folder / FILE_NAME
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refuse(path, r"block \d+ |cut off")


def test_half_of_a_file_names_the_block(played: Played) -> None:
    path = played.folder / FILE_NAME
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refuse(path, r"block \d+ (cannot be read, the file is cut off or damaged|is missing|is damaged)")


@pytest.mark.parametrize(
    "change",
    [
        lambda genesis: genesis.accounts[0].liquid_micro,
        lambda genesis: genesis.treasury_micro,
    ],
    ids=["account", "treasury"],
)
def test_another_genesis(played: Played, change: Callable[[Genesis], int]) -> None:
    """One micro-token more for somebody: block 1 was not built on that."""
    genesis = small_genesis()
    old, new = encode(change(genesis)), encode(change(genesis) + 1)
    data = encode(genesis)
    assert old in data and len(old) == len(new)
    edit(played.folder, ("UPDATE genesis SET data = ?", data.replace(old, new, 1)))
    refuse(played.folder, "block 1 does not follow|block 1 was changed")


def forge(
    folder: Path,
    spoil: Callable[[Chain, list[bytes]], list[bytes]],
    signer: str = "sequencer",
    sealer: str = "sequencer",
) -> None:
    """Three honest blocks, then one that `signer` signs although `spoil` changed its transactions."""
    chain, genesis = Chain(), small_genesis()
    with LocalEngine.create(folder, genesis, key("sequencer")) as engine:
        for number in range(1, 4):
            engine.submit(chain.tx("asker", Transfer(key("g0").public, number)))
            engine.step()
        store, app, tip = engine.store, engine.app, engine.store.tip()
        block3 = decode(store.block(3), Block, 2 << 20)
        transactions = spoil(chain, list(block3.transactions))
        seal = make_seal(key(sealer), 4, app.state.beacon)
        app_hash = app.finalize_block(transactions, seal).app_hash
        block = sign_block(key(signer), tip, tuple(transactions), seal, app_hash)
        app.commit(lambda snapshot: store.append(block, snapshot))


def test_a_replayed_message(tmp_path: Path) -> None:
    """Even the sequencer cannot let a message count twice, though its signature is good."""
    forge(tmp_path, lambda chain, old: old)
    refuse(tmp_path, "block 4 cannot be: transaction 1 is not valid: nonce 3 .* counts once")


def test_a_forged_message(tmp_path: Path) -> None:
    def spoil(chain: Chain, old: list[bytes]) -> list[bytes]:
        good = chain.tx("asker", Transfer(key("sequencer").public, 10**9))
        return [good[:-1] + bytes([good[-1] ^ 1])]

    forge(tmp_path, spoil)
    refuse(tmp_path, "block 4 cannot be: transaction 1 is not valid: the signature")


def test_a_message_of_another_chain(tmp_path: Path) -> None:
    forge(tmp_path, lambda chain, old: [chain.tx("asker", Transfer(key("g0").public, 9), chain="main")])
    refuse(tmp_path, "block 4 cannot be: transaction 1 is not valid: the message is for chain 'main'")


def test_a_block_of_another_sequencer(tmp_path: Path) -> None:
    forge(tmp_path, lambda chain, old: [], signer="asker")
    refuse(tmp_path, "block 4 was changed: its signature is not the sequencer's")


def test_a_seal_that_the_sequencer_chose(tmp_path: Path) -> None:
    """The seal is fixed by the beacon before, so it cannot be searched for a draw that pleases."""
    forge(tmp_path, lambda chain, old: [], sealer="asker")
    refuse(tmp_path, "block 4 is not sealed over the beacon before it")


def test_a_block_that_claims_another_state(tmp_path: Path) -> None:
    genesis, app = small_genesis(), App()
    seal = make_seal(key("sequencer"), 1, genesis.beacon)
    start = Tip(0, genesis.hash(), app.init_chain(genesis))
    with Store.create(tmp_path, genesis, start, app.state.encode()) as store:
        store.append(sign_block(key("sequencer"), start, (), seal, bytes(32)), app.state.encode())
    refuse(tmp_path, "block 1 leads to another state than it claims")
