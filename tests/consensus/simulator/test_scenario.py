"""Scenarios, designs and summaries: what a user writes becomes the setting that is meant, or one clear sentence."""

import numpy as np
import pytest

from consensus.presets import demo
from consensus.simulator.checks import check_run, select
from consensus.simulator.design import Axis, design, read_axes, stack_points
from consensus.simulator.ending import conclude
from consensus.simulator.networks import Group, make_network
from consensus.simulator.run import call, simulate
from consensus.simulator.scenario import change_law, make_scenario, read_scenario, replace_at
from consensus.simulator.setting import count_settings
from consensus.simulator.summary import summarise
from consensus.simulator.sweep import fit_batch, sweep
from consensus.simulator.world import start

GROUPS = [
    {"name": "g", "nodes": 3, "role": "generator"},
    {"name": "d", "nodes": 3, "role": "discriminator"},
]
PLAIN = {"name": "small", "rounds": 6, "seeds": 2, "network": {"tasks": 2, "lag": 2}, "groups": GROUPS}


def test_the_bundled_scenario_is_the_demos_network() -> None:
    plain = read_scenario(None)
    assert len(read_axes(plain["vary"])) == 2
    scenario = make_scenario(plain)
    assert scenario.groups == ("generators", "inflator", "copycat", "discriminators", "flag-all", "withholder")
    assert scenario.static.nodes == 17
    assert scenario.seeds == tuple(range(8))
    assert (scenario.setting.conduct.stake_micro_N[1:] == 600 * scenario.pot_micro).all()


def test_fractions_of_the_law_are_put_into_its_units() -> None:
    law = change_law(demo(), {"theta0_q16": 0.5, "tau_max_q12": 2.5, "wager_fees_R": [6, 70], "rho_q16_KR": 0.25})
    assert (law.theta0_q16, law.tau_max_q12) == (32_768, 10_240)
    assert law.wager_fees_R.tolist() == [6, 70]
    assert set(law.rho_q16_KR.ravel().tolist()) == {16_384}
    assert all(leaf.dtype == np.int64 for leaf in law)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lawn": {}}, "unknown key 'lawn': did you mean 'law'"),
        ({"law": {"theta_q16": 1}}, "did you mean 'theta0_q16'"),
        ({"law": {"jail_blocks": 0.5}}, "law.jail_blocks must be a whole number"),
        ({"law": {"wager_fees_R": [1, 2, 3]}}, "law.wager_fees_R must be numbers of shape"),
        ({"network": {"task": 3}}, "did you mean 'tasks'"),
        ({"network": {"load": "much"}}, "network.load is 'much': it must be a number"),
        ({"models": {"verifier_shred": 0.1}}, "did you mean 'verifier_shared'"),
        ({"groups": []}, "the network has no nodes"),
        ({"groups": [{"name": "g", "nodes": 3}]}, "groups.0 needs role"),
        ({"groups": [{"name": "g", "nodes": 3, "role": "judge"}]}, "role judge: choose one of generator"),
        ({"groups": [{"name": "g", "nodes": 3, "role": "generator", "policy": "flag-all"}]}, "the policy flag-all"),
        ({"groups": [*GROUPS, GROUPS[0]]}, "two groups have the same name"),
        ({"rounds": 0}, "rounds is 0"),
        ({"seeds": []}, "it must be a number of seeds"),
        ({"preset": "dmeo"}, "did you mean 'demo'"),
        ({"groups": [{**GROUPS[0], "stake_pots": 3.0e6}]}, "lower the stakes"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused_with_one_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_scenario({**PLAIN, **change})


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("law.slash_burn_q16", 70_000, "must be at most 65536"),
        ("law.wager_fees_R", [1, 60], "do not deter generators"),
        ("law.emission_rate_q32", 5_000, "below 2\\^12"),
        ("network.generator_seats", 0, "at least 1"),
        ("network.discriminator_seats", 2_000, "at most 1024 seats"),
        ("network.load", 1.5, "share in Q16"),
        ("network.sampling", "sorted", "choose one of auto"),
        ("groups.g.stake_pots", 0.0, "no generator has the minimum stake"),
    ],
)
def test_a_setting_outside_its_safe_range_is_refused_before_it_runs(path: str, value: object, sentence: str) -> None:
    scenario = make_scenario(replace_at(PLAIN, path, value))
    with pytest.raises(ValueError, match=sentence):
        check_run(scenario.static, scenario.setting, 0, 5)


def test_no_stake_at_all_no_nodes_and_a_bad_seed_are_refused() -> None:
    scenario = make_scenario(PLAIN)
    conduct = scenario.setting.conduct
    broke = scenario.setting._replace(conduct=conduct._replace(stake_micro_N=conduct.stake_micro_N * 0))
    with pytest.raises(ValueError, match="nobody has any stake"):
        check_run(scenario.static, broke, 0, 5)
    with pytest.raises(ValueError, match="0 nodes beside the asker"):
        check_run(scenario.static._replace(nodes=1), scenario.setting, 0, 5)
    with pytest.raises(ValueError, match="the seed is -1"):
        check_run(scenario.static, scenario.setting, -1, 5)
    short = scenario.setting._replace(law=demo()._replace(theta0_q16=np.int32(5)))
    with pytest.raises(ValueError, match="theta0_q16 must be int64"):
        check_run(scenario.static, short, 0, 5)


