"""One value, one encoding: canonical MessagePack of array-like records holding integers, bytes and text.

A record is a fixed row of fields (no maps, no floats, no nil), so its bytes are the same on every machine. MessagePack
itself allows several spellings of one integer or length; `decode` therefore encodes what it read again and refuses the
input unless the bytes agree. Nesting is bounded by the record's type, so hostile input cannot recurse.

>>> class Point(Record, frozen=True):
...     x: int
...     label: str
>>> encode(Point(7, "north")).hex()
'9207a56e6f727468'
>>> decode(bytes.fromhex("9207a56e6f727468"), Point)
Point(x=7, label='north')
>>> try:
...     decode(bytes.fromhex("92cc07a56e6f727468"), Point)  # 7 spelt with two bytes
... except CodecError as error:
...     print(error)
Point: not the canonical encoding
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar, cast

import msgspec

from consensus.ledger.errors import LedgerError
from consensus.ledger.limits import FRAME_BYTES, INTEGER_MAX, TRANSACTION_BYTES
from consensus.units import Q16, SUPPLY_CAP_MICRO


class CodecError(LedgerError):
    """Bytes that are not the canonical encoding of the record asked for."""


class Record(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Base of everything on the wire and in the state: a row of typed fields, encoded in order, without names."""


Natural = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
Integer = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
AmountMicro = Annotated[int, msgspec.Meta(ge=0, le=SUPPLY_CAP_MICRO)]
PositiveMicro = Annotated[int, msgspec.Meta(ge=1, le=SUPPLY_CAP_MICRO)]
ProbabilityQ16 = Annotated[int, msgspec.Meta(ge=1, le=Q16 - 1)]  # never certain: 0 and 1 have no log-odds
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]

T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()


def encode(value: Any) -> bytes:
    """The canonical bytes of a record, or of a tuple of integers, bytes, text and further tuples."""
    return _encoder.encode(value)


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder:
    return msgspec.msgpack.Decoder(kind)


def decode(data: bytes, kind: type[T], max_bytes: int = TRANSACTION_BYTES) -> T:
    """The record of type `kind` that `data` encodes.

    Raises CodecError with one sentence if `data` is longer than `max_bytes`, is not a `kind`, holds a value out of the
    range of its field, or is not the canonical encoding of what it says.
    """
    name = kind.__name__
    if len(data) > max_bytes:
        raise CodecError(f"{name}: {len(data)} bytes, at most {max_bytes} are allowed")
    try:
        value: T = _decoder(cast(Any, kind)).decode(data)
    except RecursionError:
        raise CodecError(f"{name}: nested too deeply") from None
    except UnicodeDecodeError:
        raise CodecError(f"{name}: text that is not UTF-8") from None
    except (ValueError, OverflowError) as error:
        raise CodecError(f"{name}: {_readable(str(error), kind)}") from None
    if encode(value) != data:
        raise CodecError(f"{name}: not the canonical encoding")
    return value


def _readable(message: str, kind: type) -> str:
    """msgspec's sentence with the field's name instead of its position."""
    fields = getattr(kind, "__struct_fields__", ())
    match = re.search(r" - at `\$\[(\d+)\][^`]*`", message)
    if match is None or int(match.group(1)) >= len(fields):
        return message.replace("`", "")
    return f"{fields[int(match.group(1))]}: {message[: match.start()]}".replace("`", "")


def frame(payload: bytes) -> bytes:
    """`payload` behind its length as four bytes, big-endian: how messages follow each other on a stream."""
    if len(payload) > FRAME_BYTES:
        raise CodecError(f"frame: {len(payload)} bytes, at most {FRAME_BYTES} are allowed")
    return len(payload).to_bytes(4, "big") + payload


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """The next payload from `read(n)` (a stream's method), or None at its end.

    The announced length is checked before the payload is read, so a hostile header allocates nothing. Raises
    CodecError if it is too long or the stream ends inside a frame.
    """
    header = read(4)
    if not header:
        return None
    size = int.from_bytes(header, "big")
    if len(header) < 4:
        raise CodecError("frame: the stream ends inside a header")
    if size > FRAME_BYTES:
        raise CodecError(f"frame: {size} bytes announced, at most {FRAME_BYTES} are allowed")
    payload = read(size) if size else b""
    if len(payload) < size:
        raise CodecError(f"frame: the stream ends after {len(payload)} of {size} bytes")
    return payload
