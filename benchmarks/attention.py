"""Speed and memory of `sparse_attention` beside dense attention, on one pinned core or on an accelerator.

    python -m benchmarks.attention                       # the demo's short sequences, then lengths 1024 to 4096
    python -m benchmarks.attention --lengths 8192 16384 --json attention.json

Times are CPU time on a CPU (wall time elsewhere), medians of interleaved repeats. "peak" is the fraction of this
machine's own sgemm rate, measured in the same run, on the FLOPs that the mask needs: 4 D a pair and head forward
(two products), 14 D forward and backward (seven). Memory is XLA's `temp_size_in_bytes`: arguments and results apart.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before jax starts its threads
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

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


def measure(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each run, taken in turns so that a noisy neighbour disturbs all alike."""
    clock = time.process_time if jax.default_backend() == "cpu" else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(repeats + 1):
        for name, run in runs.items():
            start = clock()
            jax.block_until_ready(run())
            if i > 0:  # the first warms up
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def needed_pairs(length: int, spec: SparseAttentionSpec, n_globals: int) -> float:
    """Pairs (row, key) the mask allows for one head, globals taken as spread evenly."""
    place = np.arange(length)
    left, right = spec.left or 0, spec.right or 0
    near = np.minimum(place + right, length - 1) - np.maximum(place - left, 0) + 1
    return float(near.sum() + 2 * n_globals * (length - near.mean()))


def compare(
    batch: int, length: int, heads: int, width: int, window: int, n_globals: int, repeats: int, with_dense: bool
) -> dict[str, Any]:
    """One row of the table: milliseconds, fractions of peak and megabytes."""
    spec = SparseAttentionSpec((window, window))
    inputs = make_inputs(batch, length, heads, width, n_globals)
    square = jnp.asarray(np.random.default_rng(1).normal(size=(1024, 1024)), jnp.float32)
    product = jax.jit(lambda x: x @ x).lower(square).compile()
    programs = {"sparse": sparse(spec)} | ({"dense": plain_dense(spec)} if with_dense else {})
    made = {
        f"{name} {'f+b' if backward else 'fwd'}": compiled(attend, inputs, backward)
        for name, attend in programs.items()
        for backward in (False, True)
    }
    runs: dict[str, Callable[[], Any]] = {name: partial(program, *inputs) for name, program in made.items()}
    seconds = measure(runs | {"sgemm": partial(product, square)}, repeats)
    rate = 2 * 1024**3 / seconds["sgemm"]
    flops = needed_pairs(length, spec, n_globals) * batch * heads * width
    row: dict[str, Any] = {"batch": batch, "length": length, "heads": heads, "width": width, "window": window}
    row |= {"globals": n_globals, "sgemm GFLOP/s": round(rate / 1e9, 1)}
    row |= {f"{name} ms": round(seconds[name] * 1e3, 2) for name in made}
    row["peak fwd"] = round(4 * flops / seconds["sparse fwd"] / rate, 3)
    row["peak f+b"] = round(14 * flops / seconds["sparse f+b"] / rate, 3)
    row["temp f+b MB"] = round(made["sparse f+b"].memory_analysis().temp_size_in_bytes / 1e6, 1)
    return row


def main() -> None:
    """Measure, print a line of JSON a shape, and write them all where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="*", default=[1024, 2048, 4096])
    parser.add_argument("--dense-up-to", type=int, default=2048, help="longest sequence for which dense is run beside")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    rows = [compare(64, 64, 4, 24, 16, 16, 3 * options.repeats, with_dense=True)]
    print(json.dumps(rows[-1]), flush=True)
    for length in options.lengths:
        rows.append(compare(1, length, 8, 64, 256, 32, options.repeats, with_dense=length <= options.dense_up_to))
        print(json.dumps(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
