"""Every field of a message is signed, and every type survives the wire."""

import msgspec
import pytest

from consensus.ledger.codec import encode
from consensus.ledger.hashing import commitment, draw, next_beacon
from consensus.ledger.messages import (
    BODIES,
    AnswerCommit,
    AnswerReveal,
    AuditTruth,
    Bond,
    CanaryReveal,
    CandidateVerdict,
    Challenge,
    Evidence,
    Kind,
    Message,
    ParameterChange,
    Register,
    Task,
    Transfer,
    Unbond,
    Unjail,
    VerdictCommit,
    VerdictReveal,
    parse_envelope,
    sign_message,
)
from consensus.ledger.validation import Admission, Reject, admit
from tests.consensus.ledger.network import key

H, S = b"h" * 32, b"s" * 32
EVERY_BODY = (
    Register(3), Bond(1), Unbond(2), Transfer(H, 3), Task(0, "q?", 0, H), AnswerCommit(H, S),
    AnswerReveal(H, S, "Lima", 1), VerdictCommit(H, S), VerdictReveal(H, S, (CandidateVerdict(65_535, (1, 2)),)),
    CanaryReveal(H, S, ("Lima",)), AuditTruth(H, ()), Challenge(H), Evidence(b"1", b"2"), Unjail(),
    ParameterChange((("epsilon_q16", (1,)),)),
)  # fmt: skip


def test_every_type_is_tried_here() -> None:
    assert [type(body) for body in EVERY_BODY] == list(BODIES.values())
    assert list(BODIES) == list(Kind)


@pytest.mark.parametrize("body", EVERY_BODY, ids=lambda body: type(body).__name__)
def test_round_trip(body: msgspec.Struct) -> None:
    message = admit(sign_message(key("a"), "test", 7, 9, body), "test")
    assert isinstance(message, Message)
    assert message[2:] == (key("a").public, 7, 9, body)


CHANGES = (
    ("version", 2, "version"),
    ("chain_id", "other", "chain"),
    ("kind", Kind.UNBOND, "signature"),
    ("key", key("b").public, "signature"),
    ("nonce", 8, "signature"),
    ("valid_until", 10, "signature"),
    ("body", encode(Bond(2)), "signature"),
    ("signature", bytes(64), "signature"),
)


@pytest.mark.parametrize(("field", "value", "reason"), CHANGES, ids=[change[0] for change in CHANGES])
def test_no_field_can_be_changed(field: str, value: object, reason: str) -> None:
    envelope = parse_envelope(sign_message(key("a"), "test", 7, 9, Bond(1)))
    refused = admit(encode(msgspec.structs.replace(envelope, **{field: value})), "test")
    assert isinstance(refused, Reject) and reason in refused.reason
    assert [name for name, *_ in CHANGES] == list(envelope.__struct_fields__)


def test_an_unknown_type_is_refused() -> None:
    envelope = parse_envelope(sign_message(key("a"), "test", 7, 9, Bond(1)))
    for kind in (0, 16, 2**40):
        refused = admit(encode(msgspec.structs.replace(envelope, kind=kind)), "test")
        assert refused == Reject(f"Envelope: kind: no transaction has type {kind}")


def test_the_same_words_from_another_key_or_nonce_are_another_message() -> None:
    texts = [(key("a"), 1), (key("a"), 2), (key("b"), 1)]
    names = {admit(sign_message(who, "test", nonce, 9, Bond(1)), "test").id for who, nonce in texts}
    assert len(names) == 3


def test_admission_remembers_only_what_it_has_verified() -> None:
    admission, good = Admission("test"), sign_message(key("a"), "test", 7, 9, Bond(1))
    assert admission.admit(good) is admission.admit(good)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    assert isinstance(admission.admit(forged), Reject)
    assert isinstance(admission.admit(forged), Reject)


def test_a_commitment_depends_on_every_part() -> None:
    parts = ("answer", H, S, b"t" * 32, ("Lima", 1))
    others = (("verdict", *parts[1:]), ("answer", S, *parts[2:]), (*parts[:2], H, *parts[3:]),
              (*parts[:3], S, parts[4]), (*parts[:4], ("Lima", 2)), (*parts[:4], ("Lim", 1)))  # fmt: skip
    assert len({commitment(*arguments) for arguments in (parts, *others)}) == 7


def test_the_beacon_takes_salts_in_any_order_and_draws_differ() -> None:
    assert next_beacon(H, [b"a" * 32, b"b" * 32]) == next_beacon(H, [b"b" * 32, b"a" * 32])
    assert next_beacon(H, [b"a" * 32]) != next_beacon(H, []) != H
    draws = [draw(H, S, purpose, seat) for purpose in ("generator", "discriminator") for seat in range(3)]
    assert len({tuple(values) for values in draws}) == 6
    assert all(len(values) == 16 and all(0 <= value < 256 for value in values) for values in draws)
