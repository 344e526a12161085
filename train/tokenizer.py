"""The vocabulary that all models of a network share, learnt from facts and *trained* wordings alone.

    python -m train.tokenizer --out runs/tokenizer.model --facts my_facts.tsv

Held-out wordings take no part: a word that only they contain must be as foreign to the vocabulary as to the models.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from deslm_jax.tokenizer import Tokenizer
from train.facts import Fact, Wordings, load_facts, load_templates, split_templates

DEFAULT_VOCAB_SIZE = 3000


def training_texts(facts: Sequence[Fact], wordings: Wordings) -> list[str]:
    """Returns what the vocabulary is learnt from, in a fixed order: every fact as evidence, and trained questions.

    Every fact is asked once, in a wording chosen by its place, so that names weigh as much as wordings do.
    """
    texts = [f"{fact.subject} {fact.relation} {fact.object}" for fact in facts]
    for index, fact in enumerate(facts):
        templates = wordings.train[fact.relation]
        texts.append(templates[index % len(templates)].replace("{subject}", fact.subject))
    return texts


def fact_tokenizer(path: Path | None, facts: Sequence[Fact], wordings: Wordings, vocab_size: int) -> Tokenizer:
    """Returns the shared tokenizer of a table of facts; the same table always gives the same bytes. `path` as below."""
    return text_tokenizer(path, training_texts(facts, wordings), vocab_size)


def text_tokenizer(path: Path | None, texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Returns the tokenizer stored at `path`, or learns one from the texts, and stores it there if `path` is given."""
    if path is None:
        return Tokenizer.train(texts, vocab_size)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Processes that start together each write the same bytes under a name of their own.
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        Tokenizer.train(texts, vocab_size).save(draft)
        os.replace(draft, path)
    return Tokenizer.load(path)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.tokenizer", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="file to write, such as runs/tokenizer.model")
    parser.add_argument(
        "--facts", type=Path, help="TSV or JSONL of subject, relation, object (default: the bundled facts)"
    )
    parser.add_argument("--templates", type=Path, help="TSV of relation, template (default: the bundled ones)")
    parser.add_argument("--vocab-size", type=int, default=DEFAULT_VOCAB_SIZE)
    args = parser.parse_args(argv)
    try:
        facts = load_facts(args.facts)
        wordings = split_templates(load_templates(args.templates, dict.fromkeys(fact.relation for fact in facts)))
        tokenizer = fact_tokenizer(args.out, facts, wordings, args.vocab_size)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{args.out}: {tokenizer.vocab_size} pieces, sha256 {tokenizer.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
