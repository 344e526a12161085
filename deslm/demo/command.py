"""`deslm demo`: train, run the network, score it, tell the story. Interrupted at any moment, it goes on where it was.

What is finished lies on disk: a bundle a model, a block a commit, summary.json last. So a run without a summary is
gone on with; a run with one keeps its models and plays its network anew.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import interrupts
from ..compiler import configure
from ..errors import UserError

_LEAST = {"questions": 1, "unknown": 0, "seed": 0, "jobs": 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the demo's options."""
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder of the run (default: runs/demo)")
    parser.add_argument("--seed", type=int, default=0, help="of models, questions and keys (default: 0)")
    parser.add_argument("--questions", type=int, default=320, help="about taught subjects (default: 320)")
    parser.add_argument("--unknown", type=int, default=64, help="about subjects no generator was taught (default: 64)")
    parser.add_argument("--facts", type=Path, help="your facts, TSV or JSONL: subject, relation, object")
    parser.add_argument("--templates", type=Path, help="your question wordings, TSV: relation, template")
    parser.add_argument("--honest-only", action="store_true", help="no cheating nodes: the control")
    parser.add_argument("--jobs", type=int, help="models trained side by side (default: one a core)")


class Clock:
    """Seconds spent by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside towards `name`."""
        start = time.perf_counter()
        yield
        interrupts.check()
        self.seconds[name] = round(time.perf_counter() - start, 1)


def run(args: argparse.Namespace) -> int:
    """Run the demo and return 0; what the user can mend is raised as ValueError or OSError with one sentence."""
    for name, least in _LEAST.items():
        value = getattr(args, name)
        if value is not None and value < least:
            raise UserError(f"--{name} must be at least {least}, not {value}")
    interrupts.remember()
    configure(args.out)
    from rich.console import Console

    from .outcome import tell
    from .play import gather_company, play
    from .setting import prepare
    from .training import ensure_models

    console, clock = Console(highlight=False), Clock()
    setting = prepare(args)
    with clock.phase("train"):
        trained = ensure_models(setting, args.jobs or os.cpu_count() or 1, console)
    with clock.phase("load models"):
        cast = setting.cast(trained.generators, trained.discriminators)
        texts = [question.text for question in setting.questions]
        company = gather_company(setting.folder, cast, setting.seed, setting.facts_path, texts)
    with clock.phase("network"):
        state_hash = play(setting, company, console)
    tell(setting, trained, company, state_hash, clock.seconds, console)
    return 0
