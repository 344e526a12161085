"""Bad input gets one sentence and changes nothing: what a liar, a latecomer or a broken program may send."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ledger.app import App
from consensus.ledger.codec import encode
from consensus.ledger.limits import ANSWER_BYTES, PROMPT_BYTES, TRANSACTION_BYTES
from consensus.ledger.messages import (
    AnswerReveal,
    AuditTruth,
    Bond,
    CanaryReveal,
    CandidateVerdict,
    Challenge,
    ParameterChange,
    Register,
    Task,
    Transfer,
    Unbond,
    Unjail,
    VerdictReveal,
    parse_envelope,
    sign_message,
)
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus.ledger.network import (
    DISCRIMINATORS,
    GENERATORS,
    NAMES,
    OTHER_SALT,
    RIGHT,
    SALT,
    TIP,
    Chain,
    answer_commit,
    key,
    small_genesis,
    verdict_commit,
)

VERDICT = CandidateVerdict(3_000, (1,))


def generator_of(chain: Chain, task_id: bytes) -> str:
    return NAMES[chain.task(task_id).generators[0]]


def discriminator_of(chain: Chain, task_id: bytes) -> str:
    return NAMES[chain.task(task_id).discriminators[0]]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (Task(0, "", TIP, bytes(32)), "the prompt is empty"),
        (Task(0, " \n\t ", TIP, bytes(32)), "the prompt is empty"),
        (Task(0, "x" * (20 << 10), TIP, bytes(32)), "longer than 16384 bytes"),
        (Task(0, "é" * (PROMPT_BYTES // 2 + 1), TIP, bytes(32)), "longer than 16384 bytes"),
        (Task(0, "capital\x00of Peru", TIP, bytes(32)), "control character"),
        (Task(0, "\x1b[2J", TIP, bytes(32)), "control character"),
        (Task(4, "q", TIP, bytes(32)), "no task class"),
        (Task(0, "q", 100_001 * 10**6, bytes(32)), "cannot pay"),
        (Bond(10**15), "less liquid"),
        (Unbond(1), "not bonded"),
        (Transfer(key("asker").public, 1), "same account"),
        (Transfer(key("g0").public, 10**15), "less liquid"),
        (Transfer(key("stranger").public, 1), "at least the least stake"),
        (CanaryReveal(bytes(32), SALT, ()), "no open task"),
        (AuditTruth(bytes(32), ()), "only the auditor"),
        (Challenge(bytes(32)), "can be challenged"),
        (Unjail(), "not jailed"),
        (ParameterChange((("epsilon_q16", (1,)),)), "only the governance key"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else None,
)
def test_refused(chain: Chain, body: msgspec.Struct, reason: str) -> None:
    chain.refuse("asker", body, reason)


def test_a_role_is_registered_once(chain: Chain) -> None:
    chain.refuse("g0", Register(1), "has these roles already")


def test_a_stranger_has_no_say(chain: Chain) -> None:
    chain.refuse("stranger", Bond(1), "no account")


def test_another_chain(chain: Chain) -> None:
    chain.refuse("asker", Task(0, "q", TIP, bytes(32)), "is for chain 'main'", chain="main")


def test_an_expired_message(chain: Chain) -> None:
    chain.block()
    chain.refuse("asker", Task(0, "q", TIP, bytes(32)), "valid until block 1, this is block 2", valid_until=1)


def test_a_message_counts_once(chain: Chain) -> None:
    data = chain.tx("asker", Transfer(key("g0").public, 5))
    assert [receipt.code for receipt in chain.block(data, data).receipts] == [0, 1]
    again = chain.block(data)
    assert "counts once" in again.receipts[0].reason
    chain.refuse("asker", Transfer(key("g0").public, 5), "counts once", nonce=1)


@pytest.mark.parametrize("amount", [-1, 0, SUPPLY_CAP_MICRO + 1, 2**63, 2**64 - 1])
def test_amounts_out_of_range(chain: Chain, amount: int) -> None:
    envelope = parse_envelope(chain.tx("asker", Bond(1)))
    draft = msgspec.structs.replace(envelope, body=encode((amount,)))
    signed = msgspec.structs.replace(draft, signature=key("asker").sign("deslm/tx/1", draft.signed_bytes()))
    assert "Bond: amount_micro" in chain.app.check_tx(encode(signed)).reason


@pytest.mark.parametrize("value", [1.0, True, None, b"1", "1", [1], {}])
def test_no_float_stands_for_an_integer(chain: Chain, value: object) -> None:
    envelope = parse_envelope(chain.tx("asker", Bond(1)))
    draft = msgspec.structs.replace(envelope, body=msgspec.msgpack.encode([value]))
    signed = msgspec.structs.replace(draft, signature=key("asker").sign("deslm/tx/1", draft.signed_bytes()))
    assert "Bond: amount_micro" in chain.app.check_tx(encode(signed)).reason


def test_a_transaction_too_long(chain: Chain) -> None:
    assert "at most" in chain.app.check_tx(bytes(TRANSACTION_BYTES + 1)).reason


class TestAnswers:
    """What a generator may not do."""

    def test_in_the_wrong_window(self, chain: Chain) -> None:
        task_id = chain.ask()
        name = generator_of(chain, task_id)
        reveal = AnswerReveal(task_id, SALT, RIGHT, 60_000)
        chain.refuse(name, reveal, "too early: the window opens after block 2")
        chain.accept((name, answer_commit(name, task_id, RIGHT)))
        chain.block()
        chain.refuse(name, reveal, "too late: the window closed with block 3")
        chain.refuse(name, answer_commit(name, task_id, RIGHT), "too late: the window closed with block 2")

    def test_without_a_seat(self, chain: Chain) -> None:
        task_id = chain.ask()
        seated = {NAMES[k] for k in chain.task(task_id).generators}
        for name in {"asker", *DISCRIMINATORS, *GENERATORS} - seated:
            chain.refuse(name, answer_commit(name, task_id, RIGHT), "no such seat")

    def test_twice(self, chain: Chain) -> None:
        task_id = chain.ask()
        name = generator_of(chain, task_id)
        chain.accept((name, answer_commit(name, task_id, RIGHT)))
        both = [chain.tx(name, AnswerReveal(task_id, SALT, RIGHT, 60_000)) for _ in range(2)]
        assert [receipt.code for receipt in chain.block(*both).receipts] == [0, 2]
        other = chain.ask()
        name = generator_of(chain, other)
        two = [chain.tx(name, answer_commit(name, other, text)) for text in (RIGHT, "changed my mind")]
        assert [receipt.code for receipt in chain.block(*two).receipts] == [0, 2]

    def test_other_than_committed(self, chain: Chain) -> None:
        task_id = chain.ask()
        name = generator_of(chain, task_id)
        chain.accept((name, answer_commit(name, task_id, RIGHT)))
        for text, confidence, salt in ((RIGHT, 60_001, SALT), ("Right", 60_000, SALT), (RIGHT, 60_000, OTHER_SALT)):
            chain.refuse(name, AnswerReveal(task_id, salt, text, confidence), "not what was committed")
        chain.accept((name, AnswerReveal(task_id, SALT, RIGHT, 60_000)))

    def test_without_a_commitment(self, chain: Chain) -> None:
        task_id = chain.ask()
        name = generator_of(chain, task_id)
        chain.block()
        chain.refuse(name, AnswerReveal(task_id, SALT, RIGHT, 60_000), "nothing was committed")

    def test_a_copied_commitment_cannot_be_opened(self, chain: Chain) -> None:
        """The hash binds the author: who copies it has committed to nothing he could say."""
        task_id = chain.ask()
        first, second = [NAMES[k] for k in sorted(set(chain.task(task_id).generators))][:2]
        stolen = answer_commit(first, task_id, RIGHT)
        chain.accept((first, stolen), (second, stolen))
        chain.refuse(second, AnswerReveal(task_id, SALT, RIGHT, 60_000), "not what was committed")

    @pytest.mark.parametrize(
        ("text", "reason"), [("a\x07b", "control character"), ("x" * (ANSWER_BYTES + 1), "longer than 65536 bytes")]
    )
    def test_bad_text(self, chain: Chain, text: str, reason: str) -> None:
        task_id = chain.ask()
        name = generator_of(chain, task_id)
        chain.accept((name, answer_commit(name, task_id, text)))
        chain.refuse(name, AnswerReveal(task_id, SALT, text, 60_000), reason)


class TestVerdicts:
    """What a discriminator may not do."""

    def test_about_a_candidate_that_does_not_exist(self, chain: Chain) -> None:
        task_id = chain.ask()
        chain.answer(task_id)
        name = discriminator_of(chain, task_id)
        chain.accept((name, verdict_commit(name, task_id, (VERDICT,) * 2)))
        chain.refuse(name, VerdictReveal(task_id, SALT, (VERDICT,) * 2), "2 verdicts for 1 candidates")
        chain.refuse(name, VerdictReveal(task_id, SALT, ()), "0 verdicts for 1 candidates")

    def test_before_anybody_answered(self, chain: Chain) -> None:
        task_id = chain.ask()
        name = discriminator_of(chain, task_id)
        chain.refuse(name, verdict_commit(name, task_id, (VERDICT,)), "too early")
        chain.block()
        chain.block()
        chain.refuse(name, verdict_commit(name, task_id, (VERDICT,)), "nothing to judge")

    def test_late_twice_or_changed(self, chain: Chain) -> None:
        task_id = chain.ask()
        chain.answer(task_id)
        name = discriminator_of(chain, task_id)
        chain.accept((name, verdict_commit(name, task_id, (VERDICT,))))
        changed = (CandidateVerdict(3_001, (1,)),)
        chain.refuse(name, VerdictReveal(task_id, SALT, changed), "not what was committed")
        other_evidence = (CandidateVerdict(3_000, (2,)),)
        chain.refuse(name, VerdictReveal(task_id, SALT, other_evidence), "not what was committed")
        both = [chain.tx(name, VerdictReveal(task_id, SALT, (VERDICT,))) for _ in range(2)]
        assert [receipt.code for receipt in chain.block(*both).receipts] == [0, 2]
        chain.refuse(name, VerdictReveal(task_id, SALT, (VERDICT,)), "too late")


def make_stream(seed: int) -> list[bytes]:
    """Valid and spoilt transactions of every kind."""
    rng, chain = random.Random(seed), Chain()
    task_id = chain.ask()
    bodies = [Register(2), Bond(5), Unbond(7), Transfer(key("new").public, 10**7), Task(0, "q", 1, bytes(32)),
              answer_commit("g0", task_id, RIGHT), AnswerReveal(task_id, SALT, RIGHT, 1), AuditTruth(task_id, ()),
              verdict_commit("d0", task_id, ()), VerdictReveal(task_id, SALT, ()), CanaryReveal(task_id, SALT, ()),
              Challenge(task_id), Unjail(), ParameterChange((("epsilon_q16", (rng.randrange(2**20),)),))]  # fmt: skip
    names = ("g0", "d0", "asker", "sequencer", "auditor")
    stream = [chain.tx(rng.choice(names), rng.choice(bodies), nonce=rng.randrange(1, 99)) for _ in range(12)]
    for data in stream[:6]:
        place = rng.randrange(len(data))
        stream.append(data[:place] + bytes([rng.randrange(256)]) + data[place + rng.randrange(3) :])
    return stream


@given(st.integers(0, 2**32), st.lists(st.binary(max_size=120), max_size=6))
def test_nothing_makes_a_block_raise(seed: int, noise: list[bytes]) -> None:
    """Fuzzed blocks: every receipt is an answer, refused ones change nothing, and the supply holds."""
    chain = Chain()
    chain.ask()
    stream = [*make_stream(seed), *noise]
    random.Random(seed).shuffle(stream)
    for data in stream:
        chain.app.check_tx(data)
    result = chain.app.finalize_block(stream)
    assert len(result.receipts) == len(stream)
    assert all(bool(receipt.reason) == bool(receipt.code) for receipt in result.receipts)
    accepted = [data for data, receipt in zip(stream, result.receipts, strict=True) if receipt.code == 0]
    clean = App()
    clean.load(small_genesis(), chain.app.state.encode())
    assert clean.finalize_block(accepted).app_hash == result.app_hash
    assert chain.app.prepare_proposal(stream) == accepted


def test_a_forged_signature(chain: Chain) -> None:
    good = parse_envelope(chain.tx("asker", Task(0, "q", TIP, bytes(32))))
    forged = msgspec.structs.replace(good, signature=key("g0").sign("deslm/tx/1", good.signed_bytes()))
    assert "signature" in chain.app.check_tx(encode(forged)).reason
    assert sign_message(key("g0"), "test", 1, 1, Bond(1)) != encode(forged)
