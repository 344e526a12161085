"""What the law does to honest and dishonest nodes: synthetic agents with the skill of small models, played through it.

    python -m benchmarks.protocol_economy                     # the demo's network, 200 seeds: about a CPU-minute
    python -m benchmarks.protocol_economy --table networks    # other dishonest nodes, honest only, weaker models
    python -m benchmarks.protocol_economy --table ablations   # what each rule carries
    python -m benchmarks.protocol_economy --table reference --seeds 20   # 8 % audits over 3,000 tasks
    python -m benchmarks.protocol_economy --numpy --seeds 4 --rounds 60  # the ledger's NumPy path; the same bits

Runs on `consensus.simulator` (docs/SIMULATOR.md). One paragraph a setting, means over the seeds; gains are in pots a
node, with the worst node of a group in any run. "Met" is the share of runs in which a line of the demo holds.
"""

import argparse
import json
from typing import NamedTuple

import numpy as np

from consensus import presets
from consensus.presets import q16
from consensus.simulator.loops import map_leaves
from consensus.simulator.networks import FACTS, Group, Kind, Models, get_pot_micro, make_network
from consensus.simulator.summary import Summary, summarise
from consensus.simulator.sweep import sweep
from consensus.state import Params
from consensus.units import MICRO

HONEST_EACH = 6
GROUPS = 6  # of every network here, so that all share one compilation


class Network(NamedTuple):
    """One row of a table."""

    law: Params
    generators: tuple[str, ...] = ("inflator", "copycat")  # policies beside six honest nodes
    discriminators: tuple[str, ...] = ("flag-all", "silent")
    kinds: tuple[Kind, ...] = FACTS
    models: Models = Models()


def with_leaves(params: Params, **leaves: int | list) -> Params:
    """The parameters with some leaves replaced by plain numbers."""
    return params._replace(**{name: np.asarray(value, dtype=np.int64) for name, value in leaves.items()})


def list_networks() -> dict[str, Network]:
    """Networks that differ from the demo in who takes part or in how good the models are."""
    law = presets.demo()
    known = lambda **changes: (FACTS[0]._replace(**changes), FACTS[1]._replace(**changes))
    lured = known(lure=0.9)
    return {
        "demo": Network(law),
        "honest only": Network(law, ("honest", "honest"), ("honest", "honest")),
        "garbage, long con; lazy, approve-all": Network(law, ("garbage", "turning"), ("lazy", "approve-all")),
        "inflator, copycat; lazy, long con": Network(law, discriminators=("lazy", "turning")),
        "generators .65 on what they were taught": Network(law, kinds=known(accuracy=0.65)),
        "generators .80": Network(law, kinds=known(accuracy=0.80)),
        "verifiers .97 instead of .95": Network(law, models=Models(verifier_separation=3.8)),
        "wrong answers that cluster, theta0 .80": Network(law, kinds=lured),
        "wrong answers that cluster, theta0 .97": Network(with_leaves(law, theta0_q16=q16(0.97)), kinds=lured),
        "reference rho (.3, .5)": Network(law._replace(rho_q16_KR=presets.reference().rho_q16_KR)),
    }


def list_reference() -> dict[str, Network]:
    """The reference parameters, audits at 8 %, with the demo's cast and with another."""
    law = presets.reference()
    other = Network(law, ("garbage", "turning"), ("lazy", "turning"))
    return {"the demo's cast": Network(law), "garbage, long con; lazy, long con": other}


def list_ablations() -> dict[str, Network]:
    """The demo's network under a law with one piece taken out."""
    law = presets.demo()
    pieces: dict[str, dict[str, int | list]] = {
        "the law": {},
        "beta fixed at 1": {"beta_start_q16": 65536, "beta_rate_shift": 40},
        "beta fixed at 1/2": {"beta_rate_shift": 40},
        "no difficulty in tau": {"difficulty_slope_q12": 0},
        "no kappa": {"kappa_q12_K": [0, 0, 0, 0]},
        "no false-flag term (t = 1)": {"false_flag_threshold_q16": 65536},
        "no CUSUM": {"cusum_limit_q16": 1 << 40},
        "no reputation (f = 1)": {"reputation_floor_q16": 65536},
    }
    return {name: Network(with_leaves(law, **leaves)) for name, leaves in pieces.items()}


