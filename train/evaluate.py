"""How good finished models are, as JSON, beside what costs nothing.

    python -m train.evaluate runs/demo/models/*                            # generators and verifiers of the same facts
    python -m train.evaluate runs/demo/models/* --control runs/control     # and the closed-book control

Generators: exact match and confidence on wordings they were trained on, on wordings nobody was, and on facts and
subjects they were never taught. Verifiers: only subjects and wordings never trained on, on false answers of known
kinds and on what the given generators really answer there. The control is a verifier without evidence; it is trained
if it is not there yet, and must stay at chance: else something leaks.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deslm_jax.bundle import Bundle, load_bundle
from train.discriminator import read_material, train_discriminator
from train.examination import ask, control_figures, discriminator_figures, examination, generator_figures, shared_errors
from train.recipes import DiscriminatorRecipe
from train.runs import RunFolder, add_data_options, command


def evaluate(
    folders: Sequence[Path], facts: Path | None = None, templates: Path | None = None, control: Path | None = None
) -> dict[str, Any]:
    """Returns the figures of the given model folders; errors as `load_bundle`, and for a model not trained here."""
    exam = examination(facts, templates)
    generators: dict[str, Bundle] = {}
    verifiers: dict[str, Bundle] = {}
    for folder in folders:
        bundle = _trained_here(folder)
        (generators if bundle.kind == "generator" else verifiers)[str(folder)] = bundle
    answers = {name: ask(bundle, exam.questions) for name, bundle in generators.items()}
    figures: dict[str, Any] = {
        "generators": {name: generator_figures(exam, bundle, answers[name]) for name, bundle in generators.items()},
        "discriminators": {name: discriminator_figures(exam, bundle, answers) for name, bundle in verifiers.items()},
        "together": shared_errors(exam, answers, verifiers),
    }
    if control is not None:
        bundle = _control(control, facts, templates)
        figures["closed_book_control"] = control_figures(exam, bundle)
    return figures


def _trained_here(folder: Path) -> Bundle:
    bundle = load_bundle(folder)
    if "settings" not in bundle.provenance:
        raise ValueError(f"{folder} does not say what it was trained on; evaluate models that this package trained.")
    return bundle


def _control(folder: Path, facts: Path | None, templates: Path | None) -> Bundle:
    """The closed-book control, trained first unless it is there."""
    recipe = replace(DiscriminatorRecipe(), evidence=False)
    train_discriminator(recipe, read_material(recipe, facts, templates, None), RunFolder(folder))
    return load_bundle(folder)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="finished model folders")
    parser.add_argument(
        "--control", type=Path, metavar="FOLDER", help="the closed-book control, trained there if need be"
    )
    add_data_options(parser)
    run = lambda args: json.dumps(evaluate(args.folders, args.facts, args.templates, args.control), indent=1)
    return command(run, parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
