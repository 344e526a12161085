"""Roles that answer from the truth with a known skill, so that a network runs in a test without trained models."""

import hashlib
from collections.abc import Mapping, Sequence


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but `parts`."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


class StandInGenerator:
    """Right with probability `skill`, and mostly aware of it."""

    def __init__(self, name: str, truths: Mapping[str, str], skill: float) -> None:
        self.name, self.truths, self.skill = name, truths, skill
        self.known: dict[str, tuple[str, float]] = {}

    def answer(self, questions: Sequence[str]) -> list[tuple[str, float]]:
        answers = []
        for question in questions:
            is_right = chance(self.name, question) < self.skill
            wrong = sorted(self.truths.values())[int(chance(self.name, question, "wrong") * len(self.truths))]
            confidence = 0.9 if chance(self.name, question, "aware") < (0.9 if is_right else 0.2) else 0.3
            answers.append((self.truths[question] if is_right else wrong, confidence))
        self.known.update(zip(questions, answers, strict=True))
        return answers


class StandInDiscriminator:
    """Sees through `skill` of the answers."""

    def __init__(self, name: str, truths: Mapping[str, str], skill: float) -> None:
        self.name, self.truths, self.skill = name, truths, skill

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, tuple[int, ...]]]:
        verdicts = []
        for question, answer in pairs:
            is_false = answer.casefold() != self.truths[question].casefold()
            if chance(self.name, question, answer) >= self.skill:
                is_false = not is_false
            verdicts.append((0.95 if is_false else 0.05, (0,)))
        return verdicts
