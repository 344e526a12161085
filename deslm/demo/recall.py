"""A finished run brought back: its cast, its keys and its models, from its folder alone."""

import json
from pathlib import Path

from ..errors import UserError
from .cast import Member
from .play import Company, gather_company
from .setting import Folder


def recall(run: Path) -> Company:
    """Return the company of the finished run in the folder `run`.

    Raises UserError if there is none, or if its files are damaged.
    """
    folder = Folder(run)
    if not folder.summary.exists():
        raise UserError(f"{run} holds no finished run; make one with: deslm demo --out {run}")
    try:
        options, summary = json.loads(folder.options.read_text()), json.loads(folder.summary.read_text())
        cast = [Member(*(str(node[field]) for field in Member._fields)) for node in summary["nodes"]]  # type: ignore[arg-type]
        seed, facts_path = int(options["seed"]), Path(options["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"the files of the run in {run} are damaged; run: deslm demo --out {run}") from None
    return gather_company(folder, cast, seed, facts_path)
