"""The parameter study's own arithmetic, and the line that it drew: honest nodes of both roles earn alike."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parameters import figures, pareto, space, study, tables
from benchmarks.parameters.networks import LABELS, Played, Size, play, split_legal
from consensus import presets
from consensus.simulator import run
from consensus.simulator.ending import Ending
from consensus.simulator.metrics import Metrics
from consensus.simulator.sweep import Swept

GRID = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12)


@given(GRID)
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, ...]]) -> None:
    low_PM = np.array(points)
    front_P = pareto.find_front(low_PM)
    beats = lambda a, b: all(x <= y for x, y in zip(a, b, strict=True)) and a != b
    for point, is_on in zip(points, front_P.tolist(), strict=True):
        assert is_on == (not any(beats(other, point) for other in points))
    assert front_P.any()


def test_noise_is_no_domination() -> None:
    points, errors = np.array([[1.0, 1.0], [0.5, 1.0], [0.1, 1.1]]), np.full((3, 2), 0.2)
    better = pareto.clear_dominators(points, errors, np.array([1.0, 1.0]), np.zeros(2))
    assert better.tolist() == [False, True, False]  # the second by 2.5 errors; the third is worse in the other figure
    assert not pareto.clear_dominators(points, errors * 2, np.array([1.0, 1.0]), np.zeros(2)).any()


def test_rank_correlations_see_what_moves_a_figure() -> None:
    points = space.sample(64, seed=1)
    figure_P = np.array([-(point["theta0"] ** 3) for point in points])
    found = pareto.rank_correlations(points, figure_P)
    assert found["theta0"] == pytest.approx(-1)
    assert max(abs(value) for name, value in found.items() if name != "theta0") < 0.4
    assert set(pareto.rank_correlations(points, figure_P * 0).values()) == {0.0}


def test_a_ratio_of_means_and_its_error() -> None:
    rng = np.random.default_rng(0)
    below = rng.normal(10, 1, (400, 25))
    above = 1.5 * below + rng.normal(0, 1, below.shape)
    ratio = figures.compute_ratio(above, below)
    assert ratio.value.mean() == pytest.approx(1.5, abs=0.01)
    assert ratio.error.mean() == pytest.approx(ratio.value.std(), rel=0.1)  # what 400 repetitions really scatter by


def make_played(**leaves: Any) -> Played:
    """One setting and two seeds of a network in which nothing happened but this."""
    sizes = {"K": 2, "R": 2, "X": 6, "O": LABELS, "OR": 2 * LABELS}
    zeros = lambda name: np.zeros((1, 2, *([sizes[name.rpartition("_")[2]]] if name[-1].isupper() else [])), np.int64)
    metrics = Metrics(**{name: zeros(name) for name in Metrics._fields})
    ending = Ending(**{name: zeros(name) for name in Ending._fields})
    of = lambda part: {name: np.broadcast_to(leaf, zeros(name).shape) for name, leaf in leaves.items() if name in part}
    swept = Swept(metrics._replace(**of(Metrics._fields)), ending._replace(**of(Ending._fields)))
    return Played(swept, ["G honest", "D honest"], np.array([1_000]), purse_pots=160.0)


def test_what_a_right_answer_costs() -> None:
    played = make_played(
        asked_K=[80, 20], canary_K=[20, 0], right_K=[40, 5], wrong_K=[4, 1], audited=30, base_fee_micro=5
    )
    # 50 pots paid, 30 audits, 100 base fees of 1/200; of 40 right answers a quarter were canaries
    assert figures.compute_cost(played) == pytest.approx((50 + 30 * figures.AUDIT_POTS + 0.5) / (30 + 5))


def test_effort_is_priced_where_work_was_done() -> None:
    effort = np.zeros(2 * LABELS, dtype=np.int64)
    effort[2], effort[5] = 16_000, 32_000  # label 1 as generator, label 2 as discriminator: 16 and 32 tasks worked on
    gain, nodes = np.zeros(LABELS, dtype=np.int64), np.ones(LABELS, dtype=np.int64)
    gain[1:3], nodes[1:3] = (8_000, 16_000), 8
    played = {"honest": make_played(asked_K=[50, 0], effort_micro_OR=effort, gain_micro_O=gain, nodes_O=nodes)}
    played |= {"cast": played["honest"], "idle": played["honest"]}
    (gross, cost), (_, other) = figures._gain(played["honest"], 1), figures._gain(played["honest"], 2)
    assert gross.tolist() == [[2.0, 2.0]]  # 8 pots of 8 nodes in 50 tasks
    assert cost == pytest.approx(np.full((1, 2), 4 * figures.EFFORT_POTS)) and other == pytest.approx(2 * cost)
    both = {f"gross honest: {role} honest": gross * share for role, share in (("G", 1), ("D", 2))}
    assert figures.compute_covered_effort(both, played) == {"G": pytest.approx(0.5), "D": pytest.approx(0.5)}


def test_small_and_large_are_compared_by_the_return_on_their_stakes() -> None:
    gains = {"gross unequal: G small": np.array([[1.0, 3.0]]), "gross unequal: G large": np.array([[16.0, 16.0]])}
    assert figures.compute_bias_of_size(gains, "G", 1 / 16).value.tolist() == [2.0]


def test_the_best_attacker_is_the_dishonest_group_that_gains_most() -> None:
    gain, ones = np.zeros(LABELS, dtype=np.int64), np.ones(LABELS, dtype=np.int64)
    gain[1:5] = (9_000, 9_000, -3_000, -1_000)
    one = make_played(asked_K=[50, 50], gain_micro_O=gain, nodes_O=ones, stake_micro_O=ones)
    one = one._replace(groups=["G honest", "D honest", "G inflator", "D lazy"])
    found = figures.measure({"cast": one, "idle": one, "honest": one})
    assert found["attacker"].tolist() == [[-1.0, -1.0]] == found["laziest"].tolist()


@pytest.mark.parametrize("dial", space.DIALS, ids=lambda dial: dial.name)
def test_a_dial_moves_its_own_number_and_nothing_else(dial: space.Dial) -> None:
    law = presets.demo()
    moved = space.make_law(law, {dial.name: dial.high})
    assert dial.get(moved) == pytest.approx(dial.high, abs=1e-4) or dial.name.startswith("share")
    others = {name: value for name, value in space.get_point(law).items() if name != dial.name}
    if not dial.name.startswith("share"):
        assert {name: space.get_point(moved)[name] for name in others} == others
    assert space.get_point(space.make_law(law, space.get_point(law))) == pytest.approx(space.get_point(law), abs=1e-4)


def test_shares_are_parts_of_one_pot() -> None:
    law = space.make_law(presets.demo(), {**study.OTHER_SHARES, **study.FORMER})
    parts = [int(leaf) for name, leaf in law._asdict().items() if name.startswith("pot_share")]
    assert parts == [320, 30, 500, 50, 100]
    assert (law.wager_fees_R.tolist(), int(law.reputation_floor_q16)) == ([6, 60], 4_096)
    with pytest.raises(ValueError, match="no parameter of the study is named theta"):
        space.make_law(law, {"theta": 1.0})


def test_refused_points_are_counted_and_not_played() -> None:
    laws = [space.make_law(presets.demo(), {"mu_D": mu}) for mu in (8, 60, 9)]
    assert split_legal(laws) == ([1], {"audits do not deter discriminators": 2})
    with pytest.raises(ValueError, match="no law to play"):
        play([], Size(3, 2, [0]))


FINE = {
    **{f"gain {network}: {role} honest": [1.0, 0.1] for network in study.NETWORKS for role in "GD"},
    **{"gain cast: G inflator": [-1.0, 0.1], "gain idle: D lazy": [-0.5, 0.1]},
    **{"fairness": [1.1, 0.1], "purse": [0.0, 1.0], "supply error": [0.0, 0.0]},
}


@pytest.mark.parametrize(
    ("figure", "value", "broken"),
    [
        ("gain idle: D lazy", 0.01, ["every attacker below 0"]),
        ("gain cast: G inflator", 1.2, ["every attacker below 0", "and below honest nodes"]),
        ("gain honest: D honest", -0.1, ["honest nodes gain"]),
        ("fairness", 1.21, ["roles within 20 %"]),
        ("fairness", 0.8, ["roles within 20 %"]),
        ("purse", -0.1, ["the purse does not shrink"]),
        ("supply error", 1.0, ["supply exact"]),
        ("purse", 3.0, []),
    ],
)
def test_every_line_can_be_broken(figure: str, value: float, broken: list[str]) -> None:
    assert study.list_broken_lines({**FINE, figure: [value, 0.1]}) == broken


def test_the_parts_run_and_their_tables_are_whole() -> None:
    cube = study.study_hypercube("demo", study.TINY, "numpy")
    assert len(cube["rows"]) == len(cube["points"]) > 0
    assert len(cube["points"]) + sum(cube["refused"].values()) == study.TINY.points
    found = study.study_front("demo", study.TINY, cube, "numpy")
    assert set(found["above and in line"]) <= set(found["above"]) <= set(range(len(cube["rows"])))
    compared = study.study_laws("demo", study.TINY, {"front 0": cube["points"][0]}, "numpy")
    text = tables.write_tables({"demo": {"hypercube": cube, "front": found, "laws": compared}})
    assert "| demo | chosen | former | shares 32, 3 | front 0 |" in text and "settings played" in text
    assert not set(study.reporting(50)) & set(study.selecting(study.SCALES["demo"]).seeds)


def test_honest_nodes_of_both_roles_earn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fairness line of docs/PARAMETERS.md at small size, with trained models; other shares break it."""
    monkeypatch.setitem(run.COMPILER_OPTIONS, "xla_backend_optimization_level", 0)
    monkeypatch.setitem(run.COMPILER_OPTIONS, "xla_cpu_use_fusion_emitters", False)
    presets_now = [presets.demo(), presets.reference()]
    laws = [*presets_now, *(space.make_law(law, study.OTHER_SHARES) for law in presets_now)]
    gains = figures.measure_gains(play(laws, Size(400, 3, study.reporting(8)), ["trained"]))
    for kind in ("gross", "gain"):
        ratio = figures.compute_fairness(gains, kind, "trained").value
        assert np.all((ratio[:2] > 1 / figures.MOST_UNFAIR) & (ratio[:2] < figures.MOST_UNFAIR)), ratio
        assert np.all(ratio[2:] < 1 / figures.MOST_UNFAIR), ratio
