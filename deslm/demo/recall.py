"""A finished run brought back: its cast, its keys and its models, from its folder alone."""

import json
from pathlib import Path

from ..errors import UserError
from .cast import Member
from .play import Company, gather_company
from .setting import Folder, hash_file


def recall(run: Path) -> Company:
    """Return the company of the finished run in the folder `run`.

    Raises UserError if there is none, or if its files are damaged, or if its facts are no longer those it was about.
    """
    folder = Folder(run)
    if not folder.summary.exists():
        raise UserError(f"{run} holds no finished run; make one with: deslm demo --out {run}")
    try:
        options, summary = json.loads(folder.options.read_text()), json.loads(folder.summary.read_text())
        cast = [Member(*(str(node[field]) for field in Member._fields)) for node in summary["nodes"]]  # type: ignore[arg-type]
        seed, facts_path, facts_sha256 = int(options["seed"]), Path(options["facts"]), options["facts_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"the files of the run in {run} are damaged; run: deslm demo --out {run}") from None
    if not facts_path.is_file() or hash_file(facts_path) != facts_sha256:
        # Verdicts cite records by their number in this file.
        raise UserError(f"{facts_path} is not what it was in the run in {run}; restore it, or run the demo anew")
    return gather_company(folder, cast, seed, facts_path)
