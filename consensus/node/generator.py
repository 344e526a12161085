"""A generator node: commits to an answer, then reveals it (R3)."""

from collections.abc import Mapping

from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import AnswerCommit, AnswerReveal
from consensus.ledger.participation import commit_answer
from consensus.ledger.tasks import OpenTask, Phase
from consensus.node.behaviours import AnswerBehaviour, HonestAnswers, Said
from consensus.node.quantise import clean_answer, to_q16
from consensus.node.seat import SeatedNode, get_commitment, is_listed, needs
from consensus.node.view import Action, AskAnswers, ChainView, Submit


class GeneratorNode(SeatedNode):
    """`role.answer(questions)` gives [(text, confidence in [0, 1])]; a driver calls it when the node asks for it."""

    def __init__(self, key: SigningKey, role: object = None, behaviour: AnswerBehaviour | None = None) -> None:
        super().__init__(key, role)
        self.behaviour = behaviour or HonestAnswers()
        self._model: dict[str, Said] = {}
        self._chosen: dict[bytes, tuple[str, int]] = {}  # task -> text, confidence as committed

    def receive_answers(self, answers: Mapping[str, tuple[str, float]]) -> list[Action]:
        """What the model said to the questions of an `AskAnswers`; returns what the node now wants done."""
        self._model.update({question: (text, confidence) for question, (text, confidence) in answers.items()})
        return self.act()

    def serve(self, view: ChainView, task: OpenTask) -> Submit | None:
        key = self.key.public
        if key not in task.generators:
            return None
        committed = get_commitment(task.answer_commits, key)
        is_reveal = bool(committed) and needs(view, task, Phase.ANSWER_REVEAL) and not is_listed(task.answers, key)
        if is_reveal and not self.behaviour.reveals(self.key, task):
            return None
        if not is_reveal and (committed or not needs(view, task, Phase.ANSWER_COMMIT)):
            return None
        model = self._model.get(task.prompt)
        if self.behaviour.needs_model and model is None and not (is_reveal and task.id in self._chosen):
            self._wanted.append(task.prompt)
            return None
        salt = self.key.derive_salt("answer", task.id)
        if is_reveal:
            return self._reveal(view, task, committed, salt, model)
        text, confidence_q16 = self._chosen[task.id] = _wire(self.behaviour.answer(self.key, view, task, model))
        commitment = commit_answer(task.id, key, salt, text, confidence_q16)
        return self.signer.sign(view, AnswerCommit(task.id, commitment))

    def _reveal(
        self, view: ChainView, task: OpenTask, committed: bytes, salt: bytes, model: Said | None
    ) -> Submit | None:
        """Open the commitment; after a restart, with whichever of its possible answers fits it."""
        options = [self._chosen[task.id]] if task.id in self._chosen else []
        options += [_wire(said) for said in self.behaviour.options(self.key, view, task, model)]
        for text, confidence_q16 in options:
            if commit_answer(task.id, self.key.public, salt, text, confidence_q16) == committed:
                return self.signer.sign(view, AnswerReveal(task.id, salt, text, confidence_q16))
        return None

    def ask(self, wanted: tuple[str, ...]) -> Action:
        return AskAnswers(wanted)

    def forget(self, open_tasks: set[bytes]) -> None:
        self._chosen = {task: said for task, said in self._chosen.items() if task in open_tasks}
        prompts = {task.prompt for task in self._view.tasks} if self._view else set()
        self._model = {question: said for question, said in self._model.items() if question in prompts}


def _wire(said: Said) -> tuple[str, int]:
    text, confidence = said
    return clean_answer(text), to_q16(confidence)
