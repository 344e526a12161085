"""A secret is readable by its owner alone, whole or absent, and signs for one purpose at a time."""

import os
import stat
from pathlib import Path

import pytest

from consensus.ledger.errors import LedgerError
from consensus.ledger.keys import SigningKey, verify


def test_saved_key_is_private_and_comes_back(tmp_path: Path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "node.key")
    assert stat.S_IMODE((tmp_path / "node.key").stat().st_mode) == 0o600
    assert SigningKey.load(tmp_path / "node.key").public == key.public
    assert [path.name for path in tmp_path.iterdir()] == ["node.key"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "node.key")
    with pytest.raises(LedgerError, match="not overwritten"):
        SigningKey.generate().save(tmp_path / "node.key")
    assert SigningKey.load(tmp_path / "node.key").public == key.public


def test_a_failed_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(LedgerError, match="No space left"):
        SigningKey.generate().save(tmp_path / "node.key")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "node.key"
    SigningKey.generate().save(path)
    path.chmod(mode)
    with pytest.raises(LedgerError, match="chmod 600"):
        SigningKey.load(path)


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    SigningKey.generate().save(path)
    good = path.read_text()
    secret = good.split()[1]
    other = good.replace(secret, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    for text in (other, good[:-10], "", "\0" * 40, good.replace("deslm-key-1", "deslm-key-2"), good + " x"):
        path.write_text(text)
        with pytest.raises(LedgerError, match="not a DeSLM key file, or damaged"):
            SigningKey.load(path)


def test_a_missing_key_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be read"):
        SigningKey.load(tmp_path / "none.key")


def test_a_signature_is_for_one_domain_message_and_key() -> None:
    key, other = SigningKey.from_seed(0, "a"), SigningKey.from_seed(0, "b")
    signature = key.sign("purpose", b"message")
    assert verify(key.public, "purpose", b"message", signature)
    assert not verify(key.public, "purpose2", b"message", signature)
    assert not verify(key.public, "purpose", b"messagf", signature)
    assert not verify(other.public, "purpose", b"message", signature)
    assert not verify(key.public, "purpose", b"message", signature[:-1])
    assert not verify(b"\xff" * 32, "purpose", b"message", signature)
    assert not verify(b"short", "purpose", b"message", signature)


def test_domain_and_message_do_not_run_together() -> None:
    key = SigningKey.from_seed(0, "a")
    assert key.sign("ab", b"c") != key.sign("a", b"bc")


def test_salts_are_the_same_each_time_and_apart_otherwise() -> None:
    key, other = SigningKey.from_seed(0, "a"), SigningKey.from_seed(0, "b")
    salts = {key.derive_salt("answer", b"1"), key.derive_salt("answer", b"2"), key.derive_salt("verdict", b"1"),
             other.derive_salt("answer", b"1"), key.derive_salt("answer", b"1", b"")}  # fmt: skip
    assert len(salts) == 5
    assert key.derive_salt("answer", b"1") in salts


def test_seeded_keys_are_the_same_everywhere() -> None:
    """If this changes, every demo and every stored test ledger gets other keys."""
    assert SigningKey.from_seed(0, "alice").public.hex().startswith("7e1b5ce57d33d864")
    assert SigningKey.from_seed(0, "alice").public != SigningKey.from_seed(1, "alice").public


def test_the_secret_is_not_printed() -> None:
    key = SigningKey.from_seed(0, "alice")
    assert key._secret.hex() not in repr(key)
