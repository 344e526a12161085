"""A settlement as one `Settled` event: who answered and judged what, how it was tallied, and why each node was paid."""

import numpy as np

from consensus.ledger import events
from consensus.ledger.draft import Draft, compute_stakes
from consensus.ledger.events import AnswerLine, Payment, Settled, VerdictLine
from consensus.ledger.rounds import number_answers
from consensus.ledger.tasks import NOBODY, OpenTask
from consensus.state import DISCRIMINATOR, GENERATOR, REASONS, Array, Network, Nodes, Outcome, Payments


def describe_settlement(
    draft: Draft, task: OpenTask, network: Network, nodes: Nodes, outcome: Outcome, payments: Payments, kind: str
) -> Settled:
    """The event for `task`; `network` and `nodes` are those before it settled, the draft holds those after."""
    accepted, count = int(outcome.accepted), len(task.candidates)
    texts = tuple(candidate.text for candidate in task.candidates)
    return Settled(
        height=draft.height,
        task_id=task.id,
        author=task.author,
        nonce=task.nonce,
        task_class=task.task_class,
        prompt=task.prompt,
        candidates=texts,
        answers=_answers(draft, task, nodes, outcome),
        verdicts=_verdicts(draft, task, nodes, outcome),
        accepted=accepted,
        accepted_text=texts[accepted] if accepted >= 0 else "",
        reason_code=int(outcome.reason),
        reason=REASONS[int(outcome.reason)],
        score_q12=_first(outcome.score_q12_C, count),
        generator_score_q12=_first(outcome.generator_score_q12_C, count),
        discriminator_score_q12=_first(outcome.discriminator_score_q12_C, count),
        kappa_q12=int(draft.params.kappa_q12_K[task.task_class]),
        rho_q16=_pair(draft.params.rho_q16_KR[task.task_class]),
        margin_q12=int(outcome.margin_q12),
        tau_q12=int(outcome.tau_q12),
        difficulty_q16=int(outcome.difficulty_q16),
        integral_q12=int(network.integral_q12),
        base_rate_q16=int(network.base_rate_q16),
        drawn=int(outcome.drawn),
        audit=kind,
        flat_fee_micro=task.flat_fee_micro,
        wager_micro=task.wager_micro,
        payments=_payments(draft, task, nodes, payments, accepted),
    )


def _answers(draft: Draft, task: OpenTask, nodes: Nodes, outcome: Outcome) -> tuple[AnswerLine, ...]:
    numbers = number_answers(task, draft.genesis.classes[task.task_class].equality)
    answers = {answer.key: answer for answer in task.answers}
    lines = []
    for key in sorted(set(task.generators) - {NOBODY}):
        answer = answers.get(key)
        lines.append(
            AnswerLine(
                key=key,
                seats=task.generators.count(key),
                candidate=numbers.get(key, -1),
                text=answer.text if answer else "",
                confidence_q16=answer.confidence_q16 if answer else 0,
                evidence_q12=int(outcome.generator_evidence_q12_G[task.generators.index(key)]),
                beta_q16=int(nodes.beta_q16_NR[draft.row[key], GENERATOR]),
            )
        )
    return tuple(lines)


def _verdicts(draft: Draft, task: OpenTask, nodes: Nodes, outcome: Outcome) -> tuple[VerdictLine, ...]:
    revealed = {row.key: row.verdicts for row in task.verdicts}
    lines = []
    for key in sorted(set(task.discriminators) - {NOBODY}):
        verdicts = revealed.get(key, ())
        evidence_C = outcome.discriminator_evidence_q12_DC[task.discriminators.index(key)]
        lines.append(
            VerdictLine(
                key=key,
                seats=task.discriminators.count(key),
                p_false_q16=tuple(verdict.p_false_q16 for verdict in verdicts),
                evidence=tuple(verdict.evidence for verdict in verdicts),
                evidence_q12=_first(evidence_C, len(verdicts)),
                beta_q16=int(nodes.beta_q16_NR[draft.row[key], DISCRIMINATOR]),
            )
        )
    return tuple(lines)


def _payments(draft: Draft, task: OpenTask, before: Nodes, payments: Payments, accepted: int) -> tuple[Payment, ...]:
    """Fees and slashes as the rules report them; what else moved is the proposer's share or the author's refund."""
    is_generator_N = draft.amounts_of([(key, 1) for key in set(task.generators) - {NOBODY}])
    fee_N, slash_N = payments.fee_micro_N, payments.slash_micro_N
    other_N = compute_stakes(draft.nodes) - compute_stakes(before) - fee_N - slash_N
    return (
        *draft.payments(fee_N * is_generator_N, events.GENERATOR_FEE),
        *draft.payments(fee_N * (1 - is_generator_N), events.DISCRIMINATOR_FEE),
        *draft.payments(other_N, events.PROPOSER_SHARE if accepted >= 0 else events.TIP_REFUND),
        *draft.payments(slash_N, events.NON_REVEAL),
    )


def _pair(row_R: Array) -> tuple[int, int]:
    generator, discriminator = np.asarray(row_R).tolist()
    return generator, discriminator


def _first(row: Array, count: int) -> tuple[int, ...]:
    return tuple(np.asarray(row).tolist()[:count])
