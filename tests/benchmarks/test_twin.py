"""The twin's bookkeeping: a run's own figures, what z says, and a twin with the run's cast and money."""

import numpy as np
import pytest

from benchmarks.twin import compare, count_real, find_dials, make_twin, tell
from consensus.presets import q16
from consensus.simulator.measuring import Opinion, Seen
from consensus.simulator.run import simulate
from consensus.simulator.world import start
from deslm.demo.cast import Member
from deslm.demo.observe import observe
from tests.deslm.demo.small_run import finish, make_company, make_setting


def test_a_run_and_its_twin(tmp_path) -> None:
    setting = make_setting(tmp_path / "run")
    played = finish(setting, make_company(setting))
    twin = make_twin(observe(setting.folder.root))
    real, summary = count_real(twin), played.summary
    assert real["taught: abstained"] == pytest.approx(1 - summary["consensus"]["coverage"])
    assert real["taught: accepted wrong"] == pytest.approx(summary["consensus"]["wrong_accepted"] / 40)
    unknown = summary["unknown_subjects"]
    assert real["untaught: accepted wrong"] == pytest.approx(unknown["accepted_wrong"] / 8)
    assert real["audited"] == pytest.approx(summary["audit_rate"])
    gain = {node["name"]: node["stake_after"] - node["stake_before"] for node in summary["nodes"]}
    assert np.sign(real["gain: inflator"]) == np.sign(gain["inflator"])
    assert real["gain: withholder"] / real["gain: flagger"] == pytest.approx(gain["withholder"] / gain["flagger"])

    conduct = twin.setting.conduct
    before = {node["name"]: node["stake_before"] for node in summary["nodes"]}
    assert sorted(conduct.stake_micro_N[1:] / 1e6) == pytest.approx(sorted(before.values()))
    state = simulate(twin.static, twin.setting, start(twin.static, twin.setting), seed=0, rounds=12, backend="numpy")
    assert state.metrics.asked_K.sum() == 12 - twin.static.lag and state.metrics.supply_error_max_micro == 0


def test_z_is_in_deviations_of_one_run() -> None:
    seeds = np.array([1.0, 3.0, 5.0])
    (row,) = compare([{"x": 5.0}, {"x": 1.0}], [{"x": seeds}, {"x": seeds}])
    assert row["z"] == [1.0, -1.0] and row["z_all"] == 0.0 and row["twin"] == [3.0, 3.0]
    assert row["p_all"] == 1.0
    assert "| x | 5, 1 | 3, 3 | 2, 2 | 1, -1 | +0.00 | 1.00 |" in tell([row])


def test_p_is_the_chance_of_what_is_as_far_out() -> None:
    """Jailed in 9 of 10 seeds: one run that is not is 3 deviations off, and no wonder."""
    seeds = np.array([-20.0] * 9 + [-6.0])
    (row,) = compare([{"x": -6.0}], [{"x": seeds}])
    assert row["z_all"] > 2.5 and abs(row["p_all"] - 0.2) < 0.02
    (row,) = compare([{"x": -5.0}], [{"x": seeds}])
    assert row["p_all"] == 0.0


def test_the_copycat_is_as_sure_as_it_was_in_the_run() -> None:
    said = [Opinion("q", "copycat", "", "x", 0.9, False), Opinion("q", "gen-1", "m", "x", 0.4, True)]
    seen = Seen((), tuple(said), ())
    assert find_dials(Member("copycat", "generator", "copycat", ""), seen) == (0, 0, q16(0.9))
    assert find_dials(Member("gen-1", "generator", "honest", "m"), seen) == ()
