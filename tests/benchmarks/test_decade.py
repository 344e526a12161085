"""Ten years in days: conserved to the micro-token, equal to tasks settled one by one, moved by demand as claimed."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import decade
from benchmarks.economy import check, settling, years
from benchmarks.economy.days import HOLDERS, STAKERS, D, Day, G, compiled, compute_tip_micro
from benchmarks.economy.settling import Settling
from benchmarks.economy.years import (
    Assumed,
    _tell_year,
    compute_half_life,
    make_world,
    open_world,
    play,
    tell_years,
)
from consensus import presets
from consensus.rules.emission import draw_emission
from consensus.rules.fee import charge_fee, compute_base_fee
from consensus.rules.pot import compute_flat_fees, pay_pot, return_pot
from consensus.rules.supply import compute_supply_micro
from consensus.simulator import run
from consensus.simulator.loops import map_leaves
from consensus.simulator.metrics import Metrics
from consensus.simulator.sweep import Swept
from consensus.state import Round
from consensus.units import MICRO, SUPPLY_CAP_MICRO

LAW = presets.reference()
EVERYTHING_PAID = Settling(0.75, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # three of four accepted, no wagers, no slashes
USUAL = Settling(0.6, 0.63, 1.0, 0.03, 0.25, 0.001, 0.001, 1e-3)
BLOCKS = 24  # a day
STEADY = Assumed(BLOCKS * 12, elasticity=0.0, swing=0.0, priced=0.0, silence=0.0)
CASES = {
    "steady": (STEADY, EVERYTHING_PAID),
    "low": (Assumed(5.0), USUAL),
    "rest": (Assumed(BLOCKS * 64.0, swing=0.0), USUAL),
    "inelastic": (STEADY._replace(tasks_a_day=BLOCKS * 20.0), USUAL),
    "silent": (Assumed(BLOCKS * 12.0, silence=0.01, nodes=20), USUAL),
}
DAYS = 365


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(run.COMPILER_OPTIONS, "xla_backend_optimization_level", 0)
        yield
        compiled.cache_clear()


@pytest.fixture(scope="module")
def played(quick_compilation: None) -> dict[str, tuple]:
    """Every case side by side: its first books, its days, its last books."""
    opened = [open_world(LAW, assumed) for assumed, _ in CASES.values()]
    last, days = play([make_world(LAW, *case) for case in CASES.values()], opened, 86_400 / BLOCKS, DAYS)
    pick = lambda tree, k: map_leaves(lambda leaf: leaf[k], tree)
    return {name: (opened[k], pick(days, k), pick(last, k)) for k, name in enumerate(CASES)}


def test_supply_is_conserved_and_nothing_is_negative(played: dict[str, tuple]) -> None:
    for name, (_, days, last) in played.items():
        assert int(compute_supply_micro(last.network, last.nodes)) == SUPPLY_CAP_MICRO, name
        assert all((leaf >= 0).all() for leaf in (days.people_micro, days.treasury_micro, days.purse_micro)), name
        assert int(last.network.task_escrow_micro) == 0


def test_a_day_as_one_equals_its_tasks_one_by_one(played: dict[str, tuple]) -> None:
    """Every rule of the law called once a task, in plain order, three of four accepted."""
    books, days, _ = played["steady"]
    network, nodes = books.network, books.nodes
    zero, zeros_DG = np.int64(0), np.zeros((D, G), np.int64)
    everyone = lambda seats: np.full(seats, STAKERS, np.int64)
    done = burned_micro = 0
    for _ in range(BLOCKS):
        for _ in range(12):
            burned_micro += int(network.base_fee_micro)
            network, nodes = charge_fee(network, nodes, HOLDERS, np.int64(MICRO))
            network, emission_micro = draw_emission(LAW, network)
            flat_R = compute_flat_fees(LAW, MICRO + emission_micro, G, D)
            task = Round(zero, zero, np.int64(MICRO), emission_micro, flat_R, flat_R * 0, everyone(G), everyone(D),
                         zeros_DG[0], zeros_DG[0], everyone(D), zeros_DG, zeros_DG)  # fmt: skip
            accepted = zero if (done + 1) * 3 // 4 > done * 3 // 4 else zero - 1
            network, nodes, _ = pay_pot(LAW, network, nodes, task, accepted, STAKERS)
            network, nodes = return_pot(network, nodes, task, HOLDERS, accepted)
            done += 1
        network = network._replace(base_fee_micro=compute_base_fee(LAW, network.base_fee_micro, np.int64(12)))
    day = Day(*(int(leaf[0]) for leaf in days))
    assert (day.tasks, day.accepted) == (done, done * 3 // 4)
    assert day.base_fee_micro == int(network.base_fee_micro)
    assert day.burned_fees_micro == burned_micro == int(network.burned_micro)
    close = lambda ours, theirs: abs(ours - int(theirs)) < 3e-6 * int(theirs)  # a block's tasks share one E; floors
    assert close(day.emission_micro, books.network.reserve_micro - network.reserve_micro)
    assert close(day.purse_micro - int(books.network.purse_micro), network.purse_micro - books.network.purse_micro)
    gained = nodes.liquid_micro_N + nodes.bonded_micro_N + nodes.escrow_micro_N - books.nodes.bonded_micro_N
    assert close(day.fees_micro, gained[STAKERS])
    before_micro = int(books.network.treasury_micro)
    assert close(day.treasury_micro + day.canary_micro - before_micro, network.treasury_micro - before_micro)
    assert day.canary_micro == pytest.approx(0.05 * (burned_micro + day.tips_micro), rel=1e-4), (
        "abstained ones refunded"
    )


def test_demand_moves_the_base_fee(played: dict[str, tuple]) -> None:
    low, rest, inelastic = (played[name][1] for name in ("low", "rest", "inelastic"))
    assert low.base_fee_micro[-1] < 10 and low.burned_fees_micro[1:].sum() < low.tips_micro.sum() / 1_000
    tail = slice(200, None)
    assert abs(rest.tasks[tail].mean() / (16 * BLOCKS) - 1) < 0.02, "elastic demand rests at the target"
    assert abs(rest.base_fee_micro[-1] / rest.tip_micro[-1] / 3 - 1) < 0.3, "(64 / 16) = (1 + base / tip)"
    assert inelastic.base_fee_micro[10] > 1_000 * inelastic.base_fee_micro[0], "no rest point: a factor every day,"
    assert (inelastic.tasks[:10] == 480).all() and inelastic.tasks[-1] < 480, "until those who ask have nothing left"


def test_a_year_adds_up(played: dict[str, tuple]) -> None:
    for name, (books, days, _) in played.items():
        (year,) = tell_years(books, days)
        began = (SUPPLY_CAP_MICRO - int(books.network.reserve_micro)) / MICRO
        assert year.circulating == pytest.approx(began + year.net, rel=1e-9), name
        assert year.real == pytest.approx((1 + year.nominal) / (1 + year.net / began) - 1, rel=1e-9)
        assert year.askers < year.nominal
    assert tell_years(*played["silent"][:2])[0].nominal < 0, "slashes eat the pay"
    assert tell_years(*played["steady"][:2])[0].nominal > 0


def test_silence_costs_a_share_of_the_stake_and_half_of_it_burns(played: dict[str, tuple]) -> None:
    _, days, _ = played["silent"]
    missed = int(days.tasks[0]) * 20 * 0.01 // 1
    slash_micro = 0.3 * 1e8 * MICRO / 20 * int(LAW.non_reveal_slash_q16) / 65_536
    assert missed > 30 and days.lost_micro[0] == pytest.approx(missed * slash_micro, rel=0.005)
    assert days.burned_micro[0] - days.burned_fees_micro[0] == pytest.approx(days.lost_micro[0] / 2, rel=0.005)


def test_a_tip_is_a_value_or_an_amount() -> None:
    demand = make_world(LAW, Assumed(1.0), USUAL).demand
    nodes = open_world(LAW, Assumed(1.0, held=2e8)).nodes
    tips = [int(compute_tip_micro(demand._replace(priced=np.float64(power)), nodes)) for power in (0, 1)]
    assert tips == [MICRO, 2 * MICRO], "people hold twice as many tokens, so a value is twice as many"


def test_what_askers_pay_is_tips_and_what_burns() -> None:
    """A year in which half of the pots are tips, half of them emission, and a tenth of what is there burns."""
    still = {name: np.zeros(365, np.int64) for name in Day._fields}
    day = Day(**still)._replace(
        tasks=still["tasks"] + 1, fees_micro=still["tasks"] + 10, tips_micro=still["tasks"] + 50,
        emission_micro=still["tasks"] + 50, staked_micro=still["tasks"] + 10_000,
        reserve_micro=still["tasks"] + SUPPLY_CAP_MICRO - 1_100 * MICRO, burned_micro=still["tasks"] + 100 * MICRO,
    )  # fmt: skip
    year = _tell_year(Day(*(leaf.astype(float) for leaf in day)), 1_100 * MICRO, 0, 10_000)
    assert year.nominal == pytest.approx(1.001**365 - 1) and year.askers_share == 0.5
    assert year.askers == pytest.approx(1.0005**365 * 1.1 - 1)
    assert year.real == pytest.approx(1.001**365 * 1.1 - 1)


def test_break_even_is_sought_with_an_empty_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    (after,) = tell_years(open_world(LAW, STEADY), Day(**{name: np.full(1, 10**12) for name in Day._fields}))

    def look(worlds: list, books: list, *_: float) -> tuple:
        assert [int(one.network.reserve_micro) for one in books] == [0, 0]
        assert float(worlds[0].demand.tip_share * worlds[0].demand.held_micro) == pytest.approx(MICRO * 9.98)
        income = np.array([10.0, 1_000.0])[:, None] * np.ones(30)
        flat = {name: np.zeros((2, 30)) for name in Day._fields}
        return books, Day(**flat | {"fees_micro": income, "staked_micro": flat["tasks"] + 1e7})

    monkeypatch.setattr(years, "play", look)
    after = after._replace(treasury=1e6, purse=1e6)
    demands = np.array([100.0, 10_000.0])
    found, yields = years.find_break_even(LAW, Assumed(1.0), USUAL, after, 60.0, [0.0, 1e9], demands)
    assert found == [100.0, np.inf] and yields == pytest.approx([(1 + x / 1e7) ** 365 - 1 for x in (10, 1_000)])


def test_averages_leave_out_what_was_learned_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is accepted in the first half, half of the tasks in the second."""

    def fake(static: object, setting: object, seeds: range, rounds: int) -> Swept:
        sizes = {"K": 2, "R": 2, "X": 6, "O": 4, "OR": 8}
        shape = lambda name: (1, len(seeds), *([sizes[name.rpartition("_")[2]]] if name[-1].isupper() else []))
        sums = Metrics(**{name: np.zeros(shape(name), np.int64) for name in Metrics._fields})
        right_K = np.array([4 * (rounds - 10), 0])
        asked_K = np.array([8 * rounds, 0])
        return Swept(sums._replace(asked_K=sums.asked_K + asked_K, right_K=sums.right_K + right_K), None)

    monkeypatch.setattr(settling, "sweep", fake)
    mean, _ = settling.measure_settling(LAW, range(2), 10)
    assert mean.coverage == 0.5


