"""Teaches a generator facts, or question and answer pairs, and writes it as a finished model folder.

    python -m train.generator --out runs/generator                       # the bundled facts, the demo's first recipe
    python -m train.generator --out runs/mine --facts facts.tsv          # your facts; relations need no templates
    python -m train.generator --out runs/mine --pairs pairs.jsonl        # question, answer
    python -m train.generator --dry-run                                  # how large, how dear; writes nothing
    python -m train.generator --out runs/mine --tfds DATASET/1.0.0       # the same, from a TFDS folder (array_record)

Stop it at any moment: the same command goes on where it stopped.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax

from deslm_jax.bundle import save_bundle
from deslm_jax.config import GeneratorConfig
from deslm_jax.generator import Generator
from deslm_jax.initial import init_params
from train.augment import WordPool, word_pool
from train.facts import load_facts, load_templates, split_templates, taught_facts, taught_subset
from train.fitting import calibrate_generator
from train.losses import Sums, masked_cross_entropy
from train.parallel import host_rows
from train.questions import Lesson, fact_questions, generator_batches, pair_questions, training_length
from train.recipes import GeneratorRecipe, add_recipe_options, recipe_from
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
from train.sources import Source, TfdsSource, read_pairs
from train.tokenizer import fact_tokenizer, text_tokenizer


def facts_lesson(
    recipe: GeneratorRecipe, facts_path: Path | None, templates_path: Path | None, tokenizer_path: Path | None
) -> Lesson:
    """Returns the lesson of a table of facts; the recipe's seed chooses which of them this model is taught.

    Confidence is measured in the wordings kept for calibration, on facts that are taught to this model and on those
    only others are taught: what it does not know is part of the measure. Subjects taught to nobody take no part.
    """

    facts = load_facts(facts_path)
    wordings = split_templates(load_templates(templates_path, dict.fromkeys(fact.relation for fact in facts)))
    taught = taught_subset(facts, recipe.seed, recipe.taught_fraction)
    if not taught:
        raise ValueError("None of the facts falls to this model; raise --taught-fraction or give more facts.")
    return Lesson(
        fact_questions(taught, wordings.train),
        fact_questions(taught_facts(facts), wordings.calibrate),
        word_pool(wordings),
        fact_tokenizer(tokenizer_path, facts, wordings, recipe.vocab_size),
        digest([*facts, *((r, *t) for r, t in wordings.train.items())]),
    )


def pairs_lesson(recipe: GeneratorRecipe, source: Source, tokenizer_path: Path | None) -> Lesson:
    """Returns the lesson of a source of question and answer pairs; one in twenty is kept to measure confidence on."""

    questions = pair_questions(source)
    kept = [q for q in questions if int(digest([(q.template,)])[:8], 16) % 20 == 0]
    taught = [q for q in questions if int(digest([(q.template,)])[:8], 16) % 20]
    if not taught:
        raise ValueError("There are too few pairs to train on; give at least two.")
    texts = [text for q in taught for text in (q.template, q.answer)]
    tokenizer = text_tokenizer(tokenizer_path, texts, recipe.vocab_size)
    return Lesson(
        taught, kept, WordPool((), frozenset()), tokenizer, digest([(q.template, q.answer) for q in questions])
    )


def generator_config(recipe: GeneratorRecipe, lesson: Lesson, question_len: int) -> GeneratorConfig:
    """Returns the model's config: sizes from the recipe, lengths from the data, room for longer questions later."""

    answers = {q.answer for group in (lesson.questions, lesson.calibration) for q in group}
    longest = max(len(lesson.tokenizer.encode(answer)) for answer in answers) + 1
    return GeneratorConfig(
        vocab_size=lesson.tokenizer.vocab_size,
        d_model=recipe.d_model,
        n_heads=recipe.n_heads,
        d_ff=recipe.d_ff,
        encoder_layers=recipe.encoder_layers,
        decoder_layers=recipe.decoder_layers,
        dropout=recipe.dropout,
        max_source_len=max(48, question_len),
        max_target_len=longest,
    )