def test_all_nodes_jailed_abstain_and_the_run_goes_on() -> None:
    scenario = make_scenario(PLAIN)
    state = start(scenario.static, scenario.setting)
    jailed = state._replace(nodes=state.nodes._replace(jailed_until_N=state.nodes.jailed_until_N + (1 << 62)))
    later = simulate(scenario.static, scenario.setting, jailed, 1, 6, backend="numpy")
    assert later.metrics.opened == 12
    assert later.metrics.reason_X.tolist() == [0, int(later.metrics.asked_K.sum()), 0, 0, 0, 0]
    assert later.metrics.empty_R.tolist() == [5 * 8, 15 * 8]
    assert later.metrics.supply_error_max_micro == 0


def test_a_leaf_that_lost_half_its_bits_is_noticed() -> None:
    assert call(lambda x: x + 1, np.int64(1 << 40)) == (1 << 40) + 1
    with pytest.raises(TypeError, match="left the simulator as int32"):
        call(lambda x: x.astype("int32"), np.int64(5))


def test_designs_visit_what_they_promise() -> None:
    axes = [Axis("a", values=(1, 2, 3)), Axis("b", low=0.0, high=1.0), Axis("c", low=1, high=1_000, log=True)]
    assert len(design(axes[:1] + axes[1:2], "grid", 0)) == 15
    latin = design(axes, "latin", 40, seed=3)
    assert sorted(int(point["b"] * 40) for point in latin) == list(range(40))
    assert all(isinstance(point["c"], int) for point in latin)
    assert 15 < sum(point["c"] < 32 for point in latin) < 25
    assert design(axes, "random", 7, seed=1) == design(axes, "random", 7, seed=1)
    assert design(axes, "random", 7, seed=1) != design(axes, "random", 7, seed=2)
    for bad in ({"x": []}, {"x": 5}, {"x": {"low": 2, "high": 1}}, {"x": {"low": 0, "high": 1, "log": True}}):
        with pytest.raises(ValueError, match="vary x"):
            read_axes(bad)
    with pytest.raises(ValueError, match="nothing varies"):
        design([], "grid", 0)
    with pytest.raises(ValueError, match="choose 1 to"):
        design(axes, "random", 10**6)


def test_points_share_what_does_not_vary() -> None:
    points = [{"law.theta0_q16": 0.7, "groups.d.stake_pots": 300}, {"law.theta0_q16": 0.9, "groups.d.stake_pots": 600}]
    scenario, batch = stack_points(PLAIN, points)
    assert batch.law.theta0_q16.shape == (2,)
    assert batch.conduct.stake_micro_N.shape == (2, 7)
    assert batch.conduct.policy_NR.shape == (7, 2)
    assert select(batch, 1).law.theta0_q16 == round(0.9 * 65_536)
    for alike in ([{}, {}], [{"law.theta0_q16": 0.7}, {"law.theta0_q16": 0.700_001}]):
        assert count_settings(stack_points(PLAIN, alike)[1]) == 2, "points that come to the same are still two"
    with pytest.raises(ValueError, match="changes the sizes"):
        stack_points(PLAIN, [{"groups.d.nodes": 3}, {"groups.d.nodes": 4}])
    with pytest.raises(ValueError, match=r"at law\.jail_blocks = 0\.5: law\.jail_blocks must be"):
        stack_points(PLAIN, [{"law.jail_blocks": 0.5}])
    for path, words in (("groups.x.nodes", "there is no group 'x'"), ("lwa.x", "names nothing")):
        with pytest.raises(ValueError, match=words):
            stack_points(PLAIN, [{path: 1}])
    assert scenario.name == "small"


def test_a_summary_reads_as_the_sums_say() -> None:
    scenario = make_scenario(PLAIN)
    static, setting = scenario.static, scenario.setting
    state = simulate(static, setting, start(static, setting), 3, 20, backend="numpy")
    ending = conclude(static, setting, state)
    figures = summarise(state.metrics, ending, setting, scenario.pot_micro, scenario.kinds, scenario.groups)
    m = state.metrics
    assert figures["tasks"] == m.asked_K.sum() == 36
    assert figures["coverage"] == pytest.approx((m.right_K + m.wrong_K).sum() / 36)
    assert figures["coverage.untaught"] == pytest.approx((m.right_K + m.wrong_K)[1] / m.asked_K[1])
    assert figures["gain.d"] == pytest.approx(ending.gain_micro_O[2] / 3 / scenario.pot_micro)
    assert figures["gain.d"] - figures["net.d"] == pytest.approx(m.effort_micro_OR[5] / 3 / scenario.pot_micro)
    assert figures["gain.g"] == pytest.approx(figures["fees.g"] + figures["wagers.g"] + figures["slashed.g"])
    assert sum(value for name, value in figures.items() if name.startswith("share: ")) == pytest.approx(1)
    assert figures["issued_pots"] > 0
    assert all(isinstance(value, float) for value in figures.values())


def test_a_sweep_larger_than_memory_is_split_or_refused() -> None:
    static, setting = make_network(demo(), [Group("both", 20, "both")], tasks=2)
    few = fit_batch(static, setting, 10_000, 100 << 20)
    assert 1 <= few < fit_batch(static, setting, 10_000, 200 << 20)
    with pytest.raises(ValueError, match="does not fit into 0 MiB"):
        sweep(static, setting, (1,), 5, memory_bytes=10_000)
    with pytest.raises(ValueError, match="at least one seed"):
        sweep(static, setting, (), 5)
    shares = setting._replace(law=setting.law._replace(theta0_q16=np.array([50_000, 70_000])))
    with pytest.raises(ValueError, match=r"setting 1 of 2: theta0_q16 .* at most 65536"):
        sweep(static, shares, (1,), 5)
    uneven = shares._replace(demand=setting.demand._replace(load_q16=np.array([1, 2, 3])))
    with pytest.raises(ValueError, match="give every one the same number"):
        sweep(static, uneven, (1,), 5)
