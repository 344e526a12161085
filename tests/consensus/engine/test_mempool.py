"""What may wait for a block, how much of it, and for how long."""

from pathlib import Path

import pytest

from consensus.engine.local import LocalEngine
from consensus.engine.mempool import Mempool
from consensus.ledger.limits import PENDING_PER_KEY
from consensus.ledger.messages import Task, Transfer
from consensus.ledger.validation import ACCEPT, Ignore, Reject
from tests.consensus.ledger.network import Chain, key, small_genesis


def transfer(amount: int) -> Transfer:
    return Transfer(key("g0").public, amount)


def test_only_what_the_ledger_would_accept_may_wait() -> None:
    chain = Chain()
    mempool = Mempool(chain.app)
    assert isinstance(mempool.add(b"noise"), Reject)
    assert isinstance(mempool.add(chain.tx("asker", transfer(10**15))), Reject)
    data = chain.tx("asker", transfer(1))
    assert mempool.add(data) == ACCEPT
    assert mempool.add(data) == Ignore("the transaction waits already")
    assert mempool.transactions() == [data] and len(mempool) == 1


def test_sixty_four_a_key() -> None:
    chain = Chain()
    mempool = Mempool(chain.app)
    waiting = [chain.tx("asker", transfer(1)) for _ in range(PENDING_PER_KEY + 1)]
    verdicts = [mempool.add(data) for data in waiting]
    assert verdicts[:-1] == [ACCEPT] * 64 and "64 transactions of this key" in verdicts[-1].reason
    assert mempool.add(chain.tx("g0", Transfer(key("g1").public, 1))) == ACCEPT
    mempool.update(waiting[:1])
    assert mempool.add(waiting[-1]) == ACCEPT


def test_the_whole_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.engine.mempool.MEMPOOL_BYTES", 1_000)
    chain = Chain()
    mempool = Mempool(chain.app)
    assert mempool.add(chain.tx("asker", Task(0, "x" * 700, 1, bytes(32)))) == ACCEPT
    refused = mempool.add(chain.tx("g0", Transfer(key("g1").public, 1)))
    assert "too many transactions" in refused.reason
    mempool.update(mempool.transactions())
    assert mempool.add(chain.tx("g0", Transfer(key("g1").public, 1))) == ACCEPT


def test_what_can_no_longer_be_valid_is_forgotten() -> None:
    chain = Chain()
    mempool = Mempool(chain.app)
    old, young = (chain.tx("asker", transfer(1), valid_until=until) for until in (1, 9))
    mempool.add(old)
    mempool.add(young)
    chain.block()
    mempool.update([])
    assert mempool.transactions() == [young]


def test_a_block_is_bounded(tmp_path: Path) -> None:
    """Sixty-four tasks of 16 KiB are more than a block holds: the rest comes in the next one, in order."""
    chain = Chain()
    with LocalEngine.create(tmp_path, small_genesis(), key("sequencer")) as engine:
        for number in range(64):
            assert engine.submit(chain.tx("asker", Task(0, "x" * 16_380 + str(number), 1, bytes(32)))) == ACCEPT
        first = engine.step()
        assert len(engine.mempool) == 64 - len(first.receipts)
        second = engine.step()
        assert len(engine.mempool) == 0
    assert len(first.receipts) + len(second.receipts) == 64 and 0 < len(second.receipts) < 5
    assert all(receipt.code == 0 for receipt in (*first.receipts, *second.receipts))
