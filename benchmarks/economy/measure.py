"""What a run shows: accuracy beside coverage, against the best node and the plurality, and what every node gained."""

from typing import NamedTuple

import numpy as np

from benchmarks.economy.play import Log
from benchmarks.economy.world import Agents, Tasks
from consensus.units import Q16


class Result(NamedTuple):
    """Figures of one run; gains in pots."""

    coverage: float  # accepted / asked, taught questions
    wrong: int  # accepted and wrong
    best_node_wrong: int  # at the same coverage
    plurality_wrong: int
    untaught_wrong: float  # share of the untaught questions
    audit_rate: float
    gain_N: np.ndarray
    honest_loss: float  # the worst honest node's loss, share of its stake
    early_coverage: float  # of the first 100 taught questions
    smallest_wager: float  # share of the largest, discriminators: below 1 the purse was short
    base_rate: float  # b at the end
    supply_error: int


def measure(agents: Agents, tasks: Tasks, log: Log, stake_micro: int, pot_micro: int) -> Result:
    """Figures of one run from its tasks and its log."""
    taught_T, untaught_T = tasks.is_taught_T == 1, tasks.is_taught_T == 0
    accepted_T = log.accepted >= 0
    wrong_T = accepted_T & (log.accepted != tasks.truth_T)
    answered = int((accepted_T & taught_T).sum())
    gain_N = (log.stake_micro_N[-1, 1:] - stake_micro) / pot_micro
    is_honest_N = np.array([b == "honest" for b in agents.generators + agents.discriminators])
    return Result(
        coverage=answered / taught_T.sum(),
        wrong=int((wrong_T & taught_T).sum()),
        best_node_wrong=_best_node_wrong(agents, tasks, taught_T, answered),
        plurality_wrong=_plurality_wrong(tasks, log, taught_T, answered),
        untaught_wrong=float((wrong_T & untaught_T).sum() / max(untaught_T.sum(), 1)),
        audit_rate=float(log.is_audited.mean()),
        gain_N=gain_N,
        honest_loss=float(-gain_N[is_honest_N].min() * pot_micro / stake_micro),
        early_coverage=float(accepted_T[taught_T][:100].mean()),
        smallest_wager=float(log.wager_micro_R[:, 1].min() / log.wager_micro_R[:, 1].max()),
        base_rate=float(log.base_rate_q16[-1]) / Q16,
        supply_error=int(np.abs(log.supply_error_micro).max()),
    )


def _best_node_wrong(agents: Agents, tasks: Tasks, asked_T: np.ndarray, answered: int) -> int:
    """Wrong answers of the honest node with the best accuracy, on the questions it is surest of."""
    right_TA = (tasks.answer_TA == tasks.truth_T[:, None])[asked_T]
    honest = [a for a, behaviour in enumerate(agents.generators) if behaviour == "honest"]
    best = max(honest, key=lambda a: right_TA[:, a].mean())
    surest = np.argsort(-tasks.confidence_q16_TA[asked_T, best], kind="stable")[:answered]
    return int((~right_TA[surest, best]).sum())


def _plurality_wrong(tasks: Tasks, log: Log, asked_T: np.ndarray, answered: int) -> int:
    """Wrong answers of the seats' plurality, on the questions with the largest shares (ties: mean confidence)."""
    ranked = []
    for t in np.flatnonzero(asked_T):
        seats_G, sure_G = log.seat_answer_G[t], log.seat_confidence_q16_G[t] / Q16
        votes = {int(u): ((seats_G == u).sum(), sure_G[seats_G == u].mean()) for u in set(seats_G) if u >= 0}
        best = max(votes, key=lambda u: votes[u]) if votes else -1
        ranked.append((*votes.get(best, (0, 0.0)), best != tasks.truth_T[t]))
    ranked.sort(key=lambda row: (-row[0], -row[1]))
    return sum(row[2] for row in ranked[:answered])


def lines_met(agents: Agents, result: Result) -> dict[str, bool]:
    """The lines that a demo run has to meet."""
    met = {
        "coverage >= .6": result.coverage >= 0.6,
        "fewer wrong than the best node": result.wrong < result.best_node_wrong,
        "fewer wrong than the plurality": result.wrong < result.plurality_wrong,
        "untaught wrong <= 5 %": result.untaught_wrong <= 0.05,
        "no honest node loses > 1 %": result.honest_loss <= 0.01,
        "supply exact": result.supply_error == 0,
    }
    A = len(agents.generators)
    for names, gain_N in ((agents.generators, result.gain_N[:A]), (agents.discriminators, result.gain_N[A:])):
        honest = np.median([g for n, g in zip(names, gain_N, strict=True) if n == "honest"])
        for name, gain in zip(names, gain_N, strict=True):
            if name != "honest":
                met[f"{name} loses, and against honest"] = bool(gain < min(0, honest))
    return met
