"""Discriminator examples: a question, an answer that is true or false, and the evidence found for the question.

A checker must read its evidence and not remember its subjects. Three things see to that: half of the examples are
about made-up subjects, whose facts hold nowhere else; false answers are of the kinds that generators really give; and
evidence is what the knowledge base really returns for the question.
"""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from deslm_jax.knowledge import KnowledgeBase, normalise
from deslm_jax.prompts import encode_verdict_input
from deslm_jax.records import Record
from deslm_jax.tokenizer import Tokenizer
from train.augment import WordPool, made_up_name
from train.batches import batch_function, padded
from train.facts import Fact
from train.falsehoods import FactValues, anything, look_alike, other_relation, other_subject, spliced
from train.questions import Question
from train.recipes import DiscriminatorRecipe

EVIDENCE_RECORDS = 2  # as many as `deslm_jax.roles` gives a verifier
_REAL_NAMES = 0.2  # share of made-up facts that keep a real subject: the evidence decides, not what is known of it
_ANY = 1_000_000  # tokens: no limit


class Claim(NamedTuple):
    """One thing to judge."""

    question: str
    answer: str
    evidence: tuple[str, ...]
    fake: bool
    kind: str  # "true", or the kind of false answer


class ClaimMaker:
    """Makes claims about questions: one question and one random generator in, one claim out."""

    def __init__(self, knowledge: KnowledgeBase, facts: Sequence[Fact], pool: WordPool, recipe: DiscriminatorRecipe):
        """Evidence is what `knowledge` finds; false answers are made of `facts` alone (those it trains on)."""
        self._knowledge, self._facts, self._pool, self._recipe = knowledge, FactValues(facts), pool, recipe
        self._found: dict[str, tuple[Record, ...]] = {}
        weights = (
            (other_subject, recipe.same_relation),
            (other_relation, recipe.same_subject),
            (spliced, recipe.spliced),
            (anything, recipe.other),
        )
        self._ways = [way for way, _ in weights]
        self._weights = [weight for _, weight in weights]

    def __call__(self, question: Question, randomness: random.Random) -> Claim:
        """Returns a claim about the question, or about an invented subject instead, as often as the recipe says."""
        recipe = self._recipe
        records = self._evidence(question)
        if randomness.random() < recipe.made_up:
            question, records = self._invent(question, records, randomness)
        answer, kind = question.answer, "true"
        if randomness.random() < recipe.fake_share:
            answer, kind = self._false_answer(question, records, randomness)
        if randomness.random() < recipe.shuffled_evidence:
            records = tuple(randomness.sample(records, len(records)))
        evidence = tuple(record.text for record in records) if recipe.evidence else ()
        return Claim(question.noisy(recipe.noise(), self._pool, randomness), answer, evidence, kind != "true", kind)

    def _evidence(self, question: Question) -> tuple[Record, ...]:
        text = question.text
        if text not in self._found:
            hits = self._knowledge.search(text, EVIDENCE_RECORDS)
            self._found[text] = tuple(self._knowledge.records[hit.record_id] for hit in hits)
        return self._found[text]

    def _invent(
        self, question: Question, records: Sequence[Record], randomness: random.Random
    ) -> tuple[Question, tuple[Record, ...]]:
        """The same question and evidence with other objects throughout, mostly about a subject that does not exist."""
        real_name = randomness.random() < _REAL_NAMES
        name = question.subject if real_name else made_up_name(randomness, self._pool.banned)
        if question.subject[:1].islower():
            name = name.lower()
        objects: dict[tuple[str, str], str] = {}
        renamed = []
        for record in records:
            value = objects.setdefault((record.subject, record.relation), self._new_object(record, randomness))
            subject = name if record.subject == question.subject else record.subject
            renamed.append(Record(record.id, subject, record.relation, value))
        key = (question.subject, question.relation)
        if key not in objects:
            objects[key] = randomness.choice(self._facts.objects[question.relation])
        return question._replace(subject=name, answer=objects[key]), tuple(renamed)

    def _new_object(self, record: Record, randomness: random.Random) -> str:
        """Another object of the relation, or one that does not exist and looks like one."""
        others = self._facts.objects.get(record.relation, ())
        if others and randomness.random() < 0.5:
            return randomness.choice(others)
        return look_alike(record.object, randomness, self._pool)

    def _false_answer(
        self, question: Question, records: Sequence[Record], randomness: random.Random
    ) -> tuple[str, str]:
        known = [record.object for record in records if record.subject == question.subject]
        known += self._facts.about.get(question.subject, ())
        for _ in range(20):
            way = randomness.choices(self._ways, self._weights)[0]
            answer = way(question, known, self._facts, randomness)
            if answer and normalise(answer) != normalise(question.answer):
                return answer, way.__name__
        return made_up_name(randomness, self._pool.banned), "made_up"


def claim_length(make_claim: ClaimMaker, questions: Sequence[Question], tokenizer: Tokenizer, seed: int) -> int:
    """Returns how many tokens real claims need at most, by drawing 2,000, rounded up to a multiple of eight."""
    randomness = random.Random(seed)
    claims = [make_claim(randomness.choice(questions), randomness) for _ in range(2000)]
    longest = max(len(encode_verdict_input(tokenizer, *claim[:3], max_len=_ANY)[0]) for claim in claims)
    return -(-longest // 8) * 8


def encode_claim(claim: Claim, tokenizer: Tokenizer, length: int) -> dict[str, np.ndarray] | None:
    """Returns one row, `ids` and `types` int32 [T] and `fake` int32 [], or None if the claim does not fit."""
    ids, types = encode_verdict_input(tokenizer, claim.question, claim.answer, claim.evidence, _ANY)
    if len(ids) > length:
        return None
    return {"ids": padded(ids, length), "types": padded(types, length), "fake": np.asarray(claim.fake, np.int32)}


def claim_batches(
    make_claim: ClaimMaker,
    questions: Sequence[Question],
    tokenizer: Tokenizer,
    recipe: DiscriminatorRecipe,
    length: int,
    rows: range,
) -> Callable[[int], dict[str, np.ndarray]]:
    """Returns `batch_at(step)`: `ids` and `types` int32 [B,T], `fake` int32 [B] (1 fake, 0 real)."""

    def make_row(index: int, randomness: random.Random) -> dict[str, np.ndarray]:
        while True:  # invented names are long: a claim that does not fit is drawn again, evidence is never cut
            row = encode_claim(make_claim(questions[index], randomness), tokenizer, length)
            if row is not None:
                return row
            index = randomness.randrange(len(questions))

    return batch_function(make_row, len(questions), recipe.batch_size, recipe.seed, rows)
