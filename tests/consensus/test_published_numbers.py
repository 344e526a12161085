"""Numbers that others published, or that follow from the law on paper, come out of the rules.

The table is `consensus.validation`'s, the one place that knows its numbers; `deslm validate` prints it. Here every row
must be within its tolerance, and what else a sentence of the law promises in figures is measured.
"""

from math import log

import numpy as np
import pytest

from consensus import presets
from consensus.rules.accept import move_integral
from consensus.rules.emission import draw_emission
from consensus.state import DISCRIMINATOR, GENERATOR, Network
from consensus.units import Q16, SUPPLY_CAP_MICRO
from consensus.validation import bonds, committees, fits, juries, money
from consensus.validation.money import audit, make_round, make_state

PARTS = (juries, committees, money, bonds, fits)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__.rpartition(".")[2])
def test_every_row_is_within_its_tolerance(part):
    rows = part.list_rows()
    off = [f"{row.name} ({row.given}): {row.ours}, published {row.published}" for row in rows if not row.is_within()]
    assert rows
    assert not off, "; ".join(off)


@pytest.mark.parametrize("role", [GENERATOR, DISCRIMINATOR])
@pytest.mark.parametrize("belief", [0.2, 0.45, 0.76, 0.95])
def test_the_best_report_is_the_belief(belief, role):
    assert money.find_best_report(belief, role) == pytest.approx(belief, abs=2e-3)


def test_a_false_flag_costs_what_three_correct_flags_earn():
    win = lambda report, is_false: money.compute_expected_win(report, float(is_false), DISCRIMINATOR)
    earned, lost = win(1.0, 1) - win(0.5, 1), win(0.5, 0) - win(1.0, 0)
    assert lost == pytest.approx(3 * earned, rel=1e-3)
    assert earned > 0


def test_who_exaggerates_loses_his_voice_within_200_audits():
    params, network, nodes = make_state(3, beta_q16=Q16 // 2)
    params = params._replace(cusum_limit_q16=np.asarray(400 * Q16))  # no jail in between
    for turn in range(200):
        round = make_round([0, 0], [0.99, 0.6], [0.5], 0)
        network, nodes = audit(round, (params, network, nodes), int(turn % 10 == 0))[:2]
    assert int(nodes.beta_q16_NR[0, GENERATOR]) < Q16 // 50


def test_the_integral_rests_where_errors_are_epsilon():
    params, network, _ = make_state(1)
    up = int(move_integral(params, network, np.asarray(1)).integral_q12)
    down = -int(move_integral(params, network, np.asarray(0)).integral_q12)
    assert down / (up + down) == pytest.approx(0.02, abs=0.005)


def test_emission_halves_the_reserve_in_ln2_over_rate_tasks():
    rate, tasks = 4095, 2_000
    params = presets.reference()._replace(emission_rate_q32=np.asarray(rate))
    network: Network = make_state(1)[1]._replace(reserve_micro=np.asarray(SUPPLY_CAP_MICRO))
    for _ in range(tasks):
        network, _ = draw_emission(params, network)
    half_life = tasks * log(2) / log(SUPPLY_CAP_MICRO / int(network.reserve_micro))
    assert half_life == pytest.approx(log(2) / (rate / 2**32), rel=1e-3)


def test_bad_is_remembered_twice_as_long_as_good():
    halved = {}
    for name, is_true in (("good_q8_NR", 0), ("bad_q8_NR", 1)):
        params, network, nodes = make_state(3)
        params = params._replace(cusum_limit_q16=np.asarray(400 * Q16))
        nodes = nodes._replace(**{name: np.full_like(nodes.good_q8_NR, 16_000)})
        count = 0
        while getattr(nodes, name)[0, 0] > 8_000:
            round = make_round([0, 0], [0.6, 0.6], [0.5], 0)
            network, nodes = audit(round, (params, network, nodes), is_true)[:2]
            count += 1
        halved[name] = count
    assert halved["bad_q8_NR"] == pytest.approx(2 * halved["good_q8_NR"], rel=0.05)
