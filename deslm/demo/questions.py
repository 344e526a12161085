"""The questions the demo asks: real facts in wordings no model was trained on.

A question is about a *taught* subject (each generator learnt 70 % of those facts) or about one that no generator was
ever told of, where the network should abstain or accept only what the knowledge base confirms. Everything is chosen
by hash of the seed, so the same seed asks the same questions in the same order on every machine.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from train.facts import Fact, Wordings, ask, is_untaught_subject

from ..errors import UserError


class Question(NamedTuple):
    """One question, and the truth that only its author and the auditor know."""

    text: str
    truth: str
    subject: str
    relation: str
    taught: bool  # False: no generator was taught this subject
    canary: bool  # its answer is committed beforehand and opened before settlement


def choose_questions(
    facts: Sequence[Fact], wordings: Wordings, *, seed: int, taught: int, untaught: int, canaries: "Canaries"
) -> list[Question]:
    """Return `taught + untaught` questions in asking order, some of them canaries.

    Raises:
      UserError: if the facts do not hold that many questions in held-out wordings, or one question asks two facts.
    """
    pools: dict[bool, list[Question]] = {True: [], False: []}
    asked: dict[str, Fact] = {}
    for fact in facts:
        known = not is_untaught_subject(fact.subject)
        for template in wordings.test[fact.relation]:
            text = ask(template, fact.subject)
            other = asked.setdefault(text, fact)
            if other != fact:
                raise UserError(
                    f"{text!r} asks for the {other.relation} of {other.subject} and for the {fact.relation} of "
                    f"{fact.subject}; give their relations different templates"
                )
            pools[known].append(Question(text, fact.object, fact.subject, fact.relation, known, False))
    for known, wanted in ((True, taught), (False, untaught)):
        if len(pools[known]) < wanted:
            kind = "taught" if known else "untaught"
            raise UserError(
                f"the facts give {len(pools[known])} questions about {kind} subjects and the demo was told to ask "
                f"{wanted}; add facts or lower --questions and --unknown"
            )
    chosen = _shuffled(pools[True], f"{seed}|taught")[:taught] + _shuffled(pools[False], f"{seed}|untaught")[:untaught]
    return canaries.place(_shuffled(chosen, f"{seed}|order"), seed)


class Canaries(NamedTuple):
    """How many of the questions are canaries, which kind, and how early: the author's plan, unknown to the nodes."""

    share: float  # of all questions
    unanswerable: float  # share of the canaries whose subject no generator was taught
    lead: int  # so many come early, while the network knows nobody's worth: half of the first 2 * lead questions

    def place(self, questions: list[Question], seed: int) -> list[Question]:
        """Return the questions with canaries marked and the early ones among as many others, in a mixed order."""
        total = round(self.share * len(questions))
        unknown = min(round(self.unanswerable * total), sum(not question.taught for question in questions))
        quota = {True: total - unknown, False: unknown}
        marked: list[Question] = []
        for question in questions:
            if quota[question.taught]:
                quota[question.taught] -= 1
                question = question._replace(canary=True)
            marked.append(question)
        marked = _shuffled(marked, f"{seed}|canaries")
        kinds = [[question for question in marked if question.canary is kind] for kind in (True, False)]
        first = _shuffled(kinds[0][: self.lead] + kinds[1][: self.lead], f"{seed}|lead")
        return first + [question for question in marked if question not in first]


def _shuffled(questions: Sequence[Question], salt: str) -> list[Question]:
    return sorted(questions, key=lambda question: hashlib.sha256(f"{salt}|{question.text}".encode()).digest())
