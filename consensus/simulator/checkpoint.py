"""Finished batches of a sweep in a folder: each file is there whole or not at all, and says which sweep it is of."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from consensus.files import write_text, write_whole
from consensus.simulator.setting import Setting, Static

FORMAT = 1


def compute_digest(static: Static, settings: Setting, seeds: Sequence[int], rounds: int) -> str:
    """sha256 of everything a sweep's results depend on."""
    hashed = hashlib.sha256(f"{FORMAT} {tuple(static)} {[int(seed) for seed in seeds]} {rounds}".encode())
    for part in settings:
        for name, leaf in part._asdict().items():
            hashed.update(f"{name}{leaf.shape}".encode())
            hashed.update(np.ascontiguousarray(leaf).astype("<i8").tobytes())
    return hashed.hexdigest()


class Folder:
    """The batches of one sweep on disk; without a path nothing is kept.

    Raises ValueError if the folder holds another sweep. A sweep goes on with the batch size that it began with.
    """

    def __init__(self, path: Path | str | None, digest: str, runs: int, batch_runs: int) -> None:
        self.path = None if path is None else Path(path)
        self.batch_runs = batch_runs
        if self.path is None:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        plan = self.path / "sweep.json"
        if plan.exists():
            known = _read_plan(plan)
            if known["digest"] != digest:
                raise ValueError(f"{self.path} holds another sweep: name another folder, or delete this one")
            self.batch_runs = known["batch_runs"]
        else:
            text = json.dumps({"digest": digest, "runs": runs, "batch_runs": batch_runs})
            write_text(plan, text)

    def load(self, number: int, kind: Any, parts: tuple[Any, ...]) -> Any:
        """The batch as a `kind` of `parts` if it is there and whole, else None."""
        if self.path is None or not (file := self._file(number)).exists():
            return None
        try:
            with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as saved:
                read = lambda part: part(*(saved[f"{part.__name__}.{name}"] for name in part._fields))
                return kind(*(read(part) for part in parts))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # damaged: play it again

    def save(self, number: int, batch: Any) -> None:
        """Write a batch, all or nothing."""
        if self.path is None:
            return
        named = {f"{type(part).__name__}.{name}": leaf for part in batch for name, leaf in part._asdict().items()}
        write_whole(self._file(number), lambda file: np.savez(file, **named))

    def _file(self, number: int) -> Path:
        assert self.path is not None
        return self.path / f"batch-{number:05d}.npz"


def _read_plan(plan: Path) -> dict[str, Any]:
    try:
        known = json.loads(plan.read_text())
        if not isinstance(known["digest"], str) or type(known["batch_runs"]) is not int or known["batch_runs"] < 1:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{plan} is damaged: delete it to begin this sweep again") from None
    return known
