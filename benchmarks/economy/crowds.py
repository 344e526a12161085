"""Networks of 10 to 10,000 nodes in the simulator: who sits, who reveals, and how good the answers are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from consensus.simulator.metrics import Metrics
from consensus.simulator.networks import FACTS, Group, make_network
from consensus.simulator.run import simulate
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import State, start
from consensus.state import Nodes, Params
from consensus.units import MICRO

TASKS, LAG = 8, 2
DISHONEST = 0.1  # of the nodes: they answer and judge at random
SCHOOL_NODES = 40  # the network in which nodes learned their voices
LEARNED = ("good_q8_NR", "bad_q8_NR", "beta_q16_NR", "cusum_q16_NR")


class Crowd(NamedTuple):
    """One run's averages a task; shares of 1."""

    generators: float  # distinct nodes on the generators' seats
    discriminators: float
    seats: float  # taken
    revealed: float  # seats that revealed
    candidates: float  # distinct answers
    coverage: float
    wrong: float  # false of the accepted
    wrong_of_asked: float


def make_crowd(law: Params, nodes: int) -> tuple[Static, Setting]:
    """So many nodes with both roles and equal stakes, a tenth of them dishonest, asked eight tasks a round."""
    dishonest = max(1, round(nodes * DISHONEST))
    groups = [Group("honest", nodes - dishonest, "both"), Group("random", dishonest, "both", "random")]
    still = law._replace(emission_rate_q32=np.int64(0))
    return make_network(still, groups, tasks=TASKS, lag=LAG, tip_micro=10 * MICRO, purse_pots=50_000.0)


def teach(law: Params, rounds: int) -> Nodes:
    """Nodes of a small network after so many rounds, honest ones first: what a node is when it is known."""
    static, setting = make_crowd(law, SCHOOL_NODES)
    return simulate(static, setting, start(static, setting), 1_000, rounds).nodes


def enrol(state: State, setting: Setting, school: Nodes, school_setting: Setting) -> State:
    """The first state of a network whose nodes have the voices of the school's, group by group, by turns."""
    nodes = state.nodes
    label_N, school_label_N = setting.conduct.group_N, school_setting.conduct.group_N
    rows_N = np.zeros(len(label_N), np.int64)
    for label in np.unique(label_N):
        of = np.flatnonzero(school_label_N == label)
        here = np.flatnonzero(label_N == label)
        rows_N[here] = of[np.arange(len(here)) % len(of)]
    return state._replace(nodes=nodes._replace(**{name: getattr(school, name)[rows_N] for name in LEARNED}))


def watch(law: Params, nodes: int, seeds: Sequence[int], rounds: int, school: Nodes | None) -> list[Crowd]:
    """One crowd a seed, of so many rounds each; without a school nobody is known yet."""
    static, setting = make_crowd(law, nodes)
    first = start(static, setting)
    if school is not None:
        first = enrol(first, setting, school, make_crowd(law, SCHOOL_NODES)[1])
    crowds = []
    for seed in seeds:
        settled = simulate(static, setting, first, seed, rounds)
        crowds.append(_tell(settled.metrics, settled))
    return crowds


def _tell(m: Metrics, state: State) -> Crowd:
    """Averages; distinct nodes and answers are counted on the tasks that are in flight at the end."""
    seats = lambda name: np.concatenate([getattr(pending.round, name) for pending in state.waiting])
    distinct = lambda name: float(np.mean([len(set(row[row >= 0])) for row in seats(name)]))
    asked, accepted = m.asked_K.sum(), (m.right_K + m.wrong_K).sum()
    return Crowd(
        generators=distinct("generator_G"),
        discriminators=distinct("discriminator_D"),
        seats=float(m.seats_OR.sum() / asked),
        revealed=float(m.reveals_OR.sum() / asked),
        candidates=distinct("answer_G"),
        coverage=float(accepted / asked),
        wrong=float(m.wrong_K.sum() / max(accepted, 1)),
        wrong_of_asked=float(m.wrong_K.sum() / asked),
    )


def expect_candidates(nodes: int, recipes: int = 3) -> float:
    """Distinct answers if all nodes answer: those of one recipe agree, the dishonest scatter over all wrong answers."""
    others = max(kind.wrong_answers for kind in FACTS) + 1 - recipes
    scattered = others * (1 - (1 - 1 / max(kind.wrong_answers for kind in FACTS)) ** max(1, round(nodes * DISHONEST)))
    return float(min(nodes, recipes + scattered))
