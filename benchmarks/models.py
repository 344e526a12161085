"""One training step of an encoder-decoder (forward, loss, backward) beside Hugging Face's LED, weights the same.

    python -m benchmarks.models                               # both shapes, one pinned core; about 20 minutes
    python -m benchmarks.models --shapes d512 --repeats 5 --json models.json

Needs the extra `parity` (`make setup EXTRAS=parity`). Times are CPU time on a CPU (wall time on a GPU), medians of
interleaved repeats. The ceiling is arithmetic: HF's time over what a machine would take that does our matrix products
at its own sgemm rate, measured in the same run, and the attention that the mask needs at .55 of it, the most that XLA
reaches on a CPU; the embedding's gradient, norms, softmax, loss and everything else free.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before jax and torch start their threads
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ["OMP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.turns import measure
from deslm_jax import Generator
from deslm_jax.cost import backward_flops, count_parameters, forward_flops

_XLA_ATTENTION = 0.55  # fraction of sgemm peak that XLA's CPU backend reaches in attention: docs/ATTENTION.md

# What LED is called with; the shape of allenai/led-base-16384, and a smaller one where attention weighs less.
SHAPES: dict[str, dict[str, int]] = {
    "led_base": {"d_model": 768, "heads": 12, "d_ff": 3072, "layers": 6, "side": 512},
    "d512": {"d_model": 512, "heads": 8, "d_ff": 2048, "layers": 6, "side": 256},
    "toy": {"d_model": 64, "heads": 2, "d_ff": 128, "layers": 2, "side": 16},
}


def make_peer(shape: dict[str, int], length: int, targets: int) -> Any:
    """HF's model with random weights, ready to train without dropout."""
    import torch
    from transformers import LEDConfig, LEDForConditionalGeneration

    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (
            ("layers", shape["layers"]),
            ("attention_heads", shape["heads"]),
            ("ffn_dim", shape["d_ff"]),
        )
    }
    config = LEDConfig(
        **sizes,
        d_model=shape["d_model"],
        attention_window=2 * shape["side"],
        max_encoder_position_embeddings=length,
        max_decoder_position_embeddings=targets,
        dropout=0.0,
        attention_dropout=0.0,
        use_cache=False,
    )
    device = "cuda" if jax.default_backend() == "gpu" and torch.cuda.is_available() else "cpu"
    return LEDForConditionalGeneration(config).train().to(device)


def make_batch(vocab_size: int, batch: int, length: int, targets: int, n_globals: int) -> dict[str, np.ndarray]:
    """Random ids; global tokens spread at random."""
    rng = np.random.default_rng(0)
    draw = lambda n: rng.integers(3, vocab_size, (batch, n)).astype(np.int32)
    is_global = np.zeros((batch, length), bool)
    for row in is_global:
        row[rng.permutation(length)[:n_globals]] = True
    return {"enc": draw(length), "dec": draw(targets), "labels": draw(targets), "globals": is_global}


def peer_step(model: Any, batch: dict[str, np.ndarray]) -> Callable[[], float]:
    """A function that runs HF's forward, loss and backward and returns the loss."""
    import torch

    device = next(model.parameters()).device
    as_torch = {name: torch.tensor(value, device=device).long() for name, value in batch.items()}
    mask = torch.ones_like(as_torch["enc"])

    def step() -> float:
        model.zero_grad(set_to_none=True)
        logits = model(
            input_ids=as_torch["enc"],
            attention_mask=mask,
            global_attention_mask=as_torch["globals"],
            decoder_input_ids=as_torch["dec"],
        ).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), as_torch["labels"].flatten())
        loss.backward()
        return float(loss)

    return step


