"""Teaches a verifier to check answers against evidence, and writes it as a finished model folder.

    python -m train.discriminator --out runs/verifier                    # the bundled facts, the demo's first recipe
    python -m train.discriminator --out runs/mine --facts facts.tsv      # your facts; relations need no templates
    python -m train.discriminator --dry-run                              # how large, how dear; writes nothing
    python -m train.discriminator --out runs/control --evidence false    # the closed-book control: must stay at chance

Stop it at any moment: the same command goes on where it stopped.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from deslm_jax.bundle import save_bundle
from deslm_jax.config import DiscriminatorConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.initial import init_params
from deslm_jax.knowledge import KnowledgeBase
from deslm_jax.records import Record
from deslm_jax.tokenizer import Tokenizer
from train.augment import word_pool
from train.claims import ClaimMaker, claim_batches, claim_length
from train.facts import (
    Fact,
    Wordings,
    is_held_out_subject,
    load_facts,
    load_templates,
    split_templates,
)
from train.fitting import calibrate_discriminator
from train.losses import Sums, binary_cross_entropy
from train.parallel import host_rows
from train.questions import fact_questions
from train.recipes import DiscriminatorRecipe, add_recipe_options, recipe_from
from train.runs import (
    RunFolder,
    add_run_options,
    command,
    cost_of_run,
    digest,
    existing_tokenizer,
    run_folder,
    train_params,
)
from train.tokenizer import fact_tokenizer

_FITTED_SHARE = 0.25  # of the subjects that are not held out: never trained, they fit temperature and bias
_SMALLEST_TABLE = 12


class Material(NamedTuple):
    """What a verifier learns from. The three groups of facts share no subject."""

    trained: list[Fact]
    fitted: list[Fact]  # calibration
    wordings: Wordings
    knowledge: KnowledgeBase  # all facts, searched with the trained wordings' words
    tokenizer: Tokenizer
    data_sha256: str


def read_material(
    recipe: DiscriminatorRecipe, facts_path: Path | None, templates_path: Path | None, tokenizer_path: Path | None
) -> Material:
    """Returns the material of a table of facts; ValueError if too few subjects are left to train on."""
    facts = load_facts(facts_path)
    wordings = split_templates(load_templates(templates_path, dict.fromkeys(fact.relation for fact in facts)))
    allowed = [fact for fact in facts if not is_held_out_subject(fact.subject)]
    fitted = [fact for fact in allowed if is_fitted_subject(fact.subject)]
    trained = [fact for fact in allowed if not is_fitted_subject(fact.subject)]
    if len(trained) < _SMALLEST_TABLE:
        raise ValueError(
            f"Only {len(trained)} of {len(facts)} facts may train a verifier (the others are kept to test it); "
            f"give more facts, at least {_SMALLEST_TABLE} are needed."
        )
    return Material(
        trained,
        fitted,
        wordings,
        KnowledgeBase([Record(i, *fact) for i, fact in enumerate(facts)], wordings.train),
        fact_tokenizer(tokenizer_path, facts, wordings, recipe.vocab_size),
        digest([*facts, *((r, *t) for r, t in wordings.train.items())]),
    )


def is_fitted_subject(subject: str) -> bool:
    """Says whether a subject is kept out of training to fit temperature and bias on."""
    return int(digest([("fitted subject", subject)])[:8], 16) < _FITTED_SHARE * 2**32


def discriminator_config(recipe: DiscriminatorRecipe, vocab_size: int, claim_len: int) -> DiscriminatorConfig:
    """Returns the model's config: sizes from the recipe, room for longer claims later."""
    return DiscriminatorConfig(
        vocab_size=vocab_size,
        d_model=recipe.d_model,
        n_heads=recipe.n_heads,
        d_ff=recipe.d_ff,
        head_width=recipe.d_model,
        encoder_layers=recipe.encoder_layers,
        dropout=recipe.dropout,
        max_source_len=max(64, claim_len),
    )


def train_discriminator(
    recipe: DiscriminatorRecipe, material: Material, folder: RunFolder, save_every: int = 100
) -> str:
    """Trains, calibrates and writes the model; returns a sentence on what came of it. Resumes an unfinished run."""
    tokenizer, pool = material.tokenizer, word_pool(material.wordings)
    questions = fact_questions(material.trained, material.wordings.train)
    make_claim = ClaimMaker(material.knowledge, material.trained, pool, recipe)
    claim_len = claim_length_of(recipe, material)
    config = discriminator_config(recipe, tokenizer.vocab_size, claim_len)
    settings = {
        "recipe": recipe.to_dict(),
        "data_sha256": material.data_sha256,
        "tokenizer_sha256": tokenizer.sha256,
        "config": config.to_dict(),
    }
    if folder.is_finished(settings):
        return f"{folder.out} is trained already; nothing to do."
    model = Discriminator(config)
    batch_at = claim_batches(make_claim, questions, tokenizer, recipe, claim_len, host_rows(recipe.batch_size))
    params = train_params(
        init_params(model, recipe.seed),
        discriminator_loss(model, recipe),
        batch_at,
        recipe,
        folder,
        settings,
        save_every,
    )
    fitted = ClaimMaker(material.knowledge, material.fitted, pool, recipe.plain())
    fitted_questions = fact_questions(material.fitted, material.wordings.calibrate)
    calibration, figures = calibrate_discriminator(config, params, tokenizer, fitted, fitted_questions, recipe)
    provenance = {"settings": settings, "calibration_figures": figures, "trained_questions": len(questions)}
    save_bundle(
        folder.out, config=config, params=params, tokenizer=tokenizer, calibration=calibration, provenance=provenance
    )
    folder.drop_checkpoints()
    return f"{folder.out}: trained for {recipe.steps} steps; on subjects and wordings never trained {figures}"


def claim_length_of(recipe: DiscriminatorRecipe, material: Material) -> int:
    """Returns the length in tokens that claims are padded to: the recipe's, or what the material's need."""
    if recipe.max_claim_len:
        return recipe.max_claim_len
    questions = fact_questions(material.trained, material.wordings.train)
    plain_claim = ClaimMaker(material.knowledge, material.trained, word_pool(material.wordings), recipe.plain())
    return claim_length(plain_claim, questions, material.tokenizer, recipe.seed)


def discriminator_loss(model: Discriminator, recipe: DiscriminatorRecipe) -> Callable[[Any, Any, jax.Array], Sums]:
    """Returns the loss of a batch of `claim_batches`."""

    def loss_fn(params: Any, batch: Any, key: jax.Array) -> Sums:
        logits: Any = model.apply(
            {"params": params},
            batch["ids"],
            token_types=batch["types"],
            deterministic=recipe.dropout == 0,
            rngs={"dropout": key},
        )
        return binary_cross_entropy(logits, batch["fake"], recipe.smoothing)

    return loss_fn


def _run(args: argparse.Namespace) -> str:
    recipe = recipe_from(args, DiscriminatorRecipe)
    folder = None if args.dry_run else run_folder(args)
    material = read_material(recipe, args.facts, args.templates, existing_tokenizer(args))
    if folder is None:
        claim_len = claim_length_of(recipe, material)
        return cost_of_run(discriminator_config(recipe, material.tokenizer.vocab_size, claim_len), recipe, claim_len)
    if args.fresh:
        folder.clear()
    return train_discriminator(recipe, material, folder, args.save_every)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.discriminator", description=__doc__.splitlines()[0])
    add_run_options(parser)
    add_recipe_options(parser, DiscriminatorRecipe)
    return command(_run, parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
