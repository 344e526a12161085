"""kill -9 at random moments: the ledger verifies, resumes, and no honest node is a micro-token worse for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from consensus.ledger import events as ev
from consensus.ledger.replay import replay
from tests.consensus.ledger.network import NAMES

KILLS = 50


@pytest.mark.slow
def test_killed_fifty_times(tmp_path: Path, repository_root: Path) -> None:
    """Children are killed while they start, answer, execute, and commit; the last one finishes what they began."""
    command = [sys.executable, "-m", "tests.consensus.engine.nursery", str(tmp_path), str(KILLS), "0"]
    done = subprocess.run(command, cwd=repository_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *lives, asked = done.stdout.splitlines()
    assert lives == ["killed"] * KILLS
    questions = int(asked.removeprefix("asked "))
    assert questions > KILLS  # blocks were made between the kills, so that there was something to lose

    result = replay(tmp_path)
    assert result.supply_error_micro == 0
    settled = [event for event in result.events if isinstance(event, ev.Settled)]
    assert [event.nonce for event in sorted(settled, key=lambda e: e.nonce)] == list(range(1, questions + 1))
    slashes = [event for event in result.events if isinstance(event, ev.Slashed)]
    silent = {NAMES[event.key] for event in slashes if event.reason == ev.NON_REVEAL}
    assert silent <= {"g3", "d3"}  # the copycat forgets what it copied, the withholder withholds
    assert not [event for event in result.events if isinstance(event, ev.AuditExpired)]
