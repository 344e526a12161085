"""The running sums against a slow recount: every settlement recorded, every sum made again in plain Python."""

import numpy as np
import pytest

from consensus.simulator import step
from consensus.simulator.ending import conclude, measure_concentration
from consensus.simulator.metrics import Metrics, Settled
from consensus.simulator.run import simulate
from consensus.simulator.world import compute_wealth_micro, start
from consensus.state import Params
from tests.consensus.simulator.small import make_gullible, make_small

STATIC, SETTING = make_small()


def test_every_sum_is_what_a_recount_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[Settled] = []
    count_task = step.count_task

    def record(metrics: Metrics, params: Params, task: Settled) -> Metrics:
        tasks.append(task)
        return count_task(metrics, params, task)

    monkeypatch.setattr(step, "count_task", record)
    gullible = make_gullible(SETTING)
    got = simulate(STATIC, gullible, start(STATIC, gullible), 5, 16, backend="numpy").metrics
    counts = {name: np.zeros_like(leaf) for name, leaf in got._asdict().items()}
    for task in tasks:
        if task.is_open:
            recount(counts, task)
    for name in (*BY_TASK, *BY_SEAT):
        assert np.array_equal(getattr(got, name), counts[name]), f"{name}: {getattr(got, name)} != {counts[name]}"
        assert counts[name].any(), f"{name} was never counted: the run is too short to test it"


BY_TASK = (
    *("asked_K", "canary_K", "right_K", "wrong_K", "reason_X", "audited", "seat_right_K", "seat_revealed_K"),
    *("tau_q12_sum", "difficulty_q16_sum"),
)
BY_SEAT = (
    *("seats_OR", "reveals_OR", "effort_micro_OR", "fee_micro_OR", "wager_micro_OR", "forfeit_micro_OR"),
    *("slash_micro_OR", "alarms_OR"),
)


def recount(counts: dict, task: Settled) -> None:
    """One task, seat after seat."""
    kind, outcome = int(task.kind), task.outcome
    truth = [bool(x) for x in task.truth_C]
    counts["asked_K"][kind] += 1
    counts["canary_K"][kind] += int(task.is_canary)
    if outcome.accepted >= 0:
        counts["right_K" if truth[int(outcome.accepted)] else "wrong_K"][kind] += 1
    counts["reason_X"][int(outcome.reason)] += 1
    counts["audited"] += int(task.is_audited)
    counts["tau_q12_sum"] += outcome.tau_q12
    counts["difficulty_q16_sum"] += outcome.difficulty_q16
    seen = set()
    G = len(task.round.generator_G)
    for seat, row in enumerate([*task.round.generator_G, *task.round.discriminator_D]):
        if row < 0:
            continue
        role, index = (0, seat) if seat < G else (1, seat - G)
        where = (int(task.group_B[row]), role)
        shown = task.round.answer_G[index] >= 0 if role == 0 else task.round.revealed_D[index] == 1
        flat = where[0] * 2 + role
        counts["seats_OR"][flat] += 1
        counts["reveals_OR"][flat] += int(shown)
        counts["effort_micro_OR"][flat] += (task.effort_micro_D if role else task.effort_micro_G)[index]
        if role == 0 and shown:
            counts["seat_revealed_K"][kind] += 1
            counts["seat_right_K"][kind] += truth[int(task.round.answer_G[index])]
        if row in seen:
            continue
        seen.add(row)
        counts["alarms_OR"][flat] += int(task.jailed_B[row])
        for name in ("fee", "wager", "forfeit", "slash"):
            paid = sum(int(getattr(part, f"{name}_micro_N")[row]) for part in task.paid)
            counts[f"{name}_micro_OR"][flat] += paid


def test_gains_are_what_nodes_own_more_than_they_began_with() -> None:
    setting = make_gullible(SETTING)
    state = simulate(STATIC, setting, start(STATIC, setting), 8, 14, backend="numpy")
    assert state.metrics.overturned_micro_OR.any(), "fees that are lost again are part of what is tested"
    ending = conclude(STATIC, setting, state)
    gain_N = compute_wealth_micro(state.nodes) - SETTING.conduct.stake_micro_N - SETTING.conduct.liquid_micro_N
    for label in range(1, STATIC.groups):
        own = gain_N[SETTING.conduct.group_N == label]
        assert ending.nodes_O[label] == len(own)
        assert (ending.gain_micro_O[label], ending.worst_micro_O[label]) == (own.sum(), own.min())
        assert ending.best_micro_O[label] == own.max()
    # What groups gained beside slashes and fees are wagers: the sums and the state tell the same story.
    m = state.metrics
    moved = m.fee_micro_OR + m.overturned_micro_OR + m.wager_micro_OR + m.forfeit_micro_OR + m.slash_micro_OR
    assert np.array_equal(moved.reshape(-1, 2).sum(axis=1)[1:], ending.gain_micro_O[1:])


@pytest.mark.parametrize("stakes", [[1, 1, 1, 1], [0, 0, 0, 5], [10, 20, 30, 40], [7]])
def test_concentration_is_what_the_books_say(stakes: list[int]) -> None:
    micro = np.array([999, *(10**12 * x for x in stakes), 12345])
    counted = np.array([False, *[True] * len(stakes), False])
    gini, hhi, nakamoto = (int(x) for x in measure_concentration(micro, counted))
    x = np.array(stakes) / np.sum(stakes)
    exact = np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x))
    assert abs(gini / 65536 - exact) < 1e-4
    assert abs(hhi / 65536 - (x**2).sum()) < 1e-4
    held = np.cumsum(sorted(x, reverse=True))
    assert nakamoto == int((held <= 1 / 3 + 1e-9).sum()) + 1
