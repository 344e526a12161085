"""Speed of the simulator: the frozen benchmark market beside Mesa, radCAD and NumPy, and the whole law, in one run.

    python -m benchmarks.simulator                       # everything, on one pinned core
    python -m benchmarks.simulator --parts dense committee --json speed.json
    python -m benchmarks.simulator --parts device        # what a GPU does: state hash, and 4,096 settings x 4,096 nodes

CPU seconds (wall on an accelerator, and for two devices), medians of turns that all contestants take one after another.
A node-round is one node in one round; a committee counts all nodes, of which it looks at a few. Every contestant plays
the same rules to the same bits, which is checked first. Peers that are not installed are left out with a line that says
so: `pip install -e .[bench]`, and `pip install --no-deps radcad`.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before jax starts its threads
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    _cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, _cores[:1])
else:
    _cores = sorted(os.sched_getaffinity(0))

import jax
import numpy as np

from benchmarks.market import devices, whole_law
from benchmarks.market.timing import JaxPlayer, NumpyPlayer, copy_bandwidth
from benchmarks.turns import measure
from consensus.simulator.market import Market, make_setting, open_market
from consensus.simulator.market_play import digest, play, play_numpy, stack

SETTING = make_setting(seed=1)
LEAST_BYTES = 44  # read stake, good, bad, beta, skill; write the first four
Row = dict[str, Any]


def row(what: str, value: float, unit: str, goal: str = "", **more: Any) -> Row:
    """One line of the table and of the JSON."""
    return {"what": what, "value": round_to(value), "unit": unit, "goal": goal} | more


def dense(repeats: int) -> list[Row]:
    """All nodes in every round, against NumPy; bytes by XLA's account, and the share of the copy bandwidth.

    The least traffic is held against copying memory; beside it against copying as much as the state takes, which at
    2^14 and 2^16 nodes lies in a cache and is copied three times faster.
    """
    rows = []
    memory = copy_bandwidth(1 << 20, repeats)
    for nodes in (1 << 14, 1 << 16, 1 << 20):
        rounds = max(5, 6_000_000 // nodes)
        ours = JaxPlayer(SETTING, open_market(nodes), rounds)
        numpy = NumpyPlayer(SETTING, open_market(nodes), max(1, rounds // 12))
        seconds = measure({"jax": ours, "numpy": numpy}, repeats)
        rate, numpy_rate = nodes * rounds / seconds["jax"], nodes * numpy.rounds / seconds["numpy"]
        near = copy_bandwidth(nodes, repeats)
        goals = (">= 6", ">= .30") if nodes == 1 << 16 else ("", "")
        copies = {
            "same_size": round_to(LEAST_BYTES * rate / near),
            "copy": round_to(memory),
            "copy_same": round_to(near),
        }
        rows += [
            row(f"dense, N = {nodes}", rate, "node-rounds/s", nanoseconds=round_to(1e9 / rate)),
            row("  against NumPy dense", rate / numpy_rate, "x", goals[0], numpy=round_to(numpy_rate)),
            row("  least bytes at the copy bandwidth", LEAST_BYTES * rate / memory, "share", goals[1], **copies),
        ]
    compiled = JaxPlayer(SETTING, open_market(1 << 16), 1).compiled
    accessed = compiled.cost_analysis()["bytes accessed"] / (1 << 16)
    loops = compiled.as_text().count(" fusion(")
    return [*rows, row("  bytes a node-round, XLA's account", accessed, "bytes", "<= 120", fusions=loops)]


def mesa(repeats: int) -> list[Row]:
    """Against one Python object a node, N = 16k."""
    from benchmarks.market.mesa_peer import MesaMarket

    small = MesaMarket(SETTING, open_market(64))
    for _ in range(5):
        small.step()
    check_bits(small.result(), play_numpy(SETTING, open_market(64), 5), "Mesa")
    nodes, rounds = 1 << 14, 300
    peer, ours = MesaMarket(SETTING, open_market(nodes)), JaxPlayer(SETTING, open_market(nodes), rounds)
    seconds = measure({"jax": ours, "mesa": peer.step}, repeats)
    rate, peer_rate = nodes * rounds / seconds["jax"], nodes / seconds["mesa"]
    return [row("dense against Mesa, N = 16384", rate / peer_rate, "x", ">= 250", mesa=round_to(peer_rate))]


def radcad(repeats: int) -> list[Row]:
    """Against radCAD with NumPy state, N = 10k."""
    from benchmarks.market.radcad_peer import play_radcad

    check_bits(play_radcad(SETTING, open_market(64), 5), play_numpy(SETTING, open_market(64), 5), "radCAD")
    nodes, rounds, market = 10_000, 500, open_market(10_000)
    ours = JaxPlayer(SETTING, open_market(nodes), rounds)
    seconds = measure({"jax": ours, "radcad": lambda: play_radcad(SETTING, market, 30)}, repeats)
    rate, peer_rate = nodes * rounds / seconds["jax"], nodes * 30 / seconds["radcad"]
    return [row("dense against radCAD, N = 10000", rate / peer_rate, "x", ">= 15", radcad=round_to(peer_rate))]


def vmap(repeats: int) -> list[Row]:
    """64 settings of 1,024 nodes at once, against NumPy dense one setting after another."""
    nodes, rounds, settings = 1024, 100, [make_setting(seed=seed) for seed in range(64)]
    ours = JaxPlayer(stack(settings), stack([open_market(nodes)] * 64), rounds)
    peer = NumpyPlayer(SETTING, open_market(nodes), 100)
    seconds = measure({"jax": ours, "numpy": peer}, repeats)
    rate, peer_rate = 64 * nodes * rounds / seconds["jax"], nodes * 100 / seconds["numpy"]
    return [
        row("vmap of 64 settings, N = 1024", rate, "node-rounds/s"),
        row("  against NumPy dense, N = 1024", rate / peer_rate, "x", ">= 15", numpy=round_to(peer_rate)),
    ]


def committee(repeats: int) -> list[Row]:
    """64 seats drawn by the sum tree, against the same algorithm in NumPy, and 16 times the nodes.

    The cost of a round is the slope between two lengths: building the tree once is not part of it.
    """
    market = open_market(500)
    numpy = NumpyPlayer(SETTING, market, 5, 64)
    numpy()
    check_bits(numpy.result(), play(SETTING, market, 5, 64), "NumPy's committee")
    sizes = (1 << 16, 1 << 20)
    runs: dict[str, Any] = {}
    for nodes in sizes:
        runs |= {f"{nodes} {rounds}": JaxPlayer(SETTING, open_market(nodes), rounds, 64) for rounds in (1000, 4000)}
    runs |= {f"numpy {rounds}": NumpyPlayer(SETTING, open_market(sizes[0]), rounds, 64) for rounds in (20, 220)}
    seconds = measure(runs, repeats)
    small, large = ((seconds[f"{nodes} 4000"] - seconds[f"{nodes} 1000"]) / 3000 for nodes in sizes)
    peer = (seconds["numpy 220"] - seconds["numpy 20"]) / 200
    return [
        row("committee of 64, N = 65536", sizes[0] / small, "node-rounds/s", microseconds=round(small * 1e6, 1)),
        row("  against the same algorithm in NumPy", peer / small, "x", ">= 8", microseconds=round(peer * 1e6, 1)),
        row("  cost of a round, N = 1048576 by 65536", large / small, "x", "<= 2", microseconds=round(large * 1e6, 1)),
    ]


def two_devices(repeats: int) -> list[Row]:
    """A sweep on two cores; wall time."""
    if len(_cores) < 2 or jax.default_backend() != "cpu":
        return [row("two devices on two cores: needs two CPU cores", float("nan"), "")]
    seconds = devices.compare_devices(_cores[:2], 64, 1024, 400, 3 * repeats)
    share = seconds.pop("two devices / two processes")
    named = {name.replace(" ", "_"): round(value, 3) for name, value in seconds.items()}
    return [row("sweep on two devices, of two processes' speed", share, "share", ">= .85", **named)]


def law(repeats: int) -> list[Row]:
    """The whole law: a task of 20 seats with all rules, beside a committee of 20 in the frozen market."""
    rows = []
    for nodes in (1 << 10, 1 << 14):
        frozen = JaxPlayer(SETTING, open_market(nodes), 2000, 20)
        full = whole_law.LawPlayer(nodes, rounds=30)
        seconds = measure({"frozen": frozen, "full": full}, repeats)
        task, round = seconds["full"] / full.tasks, seconds["frozen"] / 2000
        more = {"microseconds": round_to(task * 1e6), "frozen": round_to(round * 1e6)}
        rows.append(row(f"all rules, a task of 20 seats, N = {nodes}", task / round, "x frozen", "<= 4", **more))
    return rows


def round_to(value: float) -> float:
    """Four digits are enough for any figure here."""
    return float(f"{value:.4g}")


def device(repeats: int) -> list[Row]:
    """The state hash that every device must give, and a large sweep."""
    large = jax.default_backend() != "cpu"
    settings, nodes, rounds = (4096, 4096, 100) if large else (64, 4096, 50)
    rows = []
    for name, seats in (("dense", None), ("committee of 16", 16)):
        market = play(SETTING, open_market(4096, seed=1), 100, seats)
        check_bits(market, play_numpy(SETTING, open_market(4096, seed=1), 100, seats), f"{name} on this device")
        rows.append(row(f"state hash, {name}, is NumPy's", 1, "", hash=digest(market)))
    many = stack([make_setting(seed=seed) for seed in range(settings)])
    one = open_market(nodes)
    ours = JaxPlayer(many, Market(*(np.broadcast_to(leaf, (settings, *leaf.shape)) for leaf in one)), rounds)
    rate = settings * nodes * rounds / measure({"jax": ours}, repeats)["jax"]
    rows.append(
        row(f"{settings} settings x {nodes} nodes", rate, "node-rounds/s", ">= 3e10 on an H200" if large else "")
    )
    if large:
        copied = device_copy_bandwidth(repeats)
        rows.append(
            row("  least bytes at the device's copy bandwidth", LEAST_BYTES * rate / copied, "share", copy=copied)
        )
    return rows


def device_copy_bandwidth(repeats: int) -> float:
    """Bytes read and written a second when the device adds 1 to a gibibyte, twenty times in a call."""
    with jax.enable_x64(True):
        x = jax.numpy.zeros(1 << 27, jax.numpy.int64)
        add = jax.jit(lambda x: jax.lax.fori_loop(0, 20, lambda _, x: x + 1, x)).lower(x).compile()
        seconds = measure({"copy": lambda: jax.block_until_ready(add(x))}, repeats)["copy"]
    return 20 * 2 * x.size * 8 / seconds


def check_bits(got: Market, want: Market, who: str) -> None:
    """Stop the benchmark where a contestant plays something else."""
    if digest(got) != digest(want):
        raise SystemExit(f"{who} did not play the frozen market: its state differs from NumPy's")


PARTS: dict[str, Callable[[int], list[Row]]] = {
    "dense": dense,
    "mesa": mesa,
    "radcad": radcad,
    "vmap": vmap,
    "committee": committee,
    "devices": two_devices,
    "law": law,
    "device": device,
}


def main() -> None:
    """Measure the parts asked for, print the table line by line, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    machine = f"{jax.devices()[0].device_kind}, {platform.processor() or platform.machine()}, one core of {len(_cores)}"
    about = {"machine": machine, "jax": jax.__version__, "numpy": np.__version__, "repeats": options.repeats}
    print(json.dumps(about), flush=True)
    rows: list[Row] = []
    for part in options.parts:
        try:
            found = PARTS[part](options.repeats)
        except ImportError as error:
            print(f"{part}: left out, {error.name} is not installed (see --help)", flush=True)
            continue
        for line in found:
            more = ", ".join(f"{k} {v}" for k, v in line.items() if k not in ("what", "value", "unit", "goal"))
            print(f"{line['what']:<48}{line['value']:>11.4g} {line['unit']:<14}{line['goal']:<20}{more}", flush=True)
        rows += found
    if options.json:
        options.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
