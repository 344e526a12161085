"""`deslm train generator ...`: the same as `python -m train.generator ...`, with the arguments handed on unread."""

import argparse
import importlib

# What can be trained -> the module whose main(argv) does it.
TRAINERS = {
    "tokenizer": "train.tokenizer",
    "generator": "train.generator",
    "discriminator": "train.discriminator",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which trainer is meant; everything after it belongs to that trainer."""
    parser.usage = f"deslm train {{{','.join(TRAINERS)}}} [options]"
    parser.epilog = "`deslm train generator --help` lists the generator's options; the other two alike."
    parser.add_argument("trainer", choices=TRAINERS, help="what to train")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="options of that trainer")


def run(args: argparse.Namespace) -> int:
    """Run the trainer in this process and return its exit status."""
    status: int | None = importlib.import_module(TRAINERS[args.trainer]).main(args.arguments)
    return status or 0