def run(network: Network, seeds: int, rounds: int, in_flight: int, use_numpy: bool) -> list[Summary]:
    """The figures of every seed; one task a round, so many rounds."""
    half = rounds // 2  # when a long con turns
    groups = [Group("honest G", HONEST_EACH, "generator")]
    groups += [
        Group(f"G {i} {policy}", 1, "generator", policy, dials=(half,)) for i, policy in enumerate(network.generators)
    ]
    groups += [Group("honest D", HONEST_EACH, "discriminator")]
    groups += [
        Group(f"D {i} {policy}", 1, "discriminator", policy, dials=(half,))
        for i, policy in enumerate(network.discriminators)
    ]
    law = with_leaves(network.law, target_tasks=1)
    static, setting = make_network(
        law, groups, network.kinds, network.models, purse_pots=160, tasks=1, lag=in_flight - 1
    )
    static = static._replace(groups=GROUPS + 1)
    swept = sweep(static, setting, range(seeds), rounds, parallel="numpy" if use_numpy else "jit")
    pot_micro = get_pot_micro(law, MICRO)
    names = [kind.name for kind in network.kinds], [group.name for group in groups]
    each = (map_leaves(lambda leaf, e=e: leaf[0, e], swept) for e in range(seeds))
    return [summarise(one.metrics, one.ending, setting, pot_micro, *names) for one in each]


def lines_met(figures: Summary) -> dict[str, bool]:
    """The lines that a demo run has to meet, as far as sums can tell."""
    met = {
        "coverage of taught >= .6": figures["coverage.taught"] >= 0.6,
        "untaught wrong <= 5 %": figures["wrong_of_asked.untaught"] <= 0.05,
        "no honest node loses > 1 %": min(figures["worst.honest G"], figures["worst.honest D"]) >= -6,
        "supply exact": figures["supply_error_micro"] == 0,
    }
    for name, gain in figures.items():
        kind, _, group = name.partition(".")
        if kind == "gain" and group[2:3].isdigit() and not group.endswith("honest"):
            met[f"{group[4:]} loses, and against honest"] = gain < min(0, figures[f"gain.honest {group[0]}"])
    return met


def describe(name: str, runs: list[Summary]) -> str:
    """One setting's figures in a few lines."""
    mean = lambda figure: float(np.mean([one[figure] for one in runs]))
    met = [lines_met(one) for one in runs]
    shares = {line: float(np.mean([one[line] for one in met])) for line in met[0]}
    gains = []
    for figure in runs[0]:
        kind, _, group = figure.partition(".")
        if kind == "gain":
            worst = min(one[f"worst.{group}"] for one in runs)
            gains.append(f"{group} {mean(figure):+.1f} (worst {worst:+.1f})")
    broken = [f"{line} {share:.3f}" for line, share in shares.items() if share < 1]
    asked = mean("tasks") * 0.75
    return "\n".join(
        [
            name,
            f"  every line met in {np.mean([all(one.values()) for one in met]):.3f} of runs"
            + (f"; not always: {', '.join(broken)}" if broken else ""),
            f"  taught: coverage {mean('coverage.taught'):.3f}, wrong {asked * mean('wrong_of_asked.taught'):.2f} of"
            f" {asked:.0f}; untaught wrong {100 * mean('wrong_of_asked.untaught'):.2f} %; right without the law: seat"
            f" {mean('seat'):.2f}, plurality {mean('plurality'):.2f}; audited {mean('audited'):.3f};"
            f" b {mean('base_rate'):.2f}; tau {mean('tau'):.2f}",
            f"  gains in pots: {', '.join(gains)}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=("demo", "networks", "ablations", "reference"), default="demo")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, help="tasks: 400, and 3,000 in the table reference")
    parser.add_argument("--numpy", action="store_true", help="play on NumPy, one run after the other")
    parser.add_argument("--json", help="write every setting's means here")
    arguments = parser.parse_args()
    tables = {
        "demo": lambda: {"demo": Network(presets.demo())},
        "networks": list_networks,
        "ablations": list_ablations,
        "reference": list_reference,
    }
    is_reference = arguments.table == "reference"
    in_flight = 2 if is_reference else 8
    rounds = arguments.rounds or (3_000 if is_reference else 400)
    means = {}
    for name, network in tables[arguments.table]().items():
        runs = run(network, arguments.seeds, rounds + in_flight - 1, in_flight, arguments.numpy)
        means[name] = {figure: float(np.mean([one[figure] for one in runs])) for figure in runs[0]}
        print(describe(name, runs), flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(means, file, indent=1)


if __name__ == "__main__":
    main()
