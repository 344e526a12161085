"""The `deslm` command: one table of commands, each imported only when it is asked for.

A command is a module with two functions, `add_arguments(parser)` and `run(args) -> int`. To add one, write that module
and give it a line in `COMMANDS`. A command reports a mistake of its user by raising `ValueError` or `OSError` with one
sentence; `main` prints it and exits with status 2.
"""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from deslm import __version__, errors


class Command(NamedTuple):
    """One word after `deslm`."""

    name: str
    module: str  # has add_arguments(parser) and run(args) -> int
    summary: str  # the line in `deslm --help`


COMMANDS = (
    Command("demo", "deslm.demo.command", "train small models, run a network of them on real facts, write a report"),
    Command("train", "deslm.training", "train a tokenizer, a generator or a discriminator"),
    Command("ask", "deslm.ask", "ask the trained network one question and see how it decides"),
    Command("convert", "deslm.convert", "turn a Hugging Face LED or Longformer folder into a model folder, or back"),
    Command("verify", "deslm.verify", "replay a run's ledger and compare the state hash"),
    Command("validate", "deslm.validate", "compute published numbers again by the law's rules, and compare"),
    Command("profile", "deslm.profiling", "measure what a finished run's models can do, for the simulator"),
    Command("simulate", "deslm.simulate", "play a network of synthetic nodes through the law's rules"),
    Command("sweep", "deslm.sweep", "play many settings of a simulated network with many seeds, and report"),
    Command("doctor", "deslm.doctor", "show versions and devices, what is missing and what to do"),
)
_MODULES = {command.name: command.module for command in COMMANDS}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status.

    0: done; 1: the command's answer is no (a ledger that does not verify) or a fault of ours; 2: something the user can
    mend, said in one sentence on stderr; 130: Ctrl-C. `--debug`, anywhere before a `--`, shows the traceback.
    """
    arguments, debug = _take_debug(sys.argv[1:] if argv is None else list(argv))
    try:
        # A terminal that cannot show τ or Bogotá shows "?" there; it is no reason to stop.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        parser = _build_parser(arguments)
        args = parser.parse_args(arguments)
        if args.command is None:
            parser.print_help()
            return 0
        status: int = importlib.import_module(_MODULES[args.command]).run(args)
        sys.stdout.flush()
        return status
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        failure = errors.describe(error)
        if failure.status == errors.CLOSED_PIPE:
            # What the reader who left (`| head`) did not take is still buffered: the flush at exit must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if failure.sentence:
            print(f"deslm: {failure.sentence}", file=sys.stderr)
        return failure.status


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Split `--debug` off wherever it stands, since `deslm train` hands its arguments on unread."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != "--debug"]
    return kept + arguments[end:], len(kept) < end


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; of the commands only the one named in `arguments` is imported, to declare its options."""
    parser = argparse.ArgumentParser(
        prog="deslm",
        description="Small language models that answer together and pay each other for it.",
        epilog="--debug with any command shows the traceback of an error. Start with: deslm demo",
    )
    parser.add_argument("--version", action="version", version=f"deslm {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name, help=command.summary, description=f"{command.summary[0].upper()}{command.summary[1:]}."
        )
        if command.name == asked:
            importlib.import_module(command.module).add_arguments(subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
