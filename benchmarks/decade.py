"""Ten years of supply, issuance, burn and yields under low, base and high demand, and under other emission rates.

    python -m benchmarks.decade --json decade.json            # about two minutes of CPU; tables of docs/ECONOMICS.md
    python -m benchmarks.decade --years 1 --rates 1024 --seeds 2             # a look

Every block is played by the law's own functions (benchmarks/economy/days.py); what settling does to a task is first
measured in the simulator, and the aggregate is compared with it (economy/check.py). Deterministic.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.economy.check import compare
from benchmarks.economy.days import D, G
from benchmarks.economy.settling import Settling, measure_settling
from benchmarks.economy.years import (
    DAYS_A_YEAR,
    Assumed,
    Year,
    compute_half_life,
    compute_silence_limit,
    find_break_even,
    make_world,
    open_world,
    play,
    tell_years,
)
from benchmarks.kept import check_target, print_tables, write_figures
from consensus import presets
from consensus.simulator.loops import map_leaves
from consensus.simulator.run import COMPILER_OPTIONS
from consensus.state import Params
from consensus.units import MICRO, SUPPLY_CAP_MICRO

DEMANDS = {"low": 1_000.0, "base": 10_000.0, "high": 40_000.0}  # tasks a day at a base fee of 0
RATES = (1, 8, 32, 64, 256, 1_024)
BREAK_EVEN_DEMANDS = np.geomspace(10, 1e6, 25)
SEATS = G + D
MOST_RATE = 1 << 12  # the emission of a task is less than so much of 2^32 of the reserve


def with_rate(law: Params, rate: int) -> Params:
    """The law with another emission rate."""
    return law._replace(emission_rate_q32=np.int64(rate))


def list_cases(law: Params, rates: tuple[int, ...]) -> dict[str, tuple[Params, Assumed]]:
    """Every scenario under every rate, and the high one with other assumptions under the law's own rate."""
    own = int(law.emission_rate_q32)
    cases = {
        f"{name}, rate {rate}": (with_rate(law, rate), Assumed(tasks))
        for rate in dict.fromkeys((own, *rates))
        for name, tasks in DEMANDS.items()
    }
    high, base = Assumed(DEMANDS["high"]), Assumed(DEMANDS["base"])
    others = {
        "high, elasticity 0.5": high._replace(elasticity=0.5),
        "high, elasticity 2": high._replace(elasticity=2.0),
        "high, no swing over the day": high._replace(swing=0.0),
        "base, 30 % more every year": base._replace(growth=1.3),
        "base, half of the stake": base._replace(staked=0.15),
        "base, tip 0.1": base._replace(tip=0.1),
        "base, a tip is one token for ever": base._replace(priced=0.0),
        "base, silence 0.001": base._replace(silence=1e-3),
    }
    return cases | {name: (law, assumed) for name, assumed in others.items()}


def study(law: Params, settling: Settling, rates: tuple[int, ...], seconds: float, years: int) -> dict[str, Any]:
    """The years of every case, plain data."""
    cases = list_cases(law, rates)
    books = [open_world(*case) for case in cases.values()]
    worlds = [make_world(one, assumed, settling) for one, assumed in cases.values()]
    _, days = play(worlds, books, seconds, years * DAYS_A_YEAR)
    told: dict[str, list[Year]] = {}
    for k, name in enumerate(cases):
        told[name] = tell_years(books[k], map_leaves(lambda leaf, k=k: leaf[k], days))
    own = int(law.emission_rate_q32)
    out: dict[str, Any] = {
        "rate": own,
        "half-life, accepted tasks": {str(r): compute_half_life(with_rate(law, r)) for r in (own, *rates)},
        "years": {name: [year._asdict() | {"net": year.net} for year in each] for name, each in told.items()},
        "break-even": {},
        "silence that eats all pay": {},
    }
    for name, tasks in DEMANDS.items():
        each = told[f"{name}, rate {own}"]
        targets = [each[0].real, 0.01, 0.03, 0.05]
        found, curve = find_break_even(law, Assumed(tasks), settling, each[-1], seconds, targets, BREAK_EVEN_DEMANDS)
        out["break-even"][name] = {"targets": targets, "tasks a day": found, "yields": curve}
        limits = [
            compute_silence_limit(law, Assumed(tasks), settling, year.stake, _pot(law, year), SEATS)
            for year in (each[0], each[-1])
        ]
        out["silence that eats all pay"][name] = limits
    out["break-even"]["demands"] = [float(x) for x in BREAK_EVEN_DEMANDS]
    return out


def _pot(law: Params, year: Year) -> float:
    """Tokens in a pot at a year's end."""
    return year.tip + year.reserve * int(law.emission_rate_q32) / 2**32


def tables(kept: dict[str, Any]) -> str:
    """The tables of docs/ECONOMICS.md."""
    lines = ["| a task, on average | | one standard error |", "|---|---|---|"]
    lines += [f"| {name} | {value:.4f} | {kept['errors'][name]:.4f} |" for name, value in kept["settling"].items()]
    lines += ["", "| moved in the same blocks | aggregate | simulator | z |", "|---|---|---|---|"]
    for row in kept["check"]:
        z = f"{row['z']:+.1f}" if row["error"] else "equal" if row["z"] == 0 else "differs"
        lines.append(
            f"| {row['what']} | {row['aggregate']:,.3f} | {row['simulated']:,.3f} ± {row['error']:.2g} | {z} |"
        )
    for name in DEMANDS:
        lines += ["", f"**{name}** ({DEMANDS[name]:,.0f} tasks a day at a base fee of 0)", ""]
        lines += _year_table(kept["years"][f"{name}, rate {kept['rate']}"])
    lines += ["", *_rate_table(kept), "", *_other_table(kept), "", *_break_even_table(kept)]
    return "\n".join(lines)


