"""Figures that a benchmark keeps in a JSON file, for its tables or to go on from."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consensus.files import write_text


def read_figures(path: Path, needs: Sequence[str]) -> dict[str, Any]:
    """What the file holds. ValueError with one sentence if it cannot be read, or holds none of these names."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as figures: {error}") from None
    if not isinstance(kept, dict) or not any(name in kept for name in needs):
        raise ValueError(f"{path} holds none of {', '.join(needs)}: name a file that this benchmark wrote")
    return kept


def print_tables(
    parser: argparse.ArgumentParser, path: Path, needs: Sequence[str], write: Callable[[dict[str, Any]], str]
) -> None:
    """Print the tables that `write` makes of a kept file; exit status 2 with one sentence if it cannot be read."""
    try:
        print(write(read_figures(path, needs)))
    except ValueError as error:
        parser.error(str(error))


def write_figures(path: Path, kept: dict[str, Any]) -> None:
    """Write them, all or nothing."""
    write_text(path, json.dumps(kept, indent=1) + "\n")


def check_target(parser: argparse.ArgumentParser, path: Path | None) -> None:
    """Refuse a file in a folder that does not exist before anything is measured (exit status 2)."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        parser.error(f"{path} cannot be written: name a file in a folder that exists")
