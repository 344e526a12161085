"""Reads facts and the wordings of questions: the bundled tables, or a user's own files given by path."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from deslm_jax.records import read_columns, read_records

BUNDLED_FACTS = Path(__file__).with_name("facts.tsv")
BUNDLED_TEMPLATES = Path(__file__).with_name("templates.tsv")

# For relations that come without wordings of their own; "{relation}" is filled in when they are loaded.
GENERIC_TEMPLATES = (
    "What is the {relation} of {subject}?",
    "Which {relation} does {subject} have?",
    "Name the {relation} of {subject}.",
    "Tell me the {relation} of {subject}.",
    "The {relation} of {subject} is",
    "{subject}: what is its {relation}?",
    "{subject} has which {relation}?",
    "What is {subject}'s {relation}?",
    "{relation} of {subject}",
    "Can you tell me the {relation} of {subject}?",
    "Do you know the {relation} of {subject}?",
    "I need to know the {relation} of {subject}.",
    "What {relation} does {subject} have?",
    "Give me {subject}'s {relation}.",
    "For {subject}, what is the {relation}?",
    "What do you know about {subject}: which {relation} has it?",
)
_FEWEST_TEMPLATES = 6  # three are never trained, and fewer than three others teach no variety


class Fact(NamedTuple):
    """One thing to learn: `object` is the one right answer about `subject` and `relation`."""

    subject: str
    relation: str
    object: str


def load_facts(path: str | Path | None = None) -> tuple[Fact, ...]:
    """Returns the facts of a TSV or JSONL file with the columns subject, relation, object; without a path the bundled.

    Raises ValueError, naming file and line, for what `deslm_jax.records.read_records` refuses.

    >>> Fact("Peru", "capital", "Lima") in load_facts()
    True
    """
    return tuple(Fact(*record[1:]) for record in read_records(path or BUNDLED_FACTS))


def load_templates(
    path: str | Path | None = None, relations: Iterable[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Returns relation -> wordings of its question, each with "{subject}" once and no other brace.

    They come from a file with the columns relation and template; without a path from the bundled one. `relations`
    chooses which (all of the file's by default); one that the file lacks gets the generic wordings. Fill in a wording
    with `ask`. Raises ValueError, naming file and line, for a wording without "{subject}", with another brace, or
    given twice, and for a relation with fewer than six.
    """
    path = path or BUNDLED_TEMPLATES
    found: dict[str, list[str]] = {}
    for number, (relation, template) in read_columns(path, ("relation", "template")):
        rest = template.replace("{subject}", "", 1)
        if rest == template or "{" in rest or "}" in rest:
            raise ValueError(
                f"{path}, line {number}: a template needs {{subject}} once and no other braces, not {template!r}."
            )
        if template in found.setdefault(relation, []):
            raise ValueError(f"{path}, line {number}: this template of {relation!r} is there already; delete one.")
        found[relation].append(template)
    for relation, templates in found.items():
        if len(templates) < _FEWEST_TEMPLATES:
            raise ValueError(
                f"{path}: {relation!r} has {len(templates)} templates; write at least {_FEWEST_TEMPLATES}, "
                "or none to use the generic ones."
            )
    wanted = found if relations is None else dict.fromkeys(relations)
    return {relation: tuple(found[relation]) if relation in found else _generic(relation) for relation in wanted}


def ask(template: str, subject: str) -> str:
    """Returns the question.

    >>> ask("What is the capital of {subject}?", "Peru")
    'What is the capital of Peru?'
    """
    return template.replace("{subject}", subject)


def _generic(relation: str) -> tuple[str, ...]:
    if "{" in relation or "}" in relation:
        raise ValueError(f"The relation {relation!r} has braces in its name; rename it.")
    return tuple(template.replace("{relation}", relation) for template in GENERIC_TEMPLATES)
