"""Whether bytes are a message at all: the checks that need no state, and the three answers every check gives.

Accept; Ignore (nothing is wrong with the sender, but it is of no use now: a duplicate, too early, too late); Reject (it
can never be valid). Each check is one branch and one sentence. Nothing here raises on any input.
"""

import re
from collections import OrderedDict
from typing import NamedTuple

from consensus.ledger.codec import CodecError
from consensus.ledger.messages import VERSION, Message, is_signed, parse_body, parse_envelope


class Accept(NamedTuple):
    """The message is fine."""


class Ignore(NamedTuple):
    """It changes nothing, and the sender need not be at fault."""

    reason: str


class Reject(NamedTuple):
    """It changes nothing, and can never be valid."""

    reason: str


Verdict = Accept | Ignore | Reject
ACCEPT = Accept()

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CACHE_BYTES = 32 << 20


class Admission:
    """Parses and authenticates transactions for one chain, each only once.

    A transaction meets `check_tx`, `prepare_proposal`, `process_proposal` and `finalize_block`; its signature is
    verified the first time. What is remembered is keyed by the exact bytes, so a changed copy is verified anew.
    """

    def __init__(self, chain_id: str) -> None:
        self._chain_id = chain_id
        self._known: OrderedDict[bytes, Message] = OrderedDict()
        self._known_bytes = 0

    def admit(self, data: bytes) -> Message | Reject:
        """The message in `data`, or why it is none."""
        message = self._known.get(data)
        if message is not None:
            return message
        admitted = admit(data, self._chain_id)
        if isinstance(admitted, Message):
            self._remember(data, admitted)
        return admitted

    def _remember(self, data: bytes, message: Message) -> None:
        self._known[data] = message
        self._known_bytes += len(data)
        while self._known_bytes > _CACHE_BYTES:
            oldest, _ = self._known.popitem(last=False)
            self._known_bytes -= len(oldest)


def admit(data: bytes, chain_id: str) -> Message | Reject:
    """The message in `data` if it is canonical, of this version and chain, and signed by its key; else why not."""
    try:
        envelope = parse_envelope(data)
        if envelope.version != VERSION:
            return Reject(f"message version {envelope.version} is not {VERSION}")
        if envelope.chain_id != chain_id:
            return Reject(f"the message is for chain {envelope.chain_id!r}, this is {chain_id!r}")
        message = parse_body(envelope)
    except CodecError as error:
        return Reject(str(error))
    if not is_signed(envelope):
        return Reject("the signature is not its key's")
    return message


def check_text(text: str, field: str, max_bytes: int) -> Verdict:
    """Text from outside: bounded, and without control characters other than line feed and tab."""
    if len(text) > max_bytes or len(text.encode()) > max_bytes:
        return Reject(f"the {field} is longer than {max_bytes} bytes")
    if _CONTROL.search(text):
        return Reject(f"the {field} contains a control character")
    return ACCEPT
