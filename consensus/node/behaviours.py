"""How a node uses its seat: honestly, or in one of the ways the protocol must not pay for.

A behaviour is what differs between nodes of one role: whether it asks its model, what it says, and whether it reveals
what it committed to. Randomness comes from the node's key and the task, so a restarted node does the same again.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from consensus.ledger.keys import SigningKey
from consensus.ledger.tasks import OpenTask
from consensus.node.view import ChainView

Said = tuple[str, float]  # answer, confidence
Judged = tuple[float, tuple[int, ...]]  # probability that the answer is false, evidence


class AnswerBehaviour(Protocol):
    """How a generator answers."""

    @property
    def needs_model(self) -> bool:
        """Whether the model must have answered first."""

    def answer(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Said:
        """What to commit to."""

    def options(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Sequence[Said]:
        """What it may have committed to before it was restarted."""

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        """Whether it opens its commitment."""


class VerdictBehaviour(Protocol):
    """How a discriminator judges."""

    @property
    def needs_model(self) -> bool:
        """Whether the model must have judged first."""

    def judge(self, key: SigningKey, task: OpenTask, model: Sequence[Judged] | None) -> Sequence[Judged]:
        """A verdict on each candidate."""

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        """Whether it opens its commitment."""


class HonestAnswers(NamedTuple):
    """Says what its model says, as sure as its model is."""

    needs_model: bool = True

    def answer(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Said:
        assert model is not None
        return model

    def options(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Sequence[Said]:
        return [model] if model is not None else []

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return True


class Inflator(NamedTuple):
    """Answers at random from `choices`, always nearly certain."""

    choices: tuple[str, ...]
    confidence: float = 0.99
    needs_model: bool = False

    def answer(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Said:
        return self.choices[_random(key, task) % len(self.choices)], self.confidence

    def options(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Sequence[Said]:
        return [self.answer(key, view, task, model)]

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return True


class Copycat(NamedTuple):
    """Commits to the answer it saw revealed last, to whatever question; to `first` before it has seen any."""

    first: str = "unknown"
    confidence: float = 0.9
    needs_model: bool = False

    def answer(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Said:
        return self.options(key, view, task, model)[0]

    def options(self, key: SigningKey, view: ChainView, task: OpenTask, model: Said | None) -> Sequence[Said]:
        others = [answer.text for seen in view.tasks for answer in seen.answers if answer.key != key.public]
        return [(text, self.confidence) for text in (*reversed(others), self.first)]

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return True


class HonestVerdicts(NamedTuple):
    """Says what its model says."""

    needs_model: bool = True

    def judge(self, key: SigningKey, task: OpenTask, model: Sequence[Judged] | None) -> Sequence[Judged]:
        assert model is not None
        return model

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return True


class FlagEverything(NamedTuple):
    """Calls every candidate false, and names a record it has not read."""

    p_false: float = 0.99
    evidence: tuple[int, ...] = (0,)
    needs_model: bool = False

    def judge(self, key: SigningKey, task: OpenTask, model: Sequence[Judged] | None) -> Sequence[Judged]:
        return [(self.p_false, self.evidence)] * len(task.candidates)

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return True


class Withholder(NamedTuple):
    """Judges honestly, commits, and reveals only in `reveal_percent` of its tasks."""

    reveal_percent: int = 0
    needs_model: bool = True

    def judge(self, key: SigningKey, task: OpenTask, model: Sequence[Judged] | None) -> Sequence[Judged]:
        assert model is not None
        return model

    def reveals(self, key: SigningKey, task: OpenTask) -> bool:
        return _random(key, task) % 100 < self.reveal_percent


def _random(key: SigningKey, task: OpenTask) -> int:
    """64 bits that only this node can know, the same each time."""
    return int.from_bytes(key.derive_salt("behaviour", task.id)[:8], "big")
