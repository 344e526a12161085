"""Speed and memory of `sparse_attention` beside dense JAX, Hugging Face's Longformer and torch's FlexAttention.

    python -m benchmarks.attention       # 4096 to 16384 tokens, one pinned core, ten minutes
    python -m benchmarks.attention --lengths 4096 --repeats 3 --json attention.json

The peers need the extra `parity` (`make setup EXTRAS=parity`); without it their columns say so. Times are CPU time on a
CPU (wall time on a GPU), medians of repeats taken in turns, and every peer's output is compared with ours first. "peak"
is the fraction of the sgemm rate of the library at hand (XLA's or torch's), measured in the same run, on the FLOPs that
the mask needs: 4 D a pair and head forward (two products), 14 D forward and backward (seven). Memory is XLA's
`temp_size_in_bytes` (arguments and results apart), and the growth of the resident peak of a fresh process. The last
row asks two cores: the speed-up of heads under `shard_map` against that of two independent sgemm processes.
"""

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before jax and torch start their threads
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ["OMP_NUM_THREADS"] = "1"
    _CORES = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(_CORES)})

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import attention_cores, attention_peers
from benchmarks.turns import measure
from deslm_jax.attention import SparseAttentionSpec, sparse_attention

Arrays = tuple[jax.Array, ...]
Attention = Callable[..., jax.Array]


def make_inputs(batch: int, length: int, heads: int, width: int, n_globals: int) -> Arrays:
    """(q, k, v, weight of the loss, global positions spread at random and different for each example)."""
    rng = np.random.default_rng(0)
    shape = (batch, length, heads, width)
    arrays = [jnp.asarray(rng.normal(size=shape), jnp.float32) for _ in range(4)]
    idx = np.sort(np.stack([rng.permutation(length)[:n_globals] for _ in range(batch)]), axis=1)
    return (*arrays, jnp.asarray(idx, jnp.int32))


def sparse(spec: SparseAttentionSpec) -> Attention:
    """The package's attention."""
    return lambda q, k, v, idx: sparse_attention(q, k, v, spec=spec, global_idx=idx)


def plain_dense(spec: SparseAttentionSpec) -> Attention:
    """What one writes without a library: a mask, a softmax, JAX's own gradient."""

    def attend(q: jax.Array, k: jax.Array, v: jax.Array, idx: jax.Array) -> jax.Array:
        place = jnp.arange(q.shape[1], dtype=jnp.int32)
        is_global = (idx[:, :, None] == place).any(axis=1)
        allowed = spec.in_band(place[None, :] - place[:, None])[None] | is_global[:, :, None] | is_global[:, None, :]
        logits = jnp.einsum("bthd,bshd->bhts", q, k) * q.shape[3] ** -0.5
        return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(jnp.where(allowed[:, None], logits, -1e30)), v)

    return attend


def compiled(attend: Attention, inputs: Arrays, backward: bool) -> Any:
    """The forward, or the loss with gradients of q, k and v, ready to call on `inputs`."""
    if not backward:
        return jax.jit(lambda q, k, v, weight, idx: attend(q, k, v, idx)).lower(*inputs).compile()

    def loss(q: jax.Array, k: jax.Array, v: jax.Array, weight: jax.Array, idx: jax.Array) -> jax.Array:
        return (attend(q, k, v, idx) * weight).sum()

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2))).lower(*inputs).compile()


def needed_pairs(length: int, spec: SparseAttentionSpec, n_globals: int) -> float:
    """Pairs (row, key) the mask allows for one head, globals taken as spread evenly."""
    place = np.arange(length)
    left, right = spec.left or 0, spec.right or 0
    near = np.minimum(place + right, length - 1) - np.maximum(place - left, 0) + 1
    return float(near.sum() + 2 * n_globals * (length - near.mean()))


def compare(length: int, options: argparse.Namespace) -> dict[str, Any]:
    """One row of the table: milliseconds, fractions of peak, ratios and megabytes; batch 1."""
    heads, width, window, n_globals = 8, 64, 256, 32
    spec = SparseAttentionSpec((window, window))
    inputs = make_inputs(1, length, heads, width, n_globals)
    square = jnp.asarray(np.random.default_rng(1).normal(size=(1024, 1024)), jnp.float32)
    runs: dict[str, Callable[[], Any]] = {"sgemm XLA": partial(compiled_product(square), square)}
    programs = {"ours": sparse(spec)} | ({"dense": plain_dense(spec)} if length <= options.dense_up_to else {})
    for name, attend in programs.items():
        for backward in (False, True):
            program = compiled(attend, inputs, backward)
            runs[f"{name} {'f+b' if backward else 'fwd'}"] = partial(program, *inputs)
            if name == "ours" and backward:
                temp = program.memory_analysis().temp_size_in_bytes
    row: dict[str, Any] = {"length": length, "temp f+b MB": round(temp / 1e6, 1)}
    missing = attention_peers.missing_peers()
    if missing:
        row["peers"] = missing
    else:
        runs |= peer_runs(inputs, window, with_flex=length <= options.flex_up_to)
    seconds = measure(runs, options.repeats)
    flops = needed_pairs(length, spec, n_globals) * heads * width
    for name in seconds:
        if name.startswith("sgemm"):
            row[f"{name} GFLOP/s"] = round(2 * 1024**3 / seconds[name] / 1e9, 1)
            continue
        rate = 2 * 1024**3 / seconds["sgemm XLA" if name.split()[0] in programs else "sgemm torch"]
        row[f"{name} ms"] = round(seconds[name] * 1e3, 1)
        if not name.startswith("flex prefix"):  # another mask, fewer pairs in its blocks
            row[f"{name} peak"] = round((4 if name.endswith("fwd") else 14) * flops / seconds[name] / rate, 3)
        if not name.startswith("ours"):
            row[f"{name} / ours"] = round(seconds[name] / seconds[f"ours {name[-3:]}"], 2)
    return row


