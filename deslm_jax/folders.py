"""A folder that is there whole or not at all."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def replace_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes `contents` (file name to bytes) beside `folder`, then moves it into place.

    An older folder is moved aside and removed; whatever fails, the older one is there again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (folder.with_name(f".{folder.name}.{what}-draft") for what in ("new", "old"))
    for leftover in (fresh, old):  # of a save that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir()
        for name, data in contents.items():
            with open(fresh / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not folder.exists():  # the second rename failed
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
