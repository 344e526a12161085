"""`deslm verify FOLDER`: replay a run's ledger from its first block and compare the state hash with the summary's."""

import argparse
import json
from pathlib import Path

from .errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder."""
    parser.add_argument("folder", type=Path, help="a run's folder, or a ledger: runs/demo")


def run(args: argparse.Namespace) -> int:
    """Return 0 if every block verifies and the hash is the summary's; 1 if the hash is another.

    A ledger that cannot be replayed raises LedgerError, which names the block.
    """
    from consensus.ledger.replay import replay

    nested = args.folder / "ledger"
    found = replay(nested if nested.is_dir() else args.folder)
    print(
        f"{found.height} blocks with {found.transactions} signed transactions verify; supply error "
        f"{found.supply_error_micro} micro-tokens; state hash {found.state_hash.hex()}"
    )
    claimed = _claimed_hash(args.folder / "summary.json")
    if claimed is None:
        return 0
    if claimed != found.state_hash.hex():
        print(f"but the summary claims the state hash {claimed}: summary and ledger are not of the same run")
        return 1
    print("the summary's state hash is the same")
    return 0


def _claimed_hash(path: Path) -> str | None:
    """The state hash in a summary, None if there is no summary."""
    if not path.exists():
        return None
    try:
        return str(json.loads(path.read_text())["state_hash"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; run deslm demo again, which writes it anew") from None
