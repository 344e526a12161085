"""Ed25519 keys: who signed what, and how a secret lies on disk.

A signature covers a domain name and the message, so a signature given for one purpose is worth nothing for another.
A key file is text of one line, readable by its owner alone (0600), written to a temporary name and renamed, and never
overwritten. `SigningKey.from_seed` makes the same keys on every machine: it is for the demo and for tests, where
anybody may know the secret, and must never hold value.
"""

import hashlib
import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consensus.ledger.codec import encode
from consensus.ledger.errors import LedgerError

_MAGIC = "deslm-key-1"


class SigningKey:
    """A private key; `public` is the 32 bytes others know it by.

    >>> key = SigningKey.from_seed(0, "alice")
    >>> verify(key.public, "deslm/example", b"hello", key.sign("deslm/example", b"hello"))
    True
    """

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 bytes (RFC 8032 seed)."""
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self._secret = secret
        self.public: bytes = self._private.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.public.hex()[:12]}…)"

    @classmethod
    def generate(cls) -> "SigningKey":
        """A fresh key from the operating system's randomness."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def from_seed(cls, seed: int, name: str) -> "SigningKey":
        """The key that everybody derives from `seed` and `name`: for demos and tests, not for anything of value."""
        return cls(hashlib.sha256(f"deslm/public-demo-key/{seed}/{name}".encode()).digest())

    @classmethod
    def load(cls, path: str | Path) -> "SigningKey":
        """The key in the file at `path`; LedgerError if it is missing, malformed, or readable by anybody else."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                words = file.read(256).decode("ascii", "replace").split()
        except OSError as error:
            raise LedgerError(f"{path}: the key file cannot be read ({error.strerror}).") from None
        if mode & 0o077:
            raise LedgerError(f"{path}: the key file is open to other users; run: chmod 600 {path}")
        try:
            magic, secret, public = words
            key = cls(bytes.fromhex(secret))
            if magic != _MAGIC or key.public.hex() != public:
                raise ValueError
        except ValueError:
            raise LedgerError(f"{path}: not a DeSLM key file, or damaged; restore it from a copy.") from None
        return key

    def save(self, path: str | Path) -> None:
        """Write the key to `path`, 0600, all or nothing; LedgerError if a file is there already or cannot be made."""
        path = Path(path)
        if path.exists():
            raise LedgerError(f"{path}: a key file is there already; move it away first, it is not overwritten.")
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{_MAGIC} {self._secret.hex()} {self.public.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise LedgerError(f"{path}: the key file cannot be written ({error.strerror}).") from None

    def sign(self, domain: str, message: bytes) -> bytes:
        """64 bytes: the Ed25519 signature over (domain, message)."""
        return self._private.sign(encode((domain, message)))

    def derive_salt(self, purpose: str, *parts: bytes) -> bytes:
        """32 bytes nobody else can compute, the same each time: a restarted node can open what it committed to."""
        inner = hmac.digest(self._secret, b"deslm/salt-key/1", "sha256")
        return hmac.digest(inner, encode((purpose, *parts)), "sha256")


@lru_cache(maxsize=4096)
def _public_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def verify(public: bytes, domain: str, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is `public`'s over (domain, message); False for a malformed key or signature."""
    try:
        _public_key(public).verify(signature, encode((domain, message)))
    except (InvalidSignature, ValueError):
        return False
    return True