def compiled_product(square: jax.Array) -> Any:
    """XLA's own product of a square matrix with itself."""
    return jax.jit(lambda x: x @ x).lower(square).compile()


def peer_runs(inputs: Arrays, window: int, with_flex: bool) -> dict[str, Callable[[], Any]]:
    """The peers' runs by name, each checked against ours on its own globals."""
    import torch

    torch.set_num_threads(1)
    device = "cuda" if jax.default_backend() == "gpu" and torch.cuda.is_available() else "cpu"
    arrays = tuple(np.asarray(x) for x in inputs[:4])
    spread = np.asarray(inputs[4])
    prefix = np.arange(spread.shape[1], dtype=np.int32)[None]
    made = {"HF": attention_peers.longformer(arrays, window, spread, device)}
    if with_flex:
        made["flex spread"] = attention_peers.flex(arrays, window, spread, device)
        made["flex prefix"] = attention_peers.flex(arrays, window, prefix, device)
    attend = jax.jit(sparse(SparseAttentionSpec((window, window))))
    for name, runs in made.items():
        ours = attend(*inputs[:3], jnp.asarray(prefix if "prefix" in name else spread))
        error = np.abs(np.asarray(ours) - runs["fwd"]().cpu().numpy()).max()
        if error > 1e-4:
            raise SystemExit(f"{name} computes something else: its output differs by {error:.2g}")
    runs = {f"{name} {what}": run for name, some in made.items() for what, run in some.items()}
    return runs | {"sgemm torch": attention_peers.sgemm(1024, device)}


def short_sequences(repeats: int) -> dict[str, Any]:
    """The shape of the demo's models: one tile, a batch, beside dense JAX."""
    spec, inputs = SparseAttentionSpec((16, 16)), make_inputs(64, 64, 4, 24, 16)
    runs = {
        f"{name} {'f+b' if backward else 'fwd'}": partial(compiled(attend, inputs, backward), *inputs)
        for name, attend in (("ours", sparse(spec)), ("dense", plain_dense(spec)))
        for backward in (False, True)
    }
    seconds = measure(runs, repeats)
    return {"batch": 64, "length": 64, "heads": 4, "width": 24, "window": 16, "globals": 16} | {
        f"{name} ms": round(value * 1e3, 2) for name, value in seconds.items()
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table, one column a length."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "length"))
    lines = [["", *(f"T {row['length']}" for row in rows)], ["---"] * (len(rows) + 1)]
    lines += [[name, *(str(row.get(name, "")) for row in rows)] for name in names]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure, print a line of JSON a question and the table, and write them all where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="*", default=[4096, 8192, 16384])
    parser.add_argument("--dense-up-to", type=int, default=4096, help="longest sequence for which dense is run beside")
    parser.add_argument("--flex-up-to", type=int, default=4096, help="longest sequence for which FlexAttention is run")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-cores", action="store_true", help="leave out the rows on two cores and on memory")
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    report: dict[str, Any] = {"device": str(jax.devices()[0]), "jax": jax.__version__, "lengths": []}
    report["short"] = short_sequences(3 * options.repeats)
    print(json.dumps(report["short"]), flush=True)
    for length in options.lengths:
        report["lengths"].append(compare(length, options))
        print(json.dumps(report["lengths"][-1]), flush=True)
    if jax.default_backend() == "cpu" and not options.no_cores and options.lengths:
        report["memory"] = [attention_cores.ask(["memory", "ours", "8192"])]
        if attention_peers.missing_peers() is None:
            report["memory"].append(attention_cores.ask(["memory", "hf", "8192"]))
        os.sched_setaffinity(0, _CORES)
        report["cores"] = attention_cores.ask(["cores", "8192", str(options.repeats)])
        for row in (*report["memory"], report["cores"]):
            print(json.dumps(row), flush=True)
    print(table(report["lengths"]))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
