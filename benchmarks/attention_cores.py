"""Two questions that need processes of their own, for `benchmarks.attention`: two cores, and memory at its peak.

`ask` runs this module once a question; it prints one line of JSON: `cores LENGTH REPEATS`, `memory ours|hf LENGTH`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

# A device, and so a thread, for each core; nothing else starts threads.
_ENVIRONMENT = {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_cpu_multi_thread_eigen=false"
    " intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# A worker multiplies when told to and answers when done.
_WORKER = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
import numpy as np
x = np.random.default_rng(1).normal(size=(1024, 1024)).astype(np.float32)
for line in sys.stdin:
    for _ in range(int(line)):
        x @ x
    print("done", flush=True)
"""


def ask(script: list[str]) -> dict[str, Any]:
    """What one of this module's questions prints, asked in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.attention_cores", *script]
    environment = os.environ | _ENVIRONMENT
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if answer.returncode:
        return {"failed": answer.stderr.strip().splitlines()[-1]}
    return json.loads(answer.stdout.splitlines()[-1])


def measure_cores(length: int, repeats: int) -> dict[str, Any]:
    """Speed-up by two cores (wall time): heads under shard_map, and two sgemm processes, in turns."""
    import jax
    from jax.sharding import AxisType, PartitionSpec

    from benchmarks.attention import compiled, make_inputs, sparse
    from deslm_jax.attention import SparseAttentionSpec

    cores = sorted(os.sched_getaffinity(0))[-2:]
    if len(cores) < 2:
        return {"failed": "this process may use one core only"}
    os.sched_setaffinity(0, set(cores))
    attend, inputs = sparse(SparseAttentionSpec((256, 256))), make_inputs(1, length, 8, 64, 32)
    heads, whole = PartitionSpec(None, None, "heads"), PartitionSpec()
    mesh = jax.make_mesh((2,), ("heads",), axis_types=(AxisType.Auto,))
    split = jax.shard_map(attend, mesh=mesh, in_specs=(heads, heads, heads, whole), out_specs=heads, check_vma=False)
    where = [jax.NamedSharding(mesh, spec) for spec in (*[heads] * 4, whole)]
    placed = [jax.device_put(x, place) for x, place in zip(inputs, where, strict=True)]
    runs = {}
    for backward, name in ((False, "fwd"), (True, "f+b")):
        one, two = compiled(attend, inputs, backward), compiled(split, tuple(placed), backward)
        runs |= {f"one {name}": (one, inputs), f"two {name}": (two, placed)}

    workers = [
        subprocess.Popen([sys.executable, "-c", _WORKER, str(c)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for c in cores
    ]

    def multiply(workers: list[Any], times: int) -> None:
        for worker in workers:
            worker.stdin.write(f"{times}\n".encode())
            worker.stdin.flush()
        for worker in workers:
            worker.stdout.readline()

    def clock(run: Any) -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    seconds: dict[str, list[float]] = {}
    for i in range(repeats + 1):
        for name, (program, arguments) in runs.items():
            took = clock(lambda program=program, arguments=arguments: jax.block_until_ready(program(*arguments)))
            seconds.setdefault(name, []).append(took)
        for name, group in (("one sgemm", workers[:1]), ("other sgemm", workers[1:]), ("two sgemm", workers)):
            seconds.setdefault(name, []).append(clock(lambda group=group: multiply(group, 40)))
        if i == 0:  # the first warms up
            seconds.clear()
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    took = {name: statistics.median(values) for name, values in seconds.items()}
    best = (took["one sgemm"] + took["other sgemm"]) / took["two sgemm"]
    row: dict[str, Any] = {"length": length, "cores": len(cores), "sgemm speed-up": round(best, 2)}
    for name in ("fwd", "f+b"):
        row[f"{name} speed-up"] = round(took[f"one {name}"] / took[f"two {name}"], 2)
        row[f"{name} of sgemm's"] = round(took[f"one {name}"] / took[f"two {name}"] / best, 2)
    return row


def measure_memory(whose: str, length: int) -> dict[str, Any]:
    """Megabytes by which the peak of resident memory grows in one forward and backward."""
    import jax

    from benchmarks import attention_peers
    from benchmarks.attention import compiled, make_inputs, sparse
    from deslm_jax.attention import SparseAttentionSpec

    def runner(length: int) -> Any:
        inputs = make_inputs(1, length, 8, 64, 32)
        if whose == "ours":
            program = compiled(sparse(SparseAttentionSpec((256, 256))), inputs, backward=True)
            return lambda: jax.block_until_ready(program(*inputs))
        arrays = tuple(np.asarray(x) for x in inputs[:4])
        return attention_peers.longformer(arrays, 256, np.asarray(inputs[4]), "cpu")["f+b"]

    runner(1024)()  # code, threads and arenas are not what is asked for
    run = runner(length)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far, of compiling, is forgotten
    before = _kilobytes("VmRSS")
    run()
    grown = _kilobytes("VmHWM") - before
    return {"length": length, "whose": whose, "peak RSS growth MB": round(grown * 1024 / 1e6, 1)}


def _kilobytes(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cores", length, repeats]:
            print(json.dumps(measure_cores(int(length), int(repeats))))
        case ["memory", whose, length]:
            print(json.dumps(measure_memory(whose, int(length))))
