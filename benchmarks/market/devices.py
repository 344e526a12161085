"""A sweep on two devices of two cores against two processes that know nothing of each other."""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def compare_devices(cores: list[int], settings: int, nodes: int, rounds: int, repeats: int) -> dict[str, float]:
    """Wall seconds of one sweep on one core, half of it in each of two processes at once, and on two devices.

    The last figure is the median over turns of the two processes' time by the two devices'.
    """
    job = {"settings": settings, "nodes": nodes, "rounds": rounds}
    alone = _Worker(job | {"cores": cores[:1], "devices": 1})
    halves = [_Worker(job | {"settings": settings // 2, "cores": [core], "devices": 1}) for core in cores[:2]]
    both = _Worker(job | {"cores": cores[:2], "devices": 2})
    turns: dict[str, list[float]] = {"one core": [], "two processes": [], "two devices": []}
    for _ in range(repeats):
        for name, workers in (("one core", [alone]), ("two processes", halves), ("two devices", [both])):
            for worker in workers:
                worker.start()
            turns[name].append(max(worker.seconds() for worker in workers))
    for worker in (alone, both, *halves):
        worker.close()
    seconds = {name: statistics.median(values) for name, values in turns.items()}
    ratios = [p / d for p, d in zip(turns["two processes"], turns["two devices"], strict=True)]
    return seconds | {"two devices / two processes": statistics.median(ratios)}


class _Worker:
    """A process that has compiled its sweep and plays it whenever it is told to."""

    def __init__(self, job: dict[str, Any]) -> None:
        flags = f"--xla_force_host_platform_device_count={job['devices']} {ONE_THREAD}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.market.devices", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        )
        self._line()

    def _line(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError("a worker of the two-device benchmark ended early; its error is above")
        return line

    def start(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def seconds(self) -> float:
        return float(self._line())

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def work(job: dict[str, Any]) -> None:
    """In the worker: compile, say so, then play once for every line that comes in."""
    os.sched_setaffinity(0, job["cores"])
    import jax

    from consensus.simulator.market import make_setting, open_market
    from consensus.simulator.market_play import program, stack

    settings = stack([make_setting(seed=seed) for seed in range(job["settings"])])
    markets = stack([open_market(job["nodes"], seed=seed) for seed in range(job["settings"])])
    mesh = jax.make_mesh((job["devices"],), ("setting",), axis_types=(jax.sharding.AxisType.Auto,))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("setting"))
    with jax.enable_x64(True):
        setting, market = jax.device_put((settings, markets), spread)
        play = program(job["rounds"], None, True).lower(setting, market).compile()
        market = jax.block_until_ready(play(setting, market))
        print("ready", flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            market = jax.block_until_ready(play(setting, market))
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    work(json.loads(sys.argv[1]))
