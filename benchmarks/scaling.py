"""Messages, bytes and seconds a task from 10 to 10,000 nodes, and whether answers stay as good.

    python -m benchmarks.scaling --json scaling.json          # about five minutes of CPU; tables of docs/ECONOMICS.md
    python -m benchmarks.scaling --nodes 10 100 --rounds 20 --seeds 2

Bytes are those of the ledger's encoders, and of a small real ledger beside them; who sits and who reveals comes from
the simulator; seconds from a stated model of the network (economy/gossip.py). Every size is set beside a network in
which all nodes answer and judge.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.economy.crowds import Crowd, expect_candidates, teach, watch
from benchmarks.economy.gossip import NetworkModel, Timing, Windows, measure_timing
from benchmarks.economy.messages import Cost, Sizes, count_task, measure_sizes, weigh_ledger
from benchmarks.kept import check_target, print_tables, write_figures
from benchmarks.ledger import play
from consensus import presets
from consensus.simulator.run import COMPILER_OPTIONS
from consensus.state import Params
from consensus.units import Q16

NODES = (10, 30, 100, 300, 1_000, 3_000, 10_000)
MOST_NODES = 100_000
COMMITTEE_VOTES = 128  # R12
TASKS_A_BLOCK = 16  # the target
HASH_BYTES = 34  # of a message announced to a neighbour, of a transaction named in a block
SCHOOL_ROUNDS = 250
WINDOWS = {"reference, 4 4 4 4 2": Windows(4, 4, 4, 4, 2), "short reveals, 4 1 4 1 1": Windows(4, 1, 4, 1, 1),
           "demo, 1 1 1 1 1": Windows(1, 1, 1, 1, 1)}  # fmt: skip


def study(law: Params, sizes_N: list[int], seeds: int, rounds: int, model: NetworkModel) -> dict[str, Any]:
    """Every figure, plain data."""
    sizes = measure_sizes()
    canary, audit = (int(rate) / Q16 for rate in (law.canary_rate_q16, law.random_audit_rate_q16))
    school = teach(law, SCHOOL_ROUNDS)
    rows = []
    for nodes in sizes_N:
        known = watch(law, nodes, range(seeds), rounds, school)
        fresh = watch(law, nodes, range(seeds), rounds, None)
        mean = Crowd(*np.mean(known, axis=0))
        committee = count_task(sizes, mean.generators, mean.discriminators, mean.candidates, canary, audit)
        everyone = count_task(sizes, nodes, nodes, expect_candidates(nodes), canary, audit)
        rows.append(
            {
                "nodes": nodes,
                "crowd": mean._asdict(),
                "crowd errors": Crowd(*(np.std(known, axis=0, ddof=1) / seeds**0.5))._asdict(),
                "fresh": Crowd(*np.mean(fresh, axis=0))._asdict(),
                "committee": committee._asdict(),
                "everyone": everyone._asdict(),
                "votes": {"all": nodes * sizes.vote, "committee": min(nodes, COMMITTEE_VOTES) * sizes.vote},
                "traffic": _count_traffic(model, sizes, nodes, committee),
                "seconds": _time_all(model, sizes, nodes, committee, everyone, seeds),
            }
        )
    return {"sizes": sizes._asdict(), "model": model._asdict(), "rounds": rounds, "seeds": seeds, "rows": rows}


def _count_traffic(model: NetworkModel, sizes: Sizes, nodes: int, cost: Cost) -> dict[str, float]:
    """Bytes a task that a node receives and that cross all lines, votes by the committee included.

    A message is announced to a node by every neighbour, fetched once, and named by its hash in the block.
    """
    votes = min(nodes, COMMITTEE_VOTES) / TASKS_A_BLOCK
    neighbours = min(model.neighbours, nodes - 1)
    messages = cost.messages + votes
    received = cost.bytes + votes * sizes.vote + messages * HASH_BYTES * (neighbours + 1) + sizes.header / TASKS_A_BLOCK
    return {"a node": received, "all nodes": received * nodes}


def _time_all(
    model: NetworkModel, sizes: Sizes, nodes: int, committee: Cost, everyone: Cost, seeds: int
) -> dict[str, dict[str, list[float]]]:
    """Median, lowest and highest of `Timing` over the seeds, for each choice of windows and for everyone."""
    out = {}
    cases = {name: (windows, committee) for name, windows in WINDOWS.items()}
    cases["everyone answers, 4 4 4 4 2"] = (WINDOWS["reference, 4 4 4 4 2"], everyone)
    for name, (windows, cost) in cases.items():
        block_bytes = sizes.header + TASKS_A_BLOCK * cost.bytes
        largest = max(sizes.answer_reveal, sizes.verdict_reveal + 5 * sizes.verdict)
        each = [measure_timing(model, windows, nodes, block_bytes, largest, seed) for seed in range(seeds)]
        out[name] = {
            field: [float(f(values)) for f in (np.median, np.min, np.max)]
            for field, values in zip(Timing._fields, zip(*each, strict=True), strict=True)
        }
    return out


def weigh(tasks: int) -> dict[str, Any]:
    """A small real ledger: messages and bytes a task by kind."""
    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), tasks, in_flight=8)
        kinds, rest = weigh_ledger(Path(folder))
    per_task = {kind: {"a task": count / tasks, "bytes": size} for kind, (count, size) in kinds.items()}
    return {"tasks": tasks, "kinds": per_task, "other bytes a block": rest}


def tables(kept: dict[str, Any]) -> str:
    """The tables of docs/ECONOMICS.md."""
    lines = ["| message | bytes by the encoders | a task in a real ledger | its mean bytes |", "|---|---|---|---|"]
    real = kept["ledger"]["kinds"]
    for name, size in kept["sizes"].items():
        seen = f"{real[name]['a task']:.2f} | {real[name]['bytes']:.0f}" if name in real else " | "
        lines.append(f"| {name.replace('_', ' ')} | {size} | {seen} |")
    lines += ["", "| nodes | distinct G + D | messages | kB | everyone: messages | kB | finality, all, kB a block |"
              " of 128 | a node hears, kB a task | all lines, MB a task |", "|---|" + "---|" * 9]  # fmt: skip
    for row in kept["rows"]:
        crowd, one, every = row["crowd"], row["committee"], row["everyone"]
        cells = [f"{crowd['generators']:.1f} + {crowd['discriminators']:.1f}", f"{one['messages']:.1f}"]
        cells += [f"{one['bytes'] / 1e3:.1f}", f"{every['messages']:,.0f}", f"{every['bytes'] / 1e3:,.0f}"]
        cells += [f"{row['votes'][who] / 1e3:,.1f}" for who in ("all", "committee")]
        cells += [f"{row['traffic']['a node'] / 1e3:.1f}", f"{row['traffic']['all nodes'] / 1e6:,.2f}"]
        lines.append(f"| {row['nodes']:,} | {' | '.join(cells)} |")
    lines += ["", *_seconds_table(kept["rows"]), "", *_quality_table(kept["rows"])]
    return "\n".join(lines)


def _seconds_table(rows: list[dict[str, Any]]) -> list[str]:
    names = list(rows[0]["seconds"])
    lines = [f"| nodes | block reaches a node, s | {' | '.join(f'{n}: block, to settle, s' for n in names)} |",
             "|---|---|" + "---|" * len(names)]  # fmt: skip
    for row in rows:
        cells = [f"{row['seconds'][names[0]]['block_s'][0]:.2f}"]
        for name in names:
            block, settle = row["seconds"][name]["shortest_block_s"], row["seconds"][name]["settle_s"]
            cells.append(f"{block[0]:.2f}, {settle[0]:.0f} ({settle[1]:.0f} to {settle[2]:.0f})")
        lines.append(f"| {row['nodes']:,} | {' | '.join(cells)} |")
    return lines


def _quality_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| nodes | coverage, nodes known | wrong of asked, % | seats revealed | coverage, nobody known |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        c, e = row["crowd"], row["crowd errors"]
        cells = [f"{c['coverage']:.3f} ± {e['coverage']:.3f}"]
        cells += [f"{100 * c['wrong_of_asked']:.2f} ± {100 * e['wrong_of_asked']:.2f}"]
        cells += [f"{c['revealed']:.1f} of {c['seats']:.1f}", f"{row['fresh']['coverage']:.3f}"]
        lines.append(f"| {row['nodes']:,} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(NODES))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=40, help="of eight tasks, for each size and seed")
    parser.add_argument("--tasks", type=int, default=40, help="of the small real ledger")
    parser.add_argument("--json", type=Path, help="where everything goes")
    parser.add_argument("--tables", type=Path, help="print the tables of this JSON and measure nothing")
    options = parser.parse_args()
    check_target(parser, options.json)
    if options.tables:
        print_tables(parser, options.tables, ["ledger"], tables)
        return
    if max(options.nodes) > MOST_NODES:
        parser.error(f"choose networks of at most {MOST_NODES:,} nodes: shortest paths between them are held in memory")
    if min(options.nodes) < 3 or options.seeds < 2 or min(options.rounds, options.tasks) < 1:
        parser.error("choose networks of 3 nodes or more, 2 seeds or more, and at least one round and task")
    COMPILER_OPTIONS["xla_backend_optimization_level"] = 0  # every size compiles anew and plays little: the same bits
    kept = study(presets.reference(), options.nodes, options.seeds, options.rounds, NetworkModel())
    kept["ledger"] = weigh(options.tasks)
    if options.json:
        write_figures(options.json, kept)
    print(tables(kept))


if __name__ == "__main__":
    main()