def our_step(model: Generator, params: Any, batch: dict[str, np.ndarray]) -> Any:
    """Our forward, loss and backward, compiled: () -> (loss, gradients) after binding `params` and `batch`."""

    def loss_fn(params: Any, batch: dict[str, jax.Array]) -> jax.Array:
        everywhere = jnp.ones(batch["enc"].shape, bool)
        logits: Any = model.apply({"params": params}, batch["enc"], batch["dec"], everywhere, batch["globals"])
        chosen = jnp.take_along_axis(logits, batch["labels"][..., None], axis=-1)[..., 0]
        return (jax.nn.logsumexp(logits, axis=-1) - chosen).mean()

    return jax.jit(jax.value_and_grad(loss_fn)).lower(params, batch).compile()


def _keep(results: dict[str, Any], name: str, run: Callable[[], Any]) -> Any:
    """The run's result, which is also noted for the losses to be compared."""
    results[name] = run()
    return results[name]


def compare(
    name: str, layers: int | None, batch: int, length: int, targets: int, n_globals: int, repeats: int
) -> dict[str, Any]:
    """One row of the table."""
    from deslm_jax.interop import from_hf_led

    shape = SHAPES[name] | ({} if layers is None else {"layers": layers})
    peer = make_peer(shape, length, targets)
    arrays = {key: value.detach().cpu().numpy() for key, value in peer.state_dict().items()}
    cfg, params = from_hf_led(peer.config.to_dict(), arrays)
    params = jax.device_put(params)
    data = make_batch(cfg.vocab_size, batch, length, targets, n_globals)
    start = time.perf_counter()
    program = our_step(Generator(cfg), params, data)
    compile_s = time.perf_counter() - start
    theirs = peer_step(peer, data)
    square = jnp.asarray(np.random.default_rng(1).normal(size=(1024, 1024)), jnp.float32)
    product = jax.jit(lambda x: x @ x).lower(square).compile()
    runs: dict[str, Callable[[], Any]] = {"ours": partial(program, params, data), "HF": theirs}
    results: dict[str, Any] = {}
    kept = {name: partial(_keep, results, name, run) for name, run in runs.items()}
    seconds = measure(kept | {"sgemm": partial(product, square)}, repeats)
    rate = 2 * 1024**3 / seconds["sgemm"]
    forward = forward_flops(cfg, batch=batch, source_len=length, target_len=targets, n_globals=n_globals)
    needed = forward.total + backward_flops(cfg, forward)
    pairs = 3.5 * forward.attention
    ceiling_s = (needed - pairs) / rate + pairs / (_XLA_ATTENTION * rate)
    return {
        "shape": name,
        "layers": f"{shape['layers']} + {shape['layers']}",
        "parameters": count_parameters(cfg),
        "batch": batch,
        "length": length,
        "targets": targets,
        "globals": n_globals,
        "loss ours / HF": [round(float(results["ours"][0]), 5), round(results["HF"], 5)],
        "ours s": round(seconds["ours"], 3),
        "HF s": round(seconds["HF"], 3),
        "times faster": round(seconds["HF"] / seconds["ours"], 2),
        "ceiling": round(seconds["HF"] / ceiling_s, 2),
        "needed TFLOP": round(needed / 1e12, 3),
        "of that attention": round(pairs / needed, 3),
        "sgemm GFLOP/s": round(rate / 1e9, 1),
        "fraction of sgemm peak": round(needed / rate / seconds["ours"], 3),
        "temp MB": round(program.memory_analysis().temp_size_in_bytes / 1e6),
        "compile s (wall)": round(compile_s, 1),
    }


def main() -> None:
    """Measure, print a line of JSON a shape, and write them all where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=["d512", "led_base"])
    parser.add_argument("--layers", type=int, help="of encoder and decoder (default: the shape's, 6 and 6)")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--targets", type=int, default=256)
    parser.add_argument("--globals", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    rows = []
    sizes = options.layers, options.batch, options.length, options.targets, options.globals
    for shape in options.shapes:
        rows.append(compare(shape, *sizes, options.repeats))
        print(json.dumps(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
