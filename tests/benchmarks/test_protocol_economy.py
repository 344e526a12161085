"""The benchmark that chose the demo's parameters still plays the law: a small network with few questions."""

import numpy as np
import pytest

from benchmarks import protocol_economy as economy
from consensus import presets


def test_a_short_run_on_numpy_conserves_supply_and_pays_honest_nodes() -> None:
    network = economy.Network(presets.demo())
    runs = economy.run(network, seeds=2, rounds=60, in_flight=3, use_numpy=True)
    assert all(one["supply_error_micro"] == 0 for one in runs)
    mean = lambda figure: np.mean([one[figure] for one in runs])
    honest = min(mean("gain.honest G"), mean("gain.honest D"))
    liars = max(mean("gain.G 0 inflator"), mean("gain.G 1 copycat"), mean("gain.D 0 flag-all"), mean("gain.D 1 silent"))
    assert honest > 0 > liars
    assert "D 1 silent -" in economy.describe("demo", runs)


def test_every_network_of_a_table_is_one_that_the_law_can_bear() -> None:
    for table in (economy.list_networks, economy.list_ablations, economy.list_reference):
        for network in table().values():
            presets.check_params(network.law)


def test_the_lines_of_the_demo_are_checked() -> None:
    fine = {
        **{"coverage.taught": 0.7, "wrong_of_asked.untaught": 0.01, "supply_error_micro": 0.0},
        **{"worst.honest G": -1.0, "worst.honest D": 2.0, "gain.honest G": 9.0, "gain.honest D": 9.0},
        **{"gain.G 0 inflator": -1.0, "gain.D 1 silent": -2.0, "gain.D 0 honest": 8.0},
    }
    met = economy.lines_met(fine)
    assert all(met.values())
    assert set(met) >= {"inflator loses, and against honest", "silent loses, and against honest"}
    for change in (
        {"coverage.taught": 0.59},
        {"wrong_of_asked.untaught": 0.06},
        {"worst.honest D": -6.1},
        {"supply_error_micro": 1.0},
        {"gain.G 0 inflator": 0.1},
        {"gain.honest D": -3.0},
    ):
        assert not all(economy.lines_met({**fine, **change}).values()), change


@pytest.mark.slow
def test_numpy_and_jax_play_the_same_run() -> None:
    network = economy.Network(presets.demo())
    one, other = (economy.run(network, 2, 20, 3, use_numpy) for use_numpy in (True, False))
    assert one == other