def train_generator(recipe: GeneratorRecipe, lesson: Lesson, folder: RunFolder, save_every: int = 100) -> str:
    """Trains, calibrates and writes the model; returns a sentence on what came of it. Resumes an unfinished run."""

    question_len = recipe.max_question_len or training_length(lesson.questions, lesson.tokenizer)
    config = generator_config(recipe, lesson, question_len)
    settings = {
        "recipe": recipe.to_dict(),
        "data_sha256": lesson.data_sha256,
        "tokenizer_sha256": lesson.tokenizer.sha256,
        "config": config.to_dict(),
    }
    if folder.is_finished(settings):
        return f"{folder.out} is trained already; nothing to do."
    model = Generator(config)
    batch_at = generator_batches(
        lesson,
        recipe,
        question_len,
        config.max_target_len,
        rows=host_rows(recipe.batch_size),
        compact=jax.device_count() == 1,
    )
    params = train_params(
        init_params(model, recipe.seed), generator_loss(model, recipe), batch_at, recipe, folder, settings, save_every
    )
    calibration, figures = calibrate_generator(
        config, params, lesson.tokenizer, lesson.calibration, recipe.confidence_cap
    )
    provenance = {"settings": settings, "calibration_figures": figures, "taught_questions": len(lesson.questions)}
    save_bundle(
        folder.out,
        config=config,
        params=params,
        tokenizer=lesson.tokenizer,
        calibration=calibration,
        provenance=provenance,
    )
    folder.drop_checkpoints()
    return (
        f"{folder.out}: {len(lesson.questions)} questions, {recipe.steps} steps; in a wording never trained {figures}"
    )


def generator_loss(model: Generator, recipe: GeneratorRecipe) -> Callable[[Any, Any, jax.Array], Sums]:
    """Returns the loss of a batch of `generator_batches`: teacher forcing, over the tokens of the answers alone."""

    def loss_fn(params: Any, batch: Any, key: jax.Array) -> Sums:
        logits: Any = model.apply(
            {"params": params},
            batch["question"],
            batch["answer_in"],
            deterministic=recipe.dropout == 0,
            places=batch.get("places"),
            rngs={"dropout": key},
        )
        return masked_cross_entropy(logits, batch["answer_out"], batch["counts"], recipe.smoothing)

    return loss_fn


def _run(args: argparse.Namespace) -> str:
    recipe = recipe_from(args, GeneratorRecipe)
    folder, tokenizer = None if args.dry_run else run_folder(args), existing_tokenizer(args)
    if sum(given is not None for given in (args.facts, args.pairs, args.tfds)) > 1:
        raise ValueError("Give one of --facts, --pairs and --tfds.")
    if args.pairs or args.tfds:
        source = read_pairs(args.pairs) if args.pairs else TfdsSource(args.tfds, args.tfds_split)
        lesson = pairs_lesson(recipe, source, tokenizer)
    else:
        lesson = facts_lesson(recipe, args.facts, args.templates, tokenizer)
    if folder is None:
        question_len = recipe.max_question_len or training_length(lesson.questions, lesson.tokenizer)
        config = generator_config(recipe, lesson, question_len)
        return cost_of_run(config, recipe, question_len, config.max_target_len)
    if args.fresh:
        folder.clear()
    return train_generator(recipe, lesson, folder, args.save_every)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.generator", description=__doc__.splitlines()[0])
    add_run_options(parser)
    parser.add_argument("--pairs", type=Path, help="TSV or JSONL of question, answer, instead of facts")
    parser.add_argument("--tfds", type=Path, help="folder of a TFDS dataset (array_record) with question, answer")
    parser.add_argument("--tfds-split", default="train", help="which split of it (default: train)")
    add_recipe_options(parser, GeneratorRecipe)
    return command(_run, parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
