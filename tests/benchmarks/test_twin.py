"""The twin's bookkeeping: a run's own figures, what z says, and a twin with the run's cast and money."""

import numpy as np
import pytest

from benchmarks.twin import compare, count_real, make_twin, tell
from consensus.simulator.run import simulate
from consensus.simulator.world import start
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
    assert "| x | 5, 1 | 3, 3 | 2, 2 | 1, -1 | +0.00 |" in tell([row])
