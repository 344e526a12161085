"""The transactions of the law, and the signed envelope that carries one.

    envelope = [version, chain id, kind, key, nonce, valid until height, body, signature]

`body` is the canonical encoding of the kind's record, and the signature covers everything before it. A message's id is
the hash of those signed bytes; a task is known by the id of the message that asked it.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import msgspec

from consensus.ledger.codec import (
    AmountMicro,
    Bytes32,
    Bytes64,
    CodecError,
    Integer,
    Natural,
    PositiveMicro,
    ProbabilityQ16,
    Record,
    decode,
    encode,
)
from consensus.ledger.hashing import digest
from consensus.ledger.keys import SigningKey, verify
from consensus.ledger.limits import CHAIN_ID_BYTES, EVIDENCE_IDS, SEATS, TRANSACTION_BYTES, TRUTHS

VERSION = 1
DOMAIN = "deslm/tx/1"

ChainId = Annotated[str, msgspec.Meta(min_length=1, max_length=CHAIN_ID_BYTES)]
Truths = Annotated[tuple[str, ...], msgspec.Meta(max_length=TRUTHS)]
RoleMask = Annotated[int, msgspec.Meta(ge=1, le=3)]  # 1 generator, 2 discriminator, 3 both


class Register(Record, frozen=True):
    """R2: take part as generator (1), discriminator (2) or both (3)."""

    roles: RoleMask


class Bond(Record, frozen=True):
    """R10: liquid -> bonded."""

    amount_micro: PositiveMicro


class Unbond(Record, frozen=True):
    """R10: bonded -> unbonding, still slashable until it is released to liquid."""

    amount_micro: PositiveMicro


class Transfer(Record, frozen=True):
    """Liquid of the sender -> liquid of `to`; a key without an account gets one if it is sent the least stake."""

    to: Bytes32
    amount_micro: PositiveMicro


class Task(Record, frozen=True):
    """R1: a prompt, its class, the tip, and a canary's commitment to its answer (32 random bytes if it is none)."""

    task_class: Natural
    prompt: str
    tip_micro: AmountMicro
    truth_commitment: Bytes32


class AnswerCommit(Record, frozen=True):
    """R3: the hash of an answer that is revealed later."""

    task_id: Bytes32
    commitment: Bytes32


class AnswerReveal(Record, frozen=True):
    """R3: the answer and how sure the generator is."""

    task_id: Bytes32
    salt: Bytes32
    text: str
    confidence_q16: ProbabilityQ16


class VerdictCommit(Record, frozen=True):
    """R3: the hash of verdicts that are revealed later."""

    task_id: Bytes32
    commitment: Bytes32


class CandidateVerdict(Record, frozen=True):
    """The probability that one candidate is false, and the records the judgement rests on (none: no evidence found)."""

    p_false_q16: ProbabilityQ16
    evidence: Annotated[tuple[Natural, ...], msgspec.Meta(max_length=EVIDENCE_IDS)]


class VerdictReveal(Record, frozen=True):
    """R3: one verdict for each candidate, in the candidates' order."""

    task_id: Bytes32
    salt: Bytes32
    verdicts: Annotated[tuple[CandidateVerdict, ...], msgspec.Meta(max_length=SEATS)]


class CanaryReveal(Record, frozen=True):
    """R6: opens a canary's commitment; anybody who knows the salt may send it. No truths: nothing is right."""

    task_id: Bytes32
    salt: Bytes32
    truths: Truths


class AuditTruth(Record, frozen=True):
    """R6: the auditor's word on a task under audit or challenge. No truths: nothing is right."""

    task_id: Bytes32
    truths: Truths


class Challenge(Record, frozen=True):
    """R6: the accepted answer is false, says the sender, and bonds twice the task's fee on it."""

    task_id: Bytes32


class Evidence(Record, frozen=True):
    """R8: two messages in which one key committed to two different things for one task and role."""

    first: bytes
    second: bytes


