"""What the notebook of the tokenomics picks from: points, and the front of two figures."""

import numpy as np

from benchmarks.economy.sweeps import CHEATS, Table, demo_network, find_front, get_returns, list_changes, make_fair
from consensus.simulator.design import stack_points


def test_the_front_is_what_nothing_beats_in_both() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 12, (2, 80)).astype(float)  # coarse, so that points of the front have equals
    front = find_front(x, y)
    beaten = lambda i: bool((((x <= x[i]) & (y <= y[i])) & ((x < x[i]) | (y < y[i]))).any())
    assert not any(beaten(i) for i in front) and np.all(np.diff(x[front]) > 0)
    assert all(beaten(i) or np.any((x[front] == x[i]) & (y[front] == y[i])) for i in range(80))


def test_points_change_one_thing_and_a_fair_network_has_no_cheats() -> None:
    points = list_changes({"law.theta0_q16": (0.7, 0.9), "law.beta_rate_shift": (3, 5)})
    assert points == [{}, *({"law.theta0_q16": x} for x in (0.7, 0.9)), *({"law.beta_rate_shift": x} for x in (3, 5))]
    scenario, settings = stack_points(demo_network(), [{}, make_fair(2_400)])
    conduct = settings.conduct
    assert conduct.policy_NR[0].any() and not conduct.policy_NR[1].any(), "honest is policy 0"
    stakes = np.unique(conduct.stake_micro_N[1]) / scenario.pot_micro
    np.testing.assert_allclose(stakes, [0, 600, 2_400], rtol=1e-6)


def test_returns_are_of_small_and_large_in_both_roles() -> None:
    names = ("return.generators", "return.discriminators", *(f"return.{n}" for pair in CHEATS.values() for n in pair))
    figures = np.array([[[1.0, 2.0, 3.0, 5.0, 7.0, 9.0]]])
    returns = get_returns(Table([{}], names, figures), 0)
    assert {name: float(value[0]) for name, value in returns.items()} == {
        "small generators": 1.0,
        "large generators": 4.0,
        "small discriminators": 2.0,
        "large discriminators": 8.0,
    }
