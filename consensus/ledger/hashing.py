"""Every hash of the ledger: SHA-256 over the canonical bytes of a domain name and the parts.

The domain keeps a hash made for one purpose from ever being valid for another, and the canonical encoding keeps two
different lists of parts from running together.
"""

import hashlib
from collections.abc import Iterable

from consensus.ledger.codec import encode

DRAW_BYTES = 16  # a draw is 128 hash bits (law, Quantities)


def digest(domain: str, *parts: object) -> bytes:
    """32 bytes: SHA-256 of the canonical encoding of (domain, *parts); parts are integers, bytes, text or tuples."""
    return hashlib.sha256(encode((domain, *parts))).digest()


def commitment(domain: str, task_id: bytes, author: bytes, salt: bytes, body: object) -> bytes:
    """R3: H(domain, task, author key, salt, body). Bound to the key, so a copied commitment cannot be opened."""
    return digest(f"deslm/commit/{domain}/1", task_id, author, salt, body)


def truth_commitment(salt: bytes, truths: tuple[str, ...]) -> bytes:
    """R6: what a canary carries instead of its answer; any other task carries 32 random bytes, which look the same."""
    return digest("deslm/truth/1", salt, truths)


def next_beacon(beacon: bytes, salts: Iterable[bytes]) -> bytes:
    """R2: H(previous beacon, the salts revealed in this block in ascending order)."""
    return digest("deslm/beacon/1", beacon, tuple(sorted(salts)))


def draw(beacon: bytes, task_id: bytes, purpose: str, seat: int = 0) -> list[int]:
    """16 byte values of H(beacon, task, purpose, seat); a rule reads them big-endian, modulo the weights' sum."""
    return list(digest("deslm/draw/1", beacon, task_id, purpose, seat)[:DRAW_BYTES])
