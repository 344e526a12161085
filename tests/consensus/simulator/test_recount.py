"""The figures of a run's summary, made again from its states alone: who owned what before and after every round.

One task opens and one settles a round, so the books tell what happened: the asker has its tip back where the network
abstained, and the liquid of those who gave the accepted answer has grown where it was not overturned.
"""

from itertools import pairwise

import numpy as np
import pytest

from consensus import presets
from consensus.simulator.ending import conclude
from consensus.simulator.networks import Group, Kind, Models, get_pot_micro, make_network
from consensus.simulator.run import simulate
from consensus.simulator.summary import Summary, summarise
from consensus.simulator.world import ASKER, State, start
from consensus.units import MICRO, SUPPLY_CAP_MICRO

LAG, ROUNDS = 3, 90
KINDS = (
    Kind("known", 0.7, 0.7, knows=1.0, accuracy=0.7, trap=0.6, lure=0.9, poison=0.6),
    Kind("unknown", 0.3, 0.3, knows=0.3),
)
GROUPS = (
    Group("honest", 9, "both"),
    Group("guesser", 2, "generator", "inflator"),
    Group("lazy", 1, "discriminator", "lazy"),
)
LAW = presets.demo()._replace(random_audit_rate_q16=np.int64(20_000), cusum_limit_q16=np.int64(60_000))
STATIC, SETTING = make_network(
    LAW, GROUPS, KINDS, Models(), tasks=1, lag=LAG, load=0.95, generator_seats=4, discriminator_seats=6
)
POT_MICRO = get_pot_micro(LAW, MICRO)


@pytest.fixture(scope="module")
def states() -> list[State]:
    found = [start(STATIC, SETTING)]
    for _ in range(ROUNDS):
        found.append(simulate(STATIC, SETTING, found[-1], 11, 1, backend="numpy"))
    return found


@pytest.fixture(scope="module")
def summary(states: list[State]) -> Summary:
    last = states[-1]
    ending = conclude(STATIC, SETTING, last)
    names = [kind.name for kind in KINDS], [group.name for group in GROUPS]
    return summarise(last.metrics, ending, SETTING, POT_MICRO, *names)


def recount(states: list[State]) -> dict[str, np.ndarray]:
    """By settled task: kind, accepted, right; by task and node: fees of generators and of discriminators."""
    rows: dict[str, list] = {"kind": [], "accepted": [], "right": [], "generator": [], "discriminator": []}
    for before, after in pairwise(states):
        task, opened = before.waiting[0], after.waiting[-1]
        if not task.is_open_T[0]:
            continue
        earned_N = after.nodes.liquid_micro_N - before.nodes.liquid_micro_N
        paid = opened.is_open_T[0] * opened.round.fee_micro[0]
        tip = int(task.round.tip_micro[0])
        back = int(earned_N[ASKER] + paid)
        assert back in (0, tip)
        earned_N = np.where(np.arange(STATIC.nodes) == ASKER, 0, earned_N)
        seat_G, answer_G = task.round.generator_G[0], task.round.answer_G[0]
        chosen = {
            int(answer) for seat, answer in zip(seat_G, answer_G, strict=True) if seat >= 0 and earned_N[seat] > 0
        }
        assert len(chosen) <= (1 if back == 0 else 0)
        judged_N = np.bincount(
            task.round.discriminator_D[0][task.round.revealed_D[0] == 1], minlength=STATIC.nodes
        ) * int(task.round.flat_fee_micro_R[0][1])
        rows["kind"].append(int(task.kind_T[0]))
        rows["accepted"].append(back == 0)
        rows["right"].append(bool(chosen) and bool(task.truth_TC[0][chosen.pop()]))
        rows["generator"].append(earned_N)
        rows["discriminator"].append(judged_N if back == 0 else judged_N * 0)
    return {name: np.array(values) for name, values in rows.items()}


def test_coverage_and_wrong_answers(states: list[State], summary: Summary) -> None:
    found = recount(states)
    accepted, wrong = found["accepted"], found["accepted"] & ~found["right"]
    assert summary["tasks"] == len(accepted) > 60
    assert accepted.sum() > 20 and wrong.sum() >= 2, "too little happened to test it"
    assert summary["coverage"] == pytest.approx(accepted.mean())
    assert summary["wrong"] == pytest.approx(wrong.sum() / accepted.sum())
    for k, kind in enumerate(KINDS):
        own = found["kind"] == k
        assert summary[f"coverage.{kind.name}"] == pytest.approx(accepted[own].mean())
        assert summary[f"wrong_of_asked.{kind.name}"] == pytest.approx(wrong[own].mean())


def test_gains_and_fees(states: list[State], summary: Summary) -> None:
    found = recount(states)
    own = lambda nodes: nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.unbonding_micro_N + nodes.escrow_micro_N
    gain_N = own(states[-1].nodes) - own(states[0].nodes)
    fees_N = found["generator"].sum(axis=0) + found["discriminator"].sum(axis=0)
    first = 1
    for group in GROUPS:
        rows = slice(first, first + group.nodes)
        assert summary[f"gain.{group.name}"] == pytest.approx(gain_N[rows].mean() / POT_MICRO)
        assert summary[f"worst.{group.name}"] == pytest.approx(gain_N[rows].min() / POT_MICRO)
        assert summary[f"return.{group.name}"] == pytest.approx(gain_N[rows].sum() / (group.nodes * 600 * POT_MICRO))
        assert summary[f"fees.{group.name}"] == pytest.approx(fees_N[rows].mean() / POT_MICRO)
        first += group.nodes
    assert fees_N.sum() > 0 and first == STATIC.nodes


def test_what_burned_is_base_fees_and_half_of_every_slash(states: list[State], summary: Summary) -> None:
    """R1 and R8; what an audit takes back from generators goes to the treasury whole, nobody having challenged (R6)."""
    opened = [state.waiting[-1] for state in states[1:]]
    base_micro = sum(int(one.is_open_T[0] * (one.round.fee_micro[0] - one.round.tip_micro[0])) for one in opened)
    slashed = sum(summary[f"slashed.{group.name}"] * group.nodes for group in GROUPS) * POT_MICRO
    burned_micro = SUPPLY_CAP_MICRO - sum(
        int(np.sum(leaf))
        for leaf in (
            *states[-1].nodes[:2],
            *(states[-1].nodes.unbonding_micro_N, states[-1].nodes.escrow_micro_N),
            *(states[-1].network.treasury_micro, states[-1].network.reserve_micro, states[-1].network.purse_micro),
            states[-1].network.task_escrow_micro,
        )
    )
    assert summary["burned_pots"] == pytest.approx(burned_micro / POT_MICRO)
    overturned_micro = -int(states[-1].metrics.overturned_micro_OR.sum())
    assert slashed < 0 < overturned_micro, "too little happened to test it"
    assert burned_micro == pytest.approx(base_micro - slashed / 2, abs=2 * ROUNDS)
    assert burned_micro == int(states[-1].network.burned_micro)
