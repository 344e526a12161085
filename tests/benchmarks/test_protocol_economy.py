"""The benchmark that chose the demo's parameters still plays the law: a small network with few questions."""

import numpy as np
import pytest

from benchmarks import protocol_economy as economy
from benchmarks.economy import measure, play, world
from consensus import presets

PLAN = world.Plan(taught=45, untaught=15, canaries=20, early_canaries=5, early_tasks=10, in_flight=3)


def test_a_short_run_on_numpy_conserves_supply_and_pays_honest_nodes() -> None:
    results = economy.run(economy.DEMO, presets.demo(), PLAN, seeds=2, stake_pots=600, purse_pots=160, use_numpy=True)
    assert all(result.supply_error == 0 for result in results)
    gain_N = np.mean([result.gain_N for result in results], axis=0)
    honest = [b == "honest" for b in economy.DEMO.generators + economy.DEMO.discriminators]
    assert gain_N[honest].mean() > 0 > gain_N[~np.array(honest)].max()
    text = economy.describe("demo", economy.DEMO, results)
    assert "D withholder -" in text


def test_agents_have_the_skill_that_is_claimed() -> None:
    tasks = world.draw_tasks(economy.DEMO, world.Plan(taught=3_000, untaught=1_000), economy.SEATS, 0)
    taught_T = tasks.is_taught_T == 1
    right_TA = tasks.answer_TA == tasks.truth_T[:, None]
    assert abs(right_TA[taught_T, :6].mean() - 0.5) < 0.03  # .70 of the 70 % that a model was taught
    assert right_TA[~taught_T].mean() < 0.06
    said_false_TBU = tasks.verdict_q16_TBU[:, :6] > 32_768
    is_false_TU = np.arange(world.UNIVERSE)[None, :] != tasks.truth_T[:, None]
    assert abs((said_false_TBU == is_false_TU[:, None, :]).mean() - 0.95) < 0.01
    wrong_T = ~right_TA[:, 0] & ~right_TA[:, 1]
    assert abs((tasks.answer_TA[wrong_T, 0] == tasks.answer_TA[wrong_T, 1]).mean() - 0.21) < 0.03
    assert tasks.is_canary_T[:60].sum() == 40
    assert tasks.is_canary_T.sum() == 80


@pytest.mark.slow
def test_numpy_and_jax_play_the_same_run() -> None:
    tasks = [world.draw_tasks(economy.DEMO, PLAN, economy.SEATS, seed) for seed in range(3)]
    params = presets.demo()
    state = play.start(params, 8, 8, 600, 160)
    for i, log in enumerate(play.play_jax(params, state, tasks, PLAN.in_flight)):
        for one, other in zip(log, play.play_numpy(params, state, tasks[i], PLAN.in_flight), strict=True):
            assert np.array_equal(one, other)


def test_the_lines_of_the_demo_are_checked() -> None:
    fine = measure.Result(
        0.7, 1, 9, 9, 0.01, 0.3, np.array([9.0] * 6 + [-1, -2] + [9.0] * 6 + [-3, -4]), 0.0, 0, 1, 0, 0
    )
    assert all(measure.lines_met(economy.DEMO, fine).values())
    for broken in (
        fine._replace(coverage=0.59),
        fine._replace(wrong=9),
        fine._replace(untaught_wrong=0.06),
        fine._replace(honest_loss=0.02),
        fine._replace(supply_error=1),
        fine._replace(gain_N=fine.gain_N + 5),
    ):
        assert not all(measure.lines_met(economy.DEMO, broken).values())
