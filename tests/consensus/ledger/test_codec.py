"""One value, one encoding; and bytes from outside can neither crash, recurse, nor allocate."""

import contextlib
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ledger.codec import CodecError, Record, decode, encode, frame, read_frame
from consensus.ledger.limits import FRAME_BYTES, TRANSACTION_BYTES
from consensus.ledger.messages import BODIES, CandidateVerdict, Task, Transfer, VerdictReveal


class Sample(Record, frozen=True):
    number: int
    name: bytes
    label: str
    rows: tuple[tuple[int, tuple[int, ...]], ...]


integers = st.integers(-(2**63), 2**63 - 1)
samples = st.builds(
    Sample,
    integers,
    st.binary(max_size=300),
    st.text(max_size=300),
    st.lists(st.tuples(integers, st.lists(integers, max_size=3).map(tuple)), max_size=4).map(tuple),
)


@given(samples)
def test_round_trip(sample: Sample) -> None:
    assert decode(encode(sample), Sample) == sample


@given(samples, st.data())
def test_no_other_bytes_mean_the_same(sample: Sample, data: st.DataObject) -> None:
    """Whatever one byte is changed to, the result is refused or means something else."""
    good = encode(sample)
    place = data.draw(st.integers(0, len(good) - 1))
    changed = bytes(
        [*good[:place], data.draw(st.integers(0, 255).filter(lambda b: b != good[place])), *good[place + 1 :]]
    )
    with contextlib.suppress(CodecError):
        assert decode(changed, Sample) != sample


@given(st.binary(max_size=200), st.sampled_from([Sample, *BODIES.values()]))
def test_any_bytes_are_decoded_canonically_or_refused(data: bytes, kind: type) -> None:
    with contextlib.suppress(CodecError):
        assert encode(decode(data, kind)) == data


@pytest.mark.parametrize(
    "spelling",
    ["cc07", "cd0007", "ce00000007", "cf0000000000000007", "d007", "d10007", "d200000007", "d30000000000000007"],
)
def test_longer_spellings_of_seven_are_refused(spelling: str) -> None:
    good = encode((7, b"", "", ()))
    assert decode(good, Sample).number == 7
    with pytest.raises(CodecError, match="not the canonical encoding"):
        decode(b"\x94" + bytes.fromhex(spelling) + good[2:], Sample)


@pytest.mark.parametrize("value", [7.0, float("nan"), True, None, "7", b"7", {}, [7], msgspec.msgpack.Ext(1, b"7")])
def test_only_integers_stand_where_integers_belong(value: object) -> None:
    with pytest.raises(CodecError, match="number"):
        decode(msgspec.msgpack.encode([value, b"", "", []]), Sample)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x94", b"\x93\x07\xc4\x00\xa0", b"\x95\x07\xc4\x00\xa0\x90\x90", encode((7, b"", "", ())) + b"\0",
     b"\xdd\xff\xff\xff\xff", b"\x94\x07\xc6\xff\xff\xff\xff", b"\x84\x01\x02", b"\x94\x07\xc4\x00\xa1\xff\x90"],
)  # fmt: skip
def test_malformed(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data, Sample)


@pytest.mark.parametrize("opening", [b"\x91", b"\xdc\x00\x01", b"\x81\x01", b"\xdd\x00\x00\x00\x01"])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    for kind in (Sample, VerdictReveal, tuple):
        with pytest.raises(CodecError):
            decode(opening * 20_000, kind)


def test_ranges_are_part_of_the_type() -> None:
    to = bytes(32)
    for amount in (-1, 0, 10**15 + 1, 2**63):
        with pytest.raises(CodecError, match="amount_micro"):
            decode(encode((to, amount)), Transfer)
    assert decode(encode((to, 10**15)), Transfer).amount_micro == 10**15
    with pytest.raises(CodecError, match="p_false_q16"):
        decode(encode((0, ())), CandidateVerdict)
    with pytest.raises(CodecError, match="evidence"):
        decode(encode((1, tuple(range(17)))), CandidateVerdict)
    with pytest.raises(CodecError, match="truth_commitment"):
        decode(encode((0, "q", 1, bytes(31))), Task)


def test_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(CodecError, match="at most"):
        decode(b"\xff" * (TRANSACTION_BYTES + 1), Sample)


def test_frames() -> None:
    stream = io.BytesIO(frame(b"one") + frame(b"") + frame(b"three"))
    assert [read_frame(stream.read) for _ in range(4)] == [b"one", b"", b"three", None]


@pytest.mark.parametrize("cut", [2, 5])
def test_a_cut_frame_is_refused(cut: int) -> None:
    with pytest.raises(CodecError, match="ends"):
        read_frame(io.BytesIO(frame(b"one")[:cut]).read)


def test_a_hostile_frame_length_allocates_nothing() -> None:
    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return (FRAME_BYTES + 1).to_bytes(4, "big")

    with pytest.raises(CodecError, match="announced"):
        read_frame(read)
    assert asked == [4]
    with pytest.raises(CodecError, match="at most"):
        frame(bytes(FRAME_BYTES + 1))