def test_half_life() -> None:
    assert compute_half_life(LAW._replace(emission_rate_q32=np.int64(1_024))) == pytest.approx(2.907e6, rel=1e-3)


def test_averages_of_real_settlements_carry_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator, in plain loops: the base fee and its burning exact, the rest within its errors."""
    from consensus.simulator.sweep import sweep

    in_loops = lambda *arguments: sweep(*arguments, parallel="numpy")
    monkeypatch.setattr(settling, "sweep", in_loops)
    monkeypatch.setattr(check, "sweep", in_loops)
    mean, error = settling.measure_settling(LAW, range(3), 5)
    assert 0.3 < mean.coverage < 0.9 and mean.discriminator_paid == pytest.approx(1, abs=1e-5) and error.coverage > 0
    compared = {row.what: row for row in check.compare(LAW, mean, range(3, 6), 5)}
    assert compared["base fee at the end"].z == 0 and abs(compared["burned"].z) < 4
    for what in ("issued", "gained by nodes", "gained by the purse", "gained by the treasury"):
        spread = compared[what].error + abs(compared["issued"].simulated) * 0.2
        assert abs(compared[what].aggregate - compared[what].simulated) < 4 * spread, what


def test_the_study_writes_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(decade, "measure_settling", lambda *_: (USUAL, USUAL))
    monkeypatch.setattr(decade, "COMPILER_OPTIONS", {})
    monkeypatch.setattr(decade, "compare", lambda *_: [check.Compared("burned", 1.0, 1.1, 0.2)])
    out = tmp_path / "decade.json"
    given = ["--years", "1", "--rates", "8", "--seconds-a-block", "3600", "--json", str(out)]
    monkeypatch.setattr("sys.argv", ["decade", *given])
    decade.main()
    printed = capsys.readouterr().out
    assert "| burned | 1.000 | 1.100 ± 0.2 | -0.5 |" in printed and "**high**" in printed
    kept = json.loads(out.read_text())
    assert kept["years"]["base, rate 8"][0]["issued"] < kept["years"]["base, rate 1024"][0]["issued"]
    assert kept["break-even"]["base"]["yields"][0] < kept["break-even"]["base"]["yields"][-1]
    monkeypatch.setattr("sys.argv", ["decade", "--tables", str(out)])
    decade.main()
    assert capsys.readouterr().out == printed
    for wrong in (["--years", "0"], ["--rates", "5000"], ["--rounds", "0"], ["--json", str(tmp_path / "no" / "x")],
                  ["--tables", str(tmp_path / "none.json")]):  # fmt: skip
        monkeypatch.setattr("sys.argv", ["decade", *wrong])
        with pytest.raises(SystemExit):
            decade.main()
