"""The App as an engine sees it: deterministic, resumable, and every payment explained."""

from collections import defaultdict

import pytest

from consensus.ledger import events as ev
from consensus.ledger.app import App
from consensus.ledger.block import Block
from consensus.ledger.codec import decode, encode
from consensus.ledger.errors import LedgerError
from consensus.ledger.limits import BLOCK_BYTES
from consensus.ledger.messages import Bond, Task, Transfer
from consensus.ledger.replay import replay
from consensus.ledger.state import compute_app_hash, decode_state
from consensus.ledger.store import Store
from consensus.ledger.tasks import OpenTask
from consensus.ledger.validation import ACCEPT, Reject
from consensus.units import MICRO
from tests.consensus.ledger.conftest import Played
from tests.consensus.ledger.network import NAMES, TIP, Chain, key, small_genesis


def stored_blocks(played: Played) -> list[Block]:
    with Store.open(played.folder, read_only=True) as store:
        return [decode(store.block(h), Block, 2 << 20) for h in range(1, store.tip().height + 1)]


def test_every_change_of_stake_is_explained(original: Played) -> None:
    """From block to block, what each account gained is the sum of its payments, to the micro-token."""
    before = {a.key: a.liquid_micro + a.bonded_micro for a in small_genesis().accounts}
    reasons = set()
    for block in original.blocks:
        paid: dict[bytes, int] = defaultdict(int)
        for event in block.events:
            for payment in getattr(event, "payments", ()):
                paid[payment.key] += payment.amount_micro
                reasons.add(payment.reason)
        after = {line.key: line.stake_micro for line in block.events[-1].nodes}
        assert {NAMES[k]: after[k] - before[k] - paid[k] for k in after if after[k] - before[k] != paid[k]} == {}
        before = after
    assert {ev.TASK_FEE, ev.TIP_REFUND, ev.GENERATOR_FEE, ev.DISCRIMINATOR_FEE, ev.PROPOSER_SHARE, ev.WAGER,
            ev.FORFEIT, ev.NON_REVEAL} <= reasons  # fmt: skip


def test_supply_is_whole_after_every_block(original: Played) -> None:
    for block in original.blocks:
        end = block.events[-1]
        accounts = sum(line.stake_micro for line in end.nodes)
        network = end.treasury_micro + end.reserve_micro + end.burned_micro + end.purse_micro
        assert accounts + network + end.task_escrow_micro + end.challenge_bonds_micro == 10**15
        assert block.supply_error_micro == 0


def test_events_tell_each_task_from_question_to_release(original: Played) -> None:
    events = [event for block in original.blocks for event in block.events]
    opened = [event for event in events if isinstance(event, ev.TaskOpened)]
    settled = {event.task_id: event for event in events if isinstance(event, ev.Settled)}
    assert len(opened) == len(settled) == 24
    assert [event.nonce for event in opened] == list(range(1, 25))
    for event in settled.values():
        revealed = {e.key: e.text for e in events if isinstance(e, ev.AnswerRevealed) and e.task_id == event.task_id}
        assert revealed == {line.key: line.text for line in event.answers if line.candidate >= 0}
        for line in event.verdicts:
            lengths = {len(line.p_false_q16), len(line.evidence), len(line.evidence_q12)}
            assert lengths in ({0}, {len(event.candidates)})
        assert len(event.score_q12) == len(event.candidates)
        if event.accepted >= 0:
            assert event.margin_q12 >= event.tau_q12
    audited = {event.task_id for event in events if isinstance(event, ev.Audited)}
    assert audited == {event.task_id for event in settled.values() if event.audit != "none"}


def test_the_same_blocks_give_the_same_hashes(original: Played) -> None:
    """Also without proposals before, and from a state that was stored and loaded between any two blocks."""
    app = App()
    app.init_chain(small_genesis())
    for stored, block in zip(stored_blocks(original), original.blocks, strict=True):
        result = app.finalize_block(stored.transactions, stored.seal)
        assert (result.app_hash, result.events) == (block.app_hash, block.events)
        snapshots: list[bytes] = []
        app.commit(snapshots.append)
        app = App()
        assert app.load(small_genesis(), snapshots[0]) == block.app_hash


def test_a_stored_state_comes_back_whole(original: Played) -> None:
    """After every block; some of the states hold open tasks, escrows, and audits that wait for their truth."""
    app, seen = App(), set()
    app.init_chain(small_genesis())
    for stored in stored_blocks(original):
        app.finalize_block(stored.transactions, stored.seal)
        app.commit()
        state, again = app.state, decode_state(app.state.encode())
        assert again.encode() == state.encode()
        for leaf in ("keys", "nonces", "row", "beacon", "open", "pending", "equivocators"):
            assert getattr(again, leaf) == getattr(state, leaf), leaf
        seen |= {"open" for _ in again.open} | {"audit" if task.audit else "escrow" for task in again.pending.values()}
    assert seen == {"open", "audit", "escrow"}


