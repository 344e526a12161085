"""The report's data, told from the ledger: rounds, nodes, curves and calibration."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from consensus.ledger import events
from consensus.state import Params
from consensus.units import MICRO, Q12, Q16
from deslm.report import data as report
from deslm.report import reliability
from deslm_jax.knowledge import KnowledgeBase

from .cast import Member
from .history import History, Task
from .scoring import trace_accuracy
from .summary import Rivals, normalise

Names = Mapping[bytes, Member]

# What a payment is called in the table of earnings; the reasons themselves stand in the round explorer.
_KINDS = {
    events.GENERATOR_FEE: "fees",
    events.DISCRIMINATOR_FEE: "fees",
    events.WAGER: "wagers",
    events.FORFEIT: "wagers",
    events.NON_REVEAL: "slashes",
    events.POOR_PERFORMANCE: "slashes",
    events.EQUIVOCATION: "slashes",
    events.EQUIVOCATION_EPOCH: "slashes",
    events.OVERTURNED: "overturned fees",
}
_POINTS = 160  # of a node's course over the run; more than a phone has pixels for


def tell_rounds(history: History, names: Names, params: Params, knowledge: KnowledgeBase) -> tuple[report.Round, ...]:
    """One round a task, with the records that its verdicts name."""
    return tuple(
        _tell_round(number, task, names, params, knowledge) for number, task in enumerate(history.tasks, start=1)
    )


def _tell_round(number: int, task: Task, names: Names, params: Params, knowledge: KnowledgeBase) -> report.Round:
    settled, question = task.settled, task.question
    return report.Round(
        number=number,
        height=settled.height,
        task_id=settled.task_id.hex()[:16],
        question=question.text,
        truth=question.truth,
        taught=question.taught,
        task_class=("text", "choice", "number", "span")[settled.task_class],
        candidates=tuple(
            report.Candidate(
                text=text,
                score=settled.score_q12[j] / Q12,
                generator_score=settled.generator_score_q12[j] / Q12,
                discriminator_score=settled.discriminator_score_q12[j] / Q12,
                is_true=normalise(text) == normalise(question.truth),
            )
            for j, text in enumerate(settled.candidates)
        ),
        generators=tuple(_tell_answer(line, names) for line in settled.answers),
        discriminators=tuple(_tell_verdicts(line, names, knowledge) for line in settled.verdicts),
        kappa=int(params.kappa_q12_K[settled.task_class]) / Q12,
        rho_generators=int(params.rho_q16_KR[settled.task_class, 0]) / Q16,
        rho_discriminators=int(params.rho_q16_KR[settled.task_class, 1]) / Q16,
        margin=settled.margin_q12 / Q12,
        threshold=settled.tau_q12 / Q12,
        difficulty=settled.difficulty_q16 / Q16,
        integral=settled.integral_q12 / Q12,
        accepted=settled.accepted if settled.accepted >= 0 else None,
        reason=settled.reason,
        audit=settled.audit,  # type: ignore[arg-type]
        drawn=settled.drawn if settled.audit != "none" and settled.drawn >= 0 else None,
        payments=tuple(
            report.Payment(names[payment.key].name, payment.amount_micro / MICRO, payment.reason)
            for payment in task.payments
            if payment.key in names
        ),
    )


def _tell_answer(line: events.AnswerLine, names: Names) -> report.GeneratorSeat:
    revealed = line.candidate >= 0
    return report.GeneratorSeat(
        node=names[line.key].name,
        seats=line.seats,
        answer=line.candidate if revealed else None,
        confidence=line.confidence_q16 / Q16 if revealed else None,
        beta=line.beta_q16 / Q16,
        evidence_logodds=line.evidence_q12 / Q12,
        revealed=revealed,
    )


def _tell_verdicts(line: events.VerdictLine, names: Names, knowledge: KnowledgeBase) -> report.DiscriminatorSeat:
    return report.DiscriminatorSeat(
        node=names[line.key].name,
        seats=line.seats,
        verdicts=tuple(
            report.Verdict(
                j, p_false / Q16, line.evidence_q12[j] / Q12, tuple(cite(knowledge, i) for i in line.evidence[j])
            )
            for j, p_false in enumerate(line.p_false_q16)
        ),
        beta=line.beta_q16 / Q16,
        revealed=bool(line.p_false_q16),
    )


def cite(knowledge: KnowledgeBase, number: int) -> str:
    """The text of the record a verdict names; a node may write any number."""
    if number < len(knowledge.records):
        return knowledge.records[number].text
    return f"(record {number}, which does not exist)"


def tell_nodes(
    history: History,
    cast: Sequence[Member],
    keys: Mapping[str, bytes],
    before_micro: Mapping[str, int],
    prior_q8: int,
    payments: Iterable[events.Payment],
) -> tuple[report.Node, ...]:
    """One course a node: stake and reputation over the blocks, and what it earned by kind."""
    earned: dict[bytes, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for payment in payments:
        earned[payment.key][_KINDS.get(payment.reason, "other")] += payment.amount_micro
    stride = max(1, len(history.blocks) // _POINTS)
    kept = sorted({*range(0, len(history.blocks), stride), len(history.blocks) - 1})
    courses: dict[bytes, list[tuple[int, events.NodeLine]]] = defaultdict(list)
    for index in kept:
        for line in history.blocks[index].nodes:
            courses[line.key].append((history.blocks[index].height, line))
    nodes = []
    for member in cast:
        role, course = 0 if member.role == "generator" else 1, courses[keys[member.name]]
        last = course[-1][1]
        nodes.append(
            report.Node(
                name=member.name,
                role=member.role,
                behaviour=member.behaviour,
                model=member.model,
                stake=tuple((height, line.stake_micro / MICRO) for height, line in course),
                reputation=tuple(
                    (height, line.good_q8[role] / (line.good_q8[role] + line.bad_q8[role] + prior_q8))
                    for height, line in course
                ),
                beta=last.beta_q16[role] / Q16,
                stake_before=before_micro[member.name] / MICRO,
                stake_after=last.stake_micro / MICRO,
                earnings=tuple((kind, micro / MICRO) for kind, micro in earned[keys[member.name]].items()),
            )
        )
    return tuple(nodes)


_LABELS = {
    "consensus": "The network",
    "best_node": "Best single node",
    "majority": "Majority of the same seats",
    "all_nodes_majority": "Majority of all nodes",
}


def tell_scores(rivals: Rivals) -> tuple[tuple[report.Score, ...], tuple[report.Curve, ...]]:
    """The table of scores at equal coverage, and the curve of each decision-maker."""
    scores, curves = [], []
    for kind, label in _LABELS.items():
        if kind == "best_node":
            label = f"{label} ({rivals.best_node})"
        score, asked = rivals.score(kind), len(rivals.truths)
        scores.append(report.Score(kind, label, asked, len(rivals.kept[kind]), score.wrong_accepted))  # type: ignore[arg-type]
        points = trace_accuracy(rivals.picks[kind], rivals.truths, normalise)
        curves.append(report.Curve(kind, label, tuple(report.Point(*point) for point in points)))  # type: ignore[arg-type]
    return tuple(scores), tuple(curves)


def tell_calibration(history: History, names: Names) -> tuple[report.Reliability, ...]:
    """Whether the honest nodes' stated probabilities came true, in bins of equal width."""
    confidences: list[tuple[float, bool]] = []
    verdicts: list[tuple[float, bool]] = []
    for task in history.tasks:
        settled, truth = task.settled, normalise(task.question.truth)
        confidences.extend(
            (line.confidence_q16 / Q16, normalise(line.text) == truth)
            for line in settled.answers
            if line.candidate >= 0 and names[line.key].is_honest
        )
        verdicts.extend(
            (p_false / Q16, normalise(settled.candidates[j]) != truth)
            for line in settled.verdicts
            if names[line.key].is_honest
            for j, p_false in enumerate(line.p_false_q16)
        )
    return (
        reliability("Honest generators' confidence that the answer is right", confidences),
        reliability("Honest discriminators' probability that the answer is false", verdicts),
    )