class Unjail(Record, frozen=True):
    """R8: return to the draw once the jail term is over."""


class ParameterChange(Record, frozen=True):
    """New values of some parameters, by the governance key: (name, values in row order)."""

    changes: Annotated[tuple[tuple[str, tuple[Integer, ...]], ...], msgspec.Meta(min_length=1, max_length=64)]


class Kind(IntEnum):
    """The envelope's type number of each body."""

    REGISTER, BOND, UNBOND, TRANSFER, TASK = 1, 2, 3, 4, 5
    ANSWER_COMMIT, ANSWER_REVEAL, VERDICT_COMMIT, VERDICT_REVEAL = 6, 7, 8, 9
    CANARY_REVEAL, AUDIT_TRUTH, CHALLENGE, EVIDENCE, UNJAIL, PARAMETER_CHANGE = 10, 11, 12, 13, 14, 15


BODIES: dict[int, type[Record]] = {
    Kind.REGISTER: Register,
    Kind.BOND: Bond,
    Kind.UNBOND: Unbond,
    Kind.TRANSFER: Transfer,
    Kind.TASK: Task,
    Kind.ANSWER_COMMIT: AnswerCommit,
    Kind.ANSWER_REVEAL: AnswerReveal,
    Kind.VERDICT_COMMIT: VerdictCommit,
    Kind.VERDICT_REVEAL: VerdictReveal,
    Kind.CANARY_REVEAL: CanaryReveal,
    Kind.AUDIT_TRUTH: AuditTruth,
    Kind.CHALLENGE: Challenge,
    Kind.EVIDENCE: Evidence,
    Kind.UNJAIL: Unjail,
    Kind.PARAMETER_CHANGE: ParameterChange,
}
KINDS = {body: Kind(kind) for kind, body in BODIES.items()}


class Envelope(Record, frozen=True):
    """What travels: who says what on which chain, until when it may be included, and the signature."""

    version: Natural
    chain_id: ChainId
    kind: Natural
    key: Bytes32
    nonce: Natural
    valid_until: Natural
    body: bytes
    signature: Bytes64

    def signed_bytes(self) -> bytes:
        """What the signature covers: everything but itself."""
        return encode((self.version, self.chain_id, self.kind, self.key, self.nonce, self.valid_until, self.body))


class Message(NamedTuple):
    """A parsed envelope whose body is a record; `id` names it, and the task if it asks one."""

    id: bytes  # 32 bytes
    kind: Kind
    key: bytes
    nonce: int  # above every earlier one of this key
    valid_until: int  # last height at which a block may include it
    body: Record


def sign_message(key: SigningKey, chain_id: str, nonce: int, valid_until: int, body: Record) -> bytes:
    """The transaction that carries `body`, signed by `key`."""
    draft = Envelope(VERSION, chain_id, KINDS[type(body)], key.public, nonce, valid_until, encode(body), bytes(64))
    return encode(msgspec.structs.replace(draft, signature=key.sign(DOMAIN, draft.signed_bytes())))


def parse_envelope(data: bytes) -> Envelope:
    """The envelope in `data`, its signature not yet checked; CodecError says what is malformed."""
    return decode(data, Envelope, TRANSACTION_BYTES)


def parse_body(envelope: Envelope) -> Message:
    """The message in `envelope`; CodecError if its type is unknown or its body is not that type's record."""
    kind = BODIES.get(envelope.kind)
    if kind is None:
        raise CodecError(f"Envelope: kind: no transaction has type {envelope.kind}")
    body = decode(envelope.body, kind, TRANSACTION_BYTES)
    name = digest("deslm/message/1", envelope.signed_bytes())
    return Message(name, Kind(envelope.kind), envelope.key, envelope.nonce, envelope.valid_until, body)


def is_signed(envelope: Envelope) -> bool:
    """Whether the envelope's signature is its key's."""
    return verify(envelope.key, DOMAIN, envelope.signed_bytes(), envelope.signature)
