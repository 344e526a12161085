"""Runs a network in child processes and kills each after a random moment; prints one line a kill.

    python -m tests.consensus.engine.nursery FOLDER KILLS SEED

A child begins or resumes the ledger in FOLDER and plays on, with more questions than any machine answers before it is
killed; the last life finishes those that were asked by then, and `asked N` says how many. Children are forked from
here, after the imports, so that a life costs milliseconds and most of it is spent making blocks.
"""

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

from consensus.engine.local import LocalEngine
from consensus.ledger.store import ledger_file
from consensus.node import run
from tests.consensus.ledger.network import key, lively_nodes, small_genesis

_ENDLESS = 2_000


def count_asked(folder: Path) -> int:
    """How many questions the ledger in `folder` holds."""
    if not ledger_file(folder).exists():
        return 0
    with LocalEngine.open(folder, key("sequencer")) as engine:
        state = engine.app.state
        return dict(zip(state.keys, state.nonces, strict=True))[key("asker").public]


def live(folder: Path, count: int) -> None:
    """Play until all `count` questions are settled."""
    if ledger_file(folder).exists():
        engine = LocalEngine.open(folder, key("sequencer"))
    else:
        engine = LocalEngine.create(folder, small_genesis(), key("sequencer"))
    with engine:
        for _ in run(engine, lively_nodes(count)):
            pass


def main() -> None:
    folder, kills, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    for _ in range(kills):
        child = os.fork()
        if not child:
            try:
                live(folder, _ENDLESS)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        time.sleep(rng.uniform(0.0, 0.25))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}", flush=True)
    asked = count_asked(folder)
    live(folder, asked)
    print("asked", asked)


if __name__ == "__main__":
    main()