def _year_table(years: list[dict[str, float]]) -> list[str]:
    lines = [
        "| year | tasks | tip | base fee | issued | burned | net | circulating | reserve | treasury | purse |"
        " nominal | real | by askers |",
        "|---|" + "---|" * 13,
    ]
    for number, y in enumerate(years, start=1):
        money = [y[k] for k in ("issued", "burned", "net", "circulating", "reserve", "treasury", "purse")]
        cells = [f"{y['tasks'] / 1e6:.2f} M", _fee(y["tip"]), _fee(y["base_fee"]), *map(_tokens, money)]
        cells += [_percent(y[k]) for k in ("nominal", "real", "askers")]
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return lines


def _rate_table(kept: dict[str, Any]) -> list[str]:
    """By emission rate: half-life, first pot, the first year's growth and yields, what is left."""
    lines = ["| rate | half-life, tasks | first pot | demand | growth in year 1 | real, years 1, 5, 10 |"
             " tips in pots, years 1, 10 | reserve after 1, 10 |", "|---|" + "---|" * 7]  # fmt: skip
    opening = Assumed(0.0)
    reserve = SUPPLY_CAP_MICRO / MICRO - opening.held - opening.treasury - opening.purse
    for rate, half in sorted(kept["half-life, accepted tasks"].items(), key=lambda item: -int(item[0])):
        for name in DEMANDS:
            years = kept["years"][f"{name}, rate {rate}"]
            first, last, middle = years[0], years[-1], years[min(4, len(years) - 1)]
            growth = first["net"] / (first["circulating"] - first["net"])
            pot = opening.tip + reserve * int(rate) / 2**32
            lines.append(
                f"| {rate} | {half / 1e6:,.1f} M | {pot:,.2f} | {name} | {_percent(growth)} |"
                f" {', '.join(_percent(y['real']) for y in (first, middle, last))} |"
                f" {_percent(first['askers_share'])}, {_percent(last['askers_share'])} |"
                f" {_tokens(first['reserve'])}, {_tokens(last['reserve'])} |"
            )
    return lines


def _other_table(kept: dict[str, Any]) -> list[str]:
    lines = ["| other assumptions | tasks, last year | base fee | burned | net | real, year 1, last | by askers |",
             "|---|" + "---|" * 6]  # fmt: skip
    for name, years in kept["years"].items():
        if ", rate " not in name:
            first, y = years[0], years[-1]
            cells = [f"{y['tasks'] / 1e6:.1f} M", _fee(y["base_fee"]), _tokens(y["burned"]), _tokens(y["net"])]
            cells += [f"{_percent(first['real'])}, {_percent(y['real'])}", _percent(y["askers"])]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _break_even_table(kept: dict[str, Any]) -> list[str]:
    lines = ["| tasks a day at which fees alone give | year 1's real yield | 1 % | 3 % | 5 % |"
             " silence that eats all pay, year 1, 10 |", "|---|" + "---|" * 5]  # fmt: skip
    for name in DEMANDS:
        one = kept["break-even"][name]
        cells = ["no demand does" if math.isinf(x) else f"{x:,.0f}" for x in one["tasks a day"]]
        cells[0] += f" ({_percent(one['targets'][0])})"
        silence = ", ".join(f"{x:.2g}" for x in kept["silence that eats all pay"][name])
        lines.append(f"| {name} | {' | '.join(cells)} | {silence} |")
    return lines


def _tokens(x: float) -> str:
    return f"{x / 1e6:,.2f} M" if abs(x) >= 1e4 else f"{x:,.3g}"


def _fee(x: float) -> str:
    return f"{x:.3g}"


def _percent(x: float) -> str:
    return f"{100 * x:,.0f} %" if abs(x) >= 0.1 else f"{100 * x:.2f} %"


def main() -> None:
    """Measure, play, print the tables, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds-a-block", type=float, default=60.0)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES), help="emission rates, of 2^32")
    parser.add_argument("--seeds", type=int, default=12, help="simulated networks that averages are measured in")
    parser.add_argument("--rounds", type=int, default=100, help="of eight tasks, in each half of a simulation")
    parser.add_argument("--json", type=Path, help="where everything goes")
    parser.add_argument("--tables", type=Path, help="print the tables of this JSON and measure nothing")
    options = parser.parse_args()
    check_target(parser, options.json)
    if options.tables:
        print_tables(parser, options.tables, ["settling"], tables)
        return
    if max(options.rates) >= MOST_RATE or options.rounds < 1:
        parser.error(f"choose rates below {MOST_RATE}, which is what the law allows, and 1 round or more")
    if options.years < 1 or not 0 < options.seconds_a_block <= 3_600 or min(options.rates) < 0 or options.seeds < 2:
        parser.error("choose 1 year or more, blocks of at most an hour, rates of 0 or more, and 2 seeds or more")
    COMPILER_OPTIONS["xla_backend_optimization_level"] = 0  # for the simulator, which plays little: the same bits
    law = presets.reference()
    settling, errors = measure_settling(law, range(options.seeds), options.rounds)
    seeds = range(options.seeds, 2 * options.seeds)
    compared = [row._asdict() | {"z": row.z} for row in compare(law, settling, seeds, options.rounds)]
    COMPILER_OPTIONS.clear()
    kept = study(law, settling, tuple(options.rates), options.seconds_a_block, options.years)
    kept |= {"settling": settling._asdict(), "errors": errors._asdict(), "check": compared}
    kept |= {"seconds a block": options.seconds_a_block}
    if options.json:
        write_figures(options.json, kept)
    print(tables(kept))


if __name__ == "__main__":
    main()
