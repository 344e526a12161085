"""Runs nodes and the embedded engine in one process; time is the block height.

After each block every node says what it wants. What they ask of models is gathered over all nodes and tasks, so that
each model is called once a block with a batch, and what a deterministic model has said is not asked again. Anybody may
ask anything: of a question that a model refuses to read its nodes say that they do not know, since silence is slashed
and whoever asks must not be able to slash whom he likes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from consensus.engine.local import BlockResult, LocalEngine
from consensus.ledger.validation import Reject
from consensus.node.base import Node
from consensus.node.view import Action, AskAnswers, AskVerdicts, ChainView, Submit, make_view

_REMEMBERED = 65_536  # calls of one model
_DO_NOT_KNOW = {"answer": ("unknown", 0.0), "judge": (0.5, ())}  # no confidence; no evidence, so no weight


class Memo:
    """Answers of one deterministic model call, by question; `refusal` stands for what the model cannot read."""

    def __init__(self, call: Callable[[list], Sequence], refusal: Any) -> None:
        self._call, self._refusal, self._known = call, refusal, dict[Any, Any]()

    def ask(self, questions: Iterable) -> dict:
        """What the model says to each question; new ones go to it in one batch."""
        questions = list(dict.fromkeys(questions))
        known = {question: self._known[question] for question in questions if question in self._known}
        new = [question for question in questions if question not in known]
        if new:
            known.update(self._say(new))
            self._known.update(known)
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return known

    def _say(self, questions: list) -> dict:
        """A refusal (ValueError) is of the whole batch: halved until the unreadable questions stand alone."""
        try:
            said = self._call(questions)
        except ValueError:
            if len(questions) == 1:
                return {questions[0]: self._refusal}
            middle = len(questions) // 2
            return self._say(questions[:middle]) | self._say(questions[middle:])
        return dict(zip(questions, said, strict=True))


class Driver:
    """Steps an engine with nodes around it."""

    def __init__(self, engine: LocalEngine, nodes: Sequence[Node]) -> None:
        self.engine, self.nodes = engine, nodes
        self._memos: dict[tuple[int, str], Memo] = {}

    def view(self) -> ChainView:
        """The committed ledger as the nodes see it."""
        return make_view(self.engine.app.genesis, self.engine.app.state)

    def is_finished(self) -> bool:
        """Whether nobody begins anything, and no task, audit, challenge or escrow is open."""
        state, view = self.engine.app.state, self.view()
        return not state.open and not state.pending and all(node.is_done(view) for node in self.nodes)

    def step(self) -> BlockResult:
        """Let every node act on the last block, then make the next."""
        view = self.view()
        actions = [(node, action) for node in self.nodes for action in node.on_block(view)]
        for kind, method, receive in (
            (AskAnswers, "answer", "receive_answers"),
            (AskVerdicts, "judge", "receive_verdicts"),
        ):
            actions += self._call_models([(n, a) for n, a in actions if isinstance(a, kind)], method, receive)
        for node, action in actions:
            if isinstance(action, Submit):
                verdict = self.engine.submit(action.transaction)
                if isinstance(verdict, Reject):
                    node.on_refused(verdict.reason)
        return self.engine.step()

    def _call_models(self, asked: list[tuple[Any, Any]], method: str, receive: str) -> list[tuple[Node, Action]]:
        """Ask each model once for all nodes that share it; returns what the nodes then want."""
        models = {id(node.role): node.role for node, _ in asked}
        said: dict[int, dict] = {}
        for name, role in models.items():
            memo = self._memos.setdefault((name, method), Memo(getattr(role, method), _DO_NOT_KNOW[method]))
            said[name] = memo.ask(question for node, action in asked if node.role is role for question in action[0])
        return [
            (node, wanted)
            for node, action in asked
            for wanted in getattr(node, receive)({question: said[id(node.role)][question] for question in action[0]})
        ]


def run(engine: LocalEngine, nodes: Sequence[Node]) -> Iterator[BlockResult]:
    """Yield each block until every asker has asked and everything is settled, audited and released."""
    driver = Driver(engine, nodes)
    while not driver.is_finished():
        yield driver.step()
