"""False answers of the kinds that generators really give, and invented values that look like real ones."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from train.augment import WordPool, made_up_name
from train.facts import Fact
from train.questions import Question


class FactValues:
    """What false answers are made of.

    `objects`: relation -> its objects, each as often as it occurs, or "euro" would be true more often than false and
    could be called without looking. `about`: subject -> its objects.
    """

    def __init__(self, facts: Iterable[Fact]):
        """In the order of the facts, so that the same facts always give the same false answers."""
        objects: dict[str, list[str]] = defaultdict(list)
        about: dict[str, list[str]] = defaultdict(list)
        for fact in facts:
            objects[fact.relation].append(fact.object)
            about[fact.subject].append(fact.object)
        self.objects = {relation: tuple(found) for relation, found in objects.items()}
        self.about = {subject: tuple(found) for subject, found in about.items()}


def other_subject(question: Question, known: Sequence[str], facts: FactValues, randomness: random.Random) -> str:
    """Right relation, wrong subject: what generators get wrong most."""
    return randomness.choice(facts.objects[question.relation])


def other_relation(question: Question, known: Sequence[str], facts: FactValues, randomness: random.Random) -> str:
    """Right subject, wrong relation: "symbol of iron: 26". It stands in the evidence, beside the wrong relation."""
    return randomness.choice(known) if known else ""


def spliced(question: Question, known: Sequence[str], facts: FactValues, randomness: random.Random) -> str:
    """The beginning of one value of the relation and the end of another, as a decoder that loses its thread writes."""
    first = question.answer if randomness.random() < 0.5 else randomness.choice(facts.objects[question.relation])
    second = randomness.choice(facts.objects[question.relation])
    if randomness.random() < 0.5:
        first, second = second, first
    cut = randomness.randint(1, max(1, len(first) - 1))
    return (first[:cut] + second[min(cut, len(second) // 2) :]).strip()


def anything(question: Question, known: Sequence[str], facts: FactValues, randomness: random.Random) -> str:
    """A value of any relation, or the subject itself."""
    relation = randomness.choice(list(facts.objects))
    return randomness.choice([question.subject, randomness.choice(facts.objects[relation])])


def look_alike(value: str, randomness: random.Random, pool: WordPool) -> str:
    """A number for a number, a short code for a short code, names for names."""
    if value.isdigit():
        return str(randomness.randint(1, 10 ** len(value) - 1))
    if len(value) <= 2:
        return made_up_name(randomness, pool.banned, words=1)[: len(value)]
    name = made_up_name(randomness, pool.banned, words=min(3, len(value.split())))
    return name if value[0].isupper() else name.lower()
