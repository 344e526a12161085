"""`deslm convert IN OUT`: an LED or Longformer folder of Hugging Face becomes a model folder; `--to-hf` goes back."""

import argparse
import os
import warnings
from pathlib import Path

from .errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two folders and the direction."""
    parser.add_argument("source", metavar="IN", type=Path, help="folder to read")
    parser.add_argument("target", metavar="OUT", type=Path, help="folder to write; must not be there yet")
    parser.add_argument("--to-hf", action="store_true", help="from a model folder of ours to the Hugging Face layout")


def run(args: argparse.Namespace) -> int:
    """Convert and say what came of it; 0. Nothing is written unless all of it can be."""
    target = Path(os.path.abspath(args.target))  # runs/.. is there, whether runs is or not
    if os.path.lexists(target):  # a link to nowhere is there, too
        raise UserError(f"{args.target} is there already; name a folder that is not")
    above = next(parent for parent in target.parents if os.path.lexists(parent))
    if not above.is_dir():
        raise UserError(f"{args.target} would lie in {above}, which is no folder; name another")
    if not args.source.is_dir():
        raise UserError(f"{args.source} is no folder; name one that holds a model")
    from deslm_jax import interop
    from deslm_jax.bundle import load_bundle, save_bundle
    from deslm_jax.tree import flatten

    if args.to_hf:
        bundle = load_bundle(args.source)
        interop.write_folder(args.target, bundle)
    else:
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            bundle = interop.read_folder(args.source)
        for note in notes:
            print(f"note: {note.message}")
        parts = bundle._asdict()
        del parts["kind"]
        save_bundle(args.target, **parts)
    layout = "the Hugging Face layout" if args.to_hf else "our own layout"
    n_parameters = sum(leaf.size for _, leaf in flatten(bundle.params))
    print(f"{args.target}: a {bundle.kind} of {n_parameters:,} parameters in {layout}")
    return 0
