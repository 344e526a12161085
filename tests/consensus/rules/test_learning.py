"""R4's voice, R9's reputation and R8's CUSUM: what audits teach about a node, once a node and task."""

import numpy as np

from consensus.rules.log_odds import sigmoid_q16
from consensus.rules.reputation import update_reputation
from consensus.rules.slash import update_cusum
from consensus.rules.voice import update_voice
from consensus.rules.wager import Graded
from consensus.state import GENERATOR
from consensus.units import Q16
from tests.consensus.rules.small import int64, network_and_nodes, params_with

ALL = np.ones(3, dtype=bool)
PARAMS = params_with()


def graded(right: list[int], opinion: list[bool], score: int = 0, house: int = 0) -> Graded:
    return Graded(ALL, ~ALL, int64([score] * 3), int64(house), int64(right), np.array(opinion))


def voice(beta: int, x: int, is_true: int, seats: list[int] | None = None) -> list[int]:
    _, nodes = network_and_nodes(PARAMS)
    nodes = nodes._replace(beta_q16_NR=nodes.beta_q16_NR * 0 + beta)
    seat_S = int64(seats or [1, 1, 2])
    after = update_voice(PARAMS, nodes, GENERATOR, seat_S, ALL, int64([x] * 3), int64([is_true] * 3))
    assert (after.beta_q16_NR[:, 1] == beta).all()
    return after.beta_q16_NR[:, 0].tolist()


def test_a_voice_by_hand() -> None:
    """beta 1/2, x = 2: sigma(1) = .7311; right: + 2 * .2689 / 16, wrong: - 2 * .7311 / 16."""
    p = int(sigmoid_q16(int64(4_096)))
    assert p == 47_911
    assert voice(32_768, 8_192, 1)[1] == 32_768 + (8_192 * (65_536 - p) >> 16)
    assert voice(32_768, 8_192, 0)[1] == 32_768 + (8_192 * -p >> 16)
    assert voice(32_768, 0, 0)[1] == 32_768  # who says nothing learns nothing


def test_a_voice_learns_once_a_task_and_stays_within_0_and_1() -> None:
    betas = voice(32_768, 8_192, 1)
    assert betas[1] == betas[2] != 32_768  # node 1 held two seats, node 2 one
    assert betas[3] == 32_768
    assert voice(65_536, 12_288, 1)[1] == 65_536
    assert voice(0, 12_288, 0)[1] == 0


def test_who_exaggerates_loses_his_voice_and_who_is_calibrated_keeps_it() -> None:
    """Certain and right half of the time: beta falls to 0 within 200 audits. Calibrated at .75: it stays near 1."""
    beta = 32_768
    for i in range(200):
        beta = voice(beta, 12_288, i % 2)[1]
    assert beta <= 6_144  # one right answer from 0: 3 * 1/2 / 16
    beta = 32_768
    for i in range(2_000):
        beta = voice(beta, 4_500, int(i % 4 > 0))[1]
    assert beta > 57_000


def test_reputation_counts_once_and_remembers_bad_twice_as_long() -> None:
    _, nodes = network_and_nodes(PARAMS)
    nodes = nodes._replace(good_q8_NR=nodes.good_q8_NR + 6_400, bad_q8_NR=nodes.bad_q8_NR + 6_400)
    seat_S = int64([1, 1, 2])
    after = update_reputation(PARAMS, nodes, GENERATOR, seat_S, graded([1, 1, 0], [True, True, True]))
    assert after.good_q8_NR[1:4, 0].tolist() == [6_400 - 100 + 256, 6_400 - 100, 6_400]
    assert after.bad_q8_NR[1:4, 0].tolist() == [6_400 - 50, 6_400 - 50 + 256, 6_400]
    assert (after.good_q8_NR[:, 1] == 6_400).all()
    silent = update_reputation(PARAMS, nodes, GENERATOR, seat_S, graded([1, 1, 0], [False, False, False]))
    assert (silent.good_q8_NR == nodes.good_q8_NR).all()
    assert (silent.bad_q8_NR == nodes.bad_q8_NR).all()


def test_reputation_counters_stay_below_16_bits() -> None:
    _, nodes = network_and_nodes(PARAMS)
    for right in (1, 0):
        for _ in range(1_200):
            nodes = update_reputation(PARAMS, nodes, GENERATOR, int64([1, 2, 3]), graded([right] * 3, [True] * 3))
    assert 16_000 < nodes.bad_q8_NR[1, 0] < 1 << 16
    assert nodes.good_q8_NR[1, 0] < 100  # forgotten


def test_cusum_by_hand_and_its_alarm() -> None:
    """Each audit at .5 below the house adds .45; after nine the sum passes 4, and starts over."""
    _, nodes = network_and_nodes(PARAMS)
    seat_S, poor = int64([1, 1, 2]), graded([0] * 3, [True] * 3, score=0, house=32_768)
    step = 32_768 - int(PARAMS.cusum_delta_q16)
    for audit in range(1, 10):
        nodes, alarm_N = update_cusum(PARAMS, nodes, GENERATOR, seat_S, poor)
        assert alarm_N.tolist() == [False, audit == 9, audit == 9, *[False] * 5]
        assert nodes.cusum_q16_NR[1:4, 0].tolist() == [0 if audit == 9 else audit * step] * 2 + [0]
    assert 8 * step <= 4 * Q16 < 9 * step
    fine = graded([1] * 3, [True] * 3, score=40_000, house=32_768)
    nodes, alarm_N = update_cusum(PARAMS, nodes, GENERATOR, seat_S, fine)
    assert not alarm_N.any()
    assert not nodes.cusum_q16_NR.any()
