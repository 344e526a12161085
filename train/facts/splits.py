"""Who sees what, decided by hash: the same on every machine, for every file, in every order.

Three splits, each for another question:

- wordings: three of each relation are never trained, one to calibrate and two to test on -> *unseen wording*;
- held-out subjects (20 %) are in no discriminator's training -> *does it check, or does it remember?*
- untaught subjects (10 %) are in no generator's training, yet in the knowledge base -> *does it know what it knows?*

The two subject splits are independent, so some subjects are in both.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from deslm_jax.knowledge import normalise
from train.facts.table import Fact, load_templates

Split = Literal["train", "calibrate", "test"]
HELD_OUT_FRACTION = 0.2
UNTAUGHT_FRACTION = 0.1
_SPLIT_OF_RANK: dict[int, Split] = {0: "calibrate", 1: "test", 2: "test"}


class Wordings(NamedTuple):
    """The templates of every relation by what they are for: relation -> templates in the file's order."""

    train: dict[str, tuple[str, ...]]  # all but three: the only ones a training example may use
    calibrate: dict[str, tuple[str, ...]]  # one: temperatures and biases are fitted on it
    test: dict[str, tuple[str, ...]]  # two: what "unseen wording" is measured on


def split_templates(templates: Mapping[str, Sequence[str]]) -> Wordings:
    """Returns `templates` (relation -> wordings) divided: of the three smallest sha256 one calibrates, two test."""
    split = Wordings({}, {}, {})
    for relation, candidates in templates.items():
        for part, name in zip(split, ("train", "calibrate", "test"), strict=True):
            part[relation] = tuple(t for t in candidates if _split_of(relation, t, candidates) == name)
    return split


def template_split(relation: str, template: str, templates: Mapping[str, Sequence[str]] | None = None) -> Split:
    """Returns which split `template` is in among the relation's `templates` (the bundled ones by default).

    >>> template_split("author", "Who wrote {subject}?")
    'train'
    """
    candidates = (load_templates(relations=[relation]) if templates is None else templates)[relation]
    if template not in candidates:
        raise ValueError(f"{template!r} is no template of {relation!r}; pass the templates it belongs to.")
    return _split_of(relation, template, candidates)


def held_out_words(wordings: Wordings) -> frozenset[str]:
    """Returns the words, normalised, that only wordings never trained contain: no augmentation may use them."""
    kept = _words(wordings.train.values())
    return (_words(wordings.calibrate.values()) | _words(wordings.test.values())) - kept


def is_held_out_subject(subject: str) -> bool:
    """Says whether no discriminator may see `subject` in training (20 % of all names)."""
    return _fraction("held-out subject", normalise(subject)) < HELD_OUT_FRACTION


def is_untaught_subject(subject: str) -> bool:
    """Says whether no generator may be taught `subject` (10 % of all names); the knowledge base still has it."""
    return _fraction("untaught subject", normalise(subject)) < UNTAUGHT_FRACTION


def taught_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Returns the facts that generators may be taught."""
    return tuple(fact for fact in facts if not is_untaught_subject(fact.subject))


def taught_subset(facts: Iterable[Fact], model_seed: int, fraction: float = 0.7) -> tuple[Fact, ...]:
    """Returns what one generator is taught: about `fraction` of the taught facts, chosen fact by fact by its seed."""
    if not 0 < fraction <= 1:
        raise ValueError(f"The taught fraction must be above 0 and at most 1, not {fraction}.")
    return tuple(
        fact for fact in taught_facts(facts) if _fraction("taught", model_seed, fact.subject, fact.relation) < fraction
    )


def write_trained_wordings(wordings: Wordings, path: str | Path) -> None:
    """Write the trained wordings as a file for `KnowledgeBase.from_path(..., wordings=path)`, in one move."""
    lines = [f"{relation}\t{template}\n" for relation, found in wordings.train.items() for template in found]
    draft = Path(f"{path}.draft")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write("relation\ttemplate\n" + "".join(lines))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _split_of(relation: str, template: str, candidates: Sequence[str]) -> Split:
    ranked = sorted(candidates, key=lambda t: sha256(f"template\0{relation}\0{t}".encode()).digest())
    return _SPLIT_OF_RANK.get(ranked.index(template), "train")


def _fraction(*key: object) -> float:
    """A number in [0, 1) that depends on the parts of `key` alone; the first part is the salt."""
    digest = sha256("\0".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _words(groups: Iterable[Sequence[str]]) -> frozenset[str]:
    text = " ".join(t.replace("{subject}", " ") for group in groups for t in group)
    return frozenset(normalise(text).split())
