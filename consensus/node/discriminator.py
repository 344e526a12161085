"""A discriminator node: commits to its verdicts on all candidates, then reveals them (R3)."""

from collections.abc import Mapping, Sequence

from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import CandidateVerdict, VerdictCommit, VerdictReveal
from consensus.ledger.participation import commit_verdicts
from consensus.ledger.tasks import OpenTask, Phase
from consensus.node.behaviours import HonestVerdicts, Judged, VerdictBehaviour
from consensus.node.quantise import clean_evidence, to_q16
from consensus.node.seat import SeatedNode, get_commitment, is_listed, needs
from consensus.node.view import Action, AskVerdicts, ChainView, Submit

Pair = tuple[str, str]


class DiscriminatorNode(SeatedNode):
    """`role.judge(pairs)` gives [(probability that the answer is false, ids of its evidence)]."""

    def __init__(self, key: SigningKey, role: object = None, behaviour: VerdictBehaviour | None = None) -> None:
        super().__init__(key, role)
        self.behaviour = behaviour or HonestVerdicts()
        self._model: dict[Pair, Judged] = {}

    def receive_verdicts(self, verdicts: Mapping[Pair, tuple[float, tuple[int, ...]]]) -> list[Action]:
        """What the model said to the pairs of an `AskVerdicts`; returns what the node now wants done."""
        self._model.update({pair: (p_false, evidence) for pair, (p_false, evidence) in verdicts.items()})
        return self.act()

    def serve(self, view: ChainView, task: OpenTask) -> Submit | None:
        key = self.key.public
        if key not in task.discriminators or not task.candidates:
            return None
        committed = get_commitment(task.verdict_commits, key)
        is_reveal = bool(committed) and needs(view, task, Phase.VERDICT_REVEAL) and not is_listed(task.verdicts, key)
        if is_reveal and not self.behaviour.reveals(self.key, task):
            return None
        if not is_reveal and (committed or not needs(view, task, Phase.VERDICT_COMMIT)):
            return None
        pairs = [(task.prompt, candidate.text) for candidate in task.candidates]
        missing = [pair for pair in pairs if pair not in self._model] if self.behaviour.needs_model else []
        if missing:
            self._wanted += missing
            return None
        model = [self._model[pair] for pair in pairs] if self.behaviour.needs_model else None
        verdicts = _wire(self.behaviour.judge(self.key, task, model))
        salt = self.key.derive_salt("verdict", task.id)
        commitment = commit_verdicts(task.id, key, salt, verdicts)
        if not is_reveal:
            return self.signer.sign(view, VerdictCommit(task.id, commitment))
        if commitment != committed:  # the model changed its mind across a restart: silence costs least
            return None
        return self.signer.sign(view, VerdictReveal(task.id, salt, verdicts))

    def ask(self, wanted: tuple[Pair, ...]) -> Action:
        return AskVerdicts(wanted)

    def forget(self, open_tasks: set[bytes]) -> None:
        prompts = {task.prompt for task in self._view.tasks} if self._view else set()
        self._model = {pair: judged for pair, judged in self._model.items() if pair[0] in prompts}


def _wire(judged: Sequence[Judged]) -> tuple[CandidateVerdict, ...]:
    return tuple(CandidateVerdict(to_q16(p_false), clean_evidence(evidence)) for p_false, evidence in judged)
