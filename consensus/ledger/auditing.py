"""When the truth of a task is known: wagers are scored, nodes learn, an accepted false answer is overturned (R6-R9)."""

import numpy as np

from consensus.ledger import events
from consensus.ledger.draft import Draft, compute_stakes
from consensus.ledger.equality import canonical
from consensus.ledger.events import Audited, Learned, Payment, Slashed
from consensus.ledger.rounds import build_round
from consensus.ledger.tasks import NOBODY, Candidate, OpenTask, SettledTask
from consensus.rules.settle import overturn, settle_audit
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Outcome

CANARY, RANDOM, NONE = "canary", "random", "none"


def is_true(draft: Draft, task_class: int, candidate: Candidate, truths: tuple[str, ...]) -> bool:
    """Whether the candidate equals one of the true answers under its class's equality."""
    equality = draft.genesis.classes[task_class].equality
    return candidate.form in {canonical(equality, truth) for truth in truths}


def audit(draft: Draft, task: OpenTask, outcome: Outcome, truths: tuple[str, ...], kind: str) -> None:
    """Settle the wagers of `task` and let its nodes learn; records an `Audited` event and any slashes."""
    marks = [int(is_true(draft, task.task_class, candidate, truths)) for candidate in task.candidates]
    truth_C = np.array(marks + [0] * (len(task.generators) - len(marks)), np.int64)
    round = build_round(draft, task)
    network, nodes = draft.network, draft.nodes
    draft.network, draft.nodes, payments = settle_audit(
        params=draft.params,
        network=network,
        nodes=nodes,
        round=round,
        outcome=outcome,
        truth_C=truth_C,
        is_random=np.asarray(int(kind == RANDOM), np.int64),
    )
    accepted = int(outcome.accepted)
    draft.events.append(
        Audited(
            height=draft.height,
            task_id=task.id,
            kind=kind,
            truths=truths,
            candidate_is_true=tuple(marks),
            accepted_is_true=marks[accepted] if accepted >= 0 else -1,
            integral_q12=_pair(network, draft.network, "integral_q12"),
            base_rate_q16=_pair(network, draft.network, "base_rate_q16"),
            learned=_learned(draft, task, nodes),
            payments=(
                *draft.payments(payments.wager_micro_N, events.WAGER),
                *draft.payments(payments.forfeit_micro_N, events.FORFEIT),
                *draft.payments(payments.slash_micro_N, events.POOR_PERFORMANCE),
            ),
        )
    )
    record_slashes(draft, draft.payments(payments.slash_micro_N, events.POOR_PERFORMANCE))


def overturn_audited(draft: Draft, settled: SettledTask, truths: tuple[str, ...]) -> None:
    """An audit found the accepted answer false: the generators' escrow goes to the treasury."""
    before_N = compute_stakes(draft.nodes)
    amount_N = draft.amounts_of(settled.escrow)
    draft.network, draft.nodes = overturn(draft.params, draft.network, draft.nodes, amount_N)
    payments = draft.payments(compute_stakes(draft.nodes) - before_N, events.OVERTURNED)
    draft.events.append(events.Overturned(draft.height, settled.id, truths, NOBODY, tuple(payments)))


def record_slashes(draft: Draft, payments: list[Payment]) -> None:
    """A `Slashed` row for each slash that the event before it has paid."""
    for key, amount_micro, reason in payments:
        until = int(draft.nodes.jailed_until_N[draft.row[key]])
        draft.events.append(Slashed(draft.height, key, -amount_micro, reason, until, ()))


def _learned(draft: Draft, task: OpenTask, before: Nodes) -> tuple[Learned, ...]:
    """What the audit changed in each node that held a seat."""
    rows = []
    for role, seats in ((GENERATOR, task.generators), (DISCRIMINATOR, task.discriminators)):
        for key in sorted(set(seats) - {NOBODY}):
            i = draft.row[key]
            beta, good, bad, cusum = (
                (int(getattr(before, leaf)[i, role]), int(getattr(draft.nodes, leaf)[i, role]))
                for leaf in ("beta_q16_NR", "good_q8_NR", "bad_q8_NR", "cusum_q16_NR")
            )
            jailed = int(before.jailed_until_N[i]), int(draft.nodes.jailed_until_N[i])
            rows.append(Learned(key, role, beta, good, bad, cusum, jailed))
    return tuple(rows)


def _pair(before: Network, after: Network, leaf: str) -> tuple[int, int]:
    return int(getattr(before, leaf)), int(getattr(after, leaf))
