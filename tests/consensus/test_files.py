"""A file is there whole or not at all."""

import errno
import os

import pytest

from consensus.files import write_text


def test_replaces_what_was_there(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_text(path, "τ of Bogotá")
    assert path.read_text(encoding="utf-8") == "τ of Bogotá"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, step):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named_by_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "none" / "figures.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_text(path, "{}")
    assert caught.value.filename == str(path)