def test_nothing_counts_before_commit(chain: Chain) -> None:
    before = chain.app.state.encode()
    data = chain.tx("asker", Bond(5))
    first = chain.app.finalize_block([data])
    assert chain.app.state.encode() == before and chain.app.check_tx(data) == ACCEPT
    assert chain.app.finalize_block([data]) == first
    assert chain.app.finalize_block([]).app_hash != first.app_hash
    chain.app.finalize_block([data])

    def full(_: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        chain.app.commit(full)
    assert chain.app.state.encode() == before
    assert chain.app.commit() == 1 and chain.app.state.encode() != before
    with pytest.raises(LedgerError, match="no finalized block"):
        chain.app.commit()


def test_a_proposal_is_valid_ordered_and_fits(chain: Chain) -> None:
    good = [chain.tx("asker", Transfer(key("g0").public, amount)) for amount in (1, 2, 3)]
    bad = chain.tx("asker", Bond(10**15))
    assert chain.app.prepare_proposal([good[0], bad, good[1], b"noise", good[0], good[2]]) == good
    assert chain.app.prepare_proposal(good, max_bytes=len(good[0]) * 2) == good[:2]
    assert chain.app.process_proposal(good) == ACCEPT
    assert chain.app.process_proposal([good[1], good[0]]) == Reject(
        "transaction 2 is not valid: nonce 1 of this key is used or passed; a message counts once"
    )
    assert "transaction 1" in chain.app.process_proposal([bad]).reason
    assert "longer than" in chain.app.process_proposal([bytes(BLOCK_BYTES + 1)]).reason


def test_a_proposal_is_not_confused_with_another_block(chain: Chain) -> None:
    one, two = (chain.tx("asker", Transfer(key("g0").public, amount)) for amount in (1, 2))
    other = Chain()
    chain.app.prepare_proposal([one])
    assert chain.app.finalize_block([two]) == other.app.finalize_block([two])
    chain.app.process_proposal([one])
    chain.app.finalize_block([one])
    assert chain.app.finalize_block([two]) == other.app.finalize_block([two])


def test_the_seal_decides_the_seats(chain: Chain) -> None:
    """In a block without reveals it is all that an asker could not have known."""
    data = chain.tx("asker", Task(0, "q", TIP, bytes(32)))
    opened = [chain.app.finalize_block([data], bytes([i]) * 64).events[0] for i in range(4)]
    assert len({(event.generators, event.discriminators) for event in opened}) == 4
    assert len({event.task_id for event in opened}) == 1


def test_the_proposer_is_an_input(chain: Chain) -> None:
    task_id = chain.ask()
    chain.answer(task_id)
    chain.judge(task_id)
    to_sequencer = chain.app.finalize_block([])
    to_nobody = chain.app.finalize_block([], proposer=b"x" * 32)
    to_node = chain.app.finalize_block([], proposer=key("g0").public)
    assert len({block.app_hash for block in (to_sequencer, to_nobody, to_node)}) == 3
    share = [
        p for e in to_node.events if isinstance(e, ev.Settled) for p in e.payments if p.reason == ev.PROPOSER_SHARE
    ]
    assert [p.key for p in share] == [key("g0").public]


def test_validator_updates_follow_bonded_stake(chain: Chain) -> None:
    result = chain.accept(("asker", Bond(1_000 * MICRO)))
    assert result.validator_updates == ()  # it has no role
    result = chain.accept(("g0", Bond(MICRO)))
    ((k, power),) = result.validator_updates
    row = chain.app.state.row[k]
    assert k == key("g0").public and power == int(chain.app.state.nodes.bonded_micro_N[row]) // MICRO


def test_queries(chain: Chain) -> None:
    task_id = chain.ask()
    app = chain.app
    assert app.query("height") == encode(1)
    nonce, liquid, *_ = decode(app.query("account", key("asker").public), tuple)
    assert nonce == 1 and liquid == 100_000 * MICRO - app.state.open[task_id].fee_micro
    assert decode(app.query("task", task_id), OpenTask) == app.state.open[task_id]
    assert decode(app.query("tasks"), tuple[OpenTask, ...]) == (app.state.open[task_id],)
    for path, data in (("account", b"?"), ("task", b"?"), ("nonsense", b"")):
        assert app.query(path, data) == b""


def test_the_app_hash_is_the_hash_of_the_state(chain: Chain) -> None:
    result = chain.block(chain.tx("asker", Task(0, "q", TIP, bytes(32))))
    assert result.app_hash == compute_app_hash(chain.app.state.encode())


def test_replay_tells_what_the_engine_told(original: Played) -> None:
    again = replay(original.folder)
    assert again.state_hash == original.blocks[-1].app_hash and again.height == len(original.blocks)
    assert again.events == tuple(event for block in original.blocks for event in block.events)
    assert again.supply_error_micro == 0
    assert again.transactions == sum(len(block.receipts) for block in original.blocks)
