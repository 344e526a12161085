"""Greedy decoding beside Hugging Face's LED `generate`: the same weights, the same tokens, asserted.

    python -m benchmarks.decode                                          # both shapes, one pinned core; 15 minutes
    python -m benchmarks.decode --shapes small --repeats 9 --json decode.json
    python -m benchmarks.decode --beams 4                                # beam search instead, HF's own early stopping

A step is the difference between a long and a short answer, divided by the tokens between them: neither the encoder
nor HF's start-up counts. "End to end" is the whole call, prompt included. Times are CPU time on a CPU (wall time on
a GPU), medians of interleaved repeats. "of stream": what a step must read (weights, table, keys of the prompt) in
that time, against what a plain sum over a large array reads in the same run; 1 cannot be beaten at batch 1.
Without torch and transformers (`make setup EXTRAS=parity`) ours runs alone, and the report says so.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":  # before jax and torch start their threads
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ["OMP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.attention_peers import missing_peers
from benchmarks.decode_peer import Peer, make_peer
from benchmarks.turns import measure, take_turns
from deslm_jax import Generator, GeneratorConfig
from deslm_jax.cache import empty_cache, follow
from deslm_jax.decode import Beam, Generation, Greedy, generate
from deslm_jax.decoding.beam import search
from deslm_jax.decoding.limits import Limits
from deslm_jax.decoding.writing import write
from deslm_jax.initial import init_params
from deslm_jax.presets import led_base

Runs = dict[str, Callable[[], Any]]
SHAPES: dict[str, dict[str, Any]] = {
    "small": {"d_model": 256, "n_heads": 8, "d_ff": 1024, "encoder_layers": 2, "decoder_layers": 2, "window": 256}
    | {"vocab_size": 8192},
    "led_base": {},
    "toy": {"d_model": 32, "n_heads": 2, "d_ff": 64, "encoder_layers": 1, "decoder_layers": 1, "window": 16}
    | {"vocab_size": 96},
}


class Case(NamedTuple):
    """One row of the table."""

    cfg: GeneratorConfig
    params: Any
    peer: Peer | None
    ids_BS: np.ndarray
    lengths: tuple[int, int]  # tokens of the short and of the long answer
    beams: int  # 1: greedy


def our_loops(case: Case) -> dict[int, Callable[[], Generation]]:
    """Answers of both lengths from an encoded prompt: the loop alone, compiled as `generate` compiles it."""
    cfg, model, rows = case.cfg, Generator(case.cfg), case.ids_BS.shape[0]
    memory = jax.jit(partial(model.apply, method="memory"))({"params": case.params}, case.ids_BS)

    def loop(length: int, params: Any, memory: Any) -> Generation:
        step = lambda last, position, state: model.apply(
            {"params": params}, last, position, state, memory, method="step"
        )
        limits = Limits(length, cfg.eos_id, cfg.pad_id, cfg.start_id, min_len=length)
        state = empty_cache(cfg, rows, max(case.lengths), case.beams)
        if case.beams == 1:
            return write(step, state, rows, limits, None)
        return search(step, follow, state, rows, limits, Beam(n=case.beams), jnp.float32(1.0))

    compiled = {n: jax.jit(partial(loop, n)).lower(case.params, memory).compile() for n in case.lengths}
    return {n: partial(program, case.params, memory) for n, program in compiled.items()}


def bytes_of_a_step(case: Case, n_keys: int) -> float:
    """What has to be read from memory: weights of the decoder, the output table, keys and values of the prompt."""
    decoder = {name: leaf for name, leaf in case.params.items() if name.startswith("decoder_")}
    once = ["cross_attention", "key_value"]  # read while the prompt is, not at each step
    weights = sum(
        leaf.nbytes for path, leaf in jax.tree.leaves_with_path(decoder) if [part.key for part in path[1:3]] != once
    )
    table = case.params["embedding"]["token_table"].nbytes
    return float(weights + table + case.ids_BS.shape[0] * case.cfg.decoder_layers * n_keys * case.cfg.d_model * 2 * 4)


def stream_rate() -> Callable[[], Any]:
    """A sum over 256 MB."""
    return partial(jax.jit(jnp.sum).lower(big := jnp.ones((64, 1 << 20), jnp.float32)).compile(), big)


def compare(case: Case, repeats: int, whole: bool) -> dict[str, Any]:
    """One row: a step and, if `whole`, the whole call; ours, HF's, how many times faster."""
    short, long = case.lengths
    ours = our_loops(case)
    runs: Runs = {"ours short": ours[short], "ours long": ours[long], "stream": stream_rate()}
    if case.peer is not None:
        theirs = case.peer.loops(case.ids_BS, case.lengths, case.beams)
        runs |= {"HF short": theirs[short], "HF long": theirs[long]}
        require_equal(np.asarray(ours[long]().ids_BU), theirs[long]())
    seconds = take_turns(runs, repeats)
    of_step = lambda who: statistics.median(
        (b - a) / (long - short) for a, b in zip(seconds[f"{who} short"], seconds[f"{who} long"], strict=True)
    )
    row: dict[str, Any] = {"batch": case.ids_BS.shape[0], "beams": case.beams, "tokens": long}
    row |= {"ours ms a step": round(of_step("ours") * 1e3, 2)}
    rate = (256 * 2**20) / statistics.median(seconds["stream"])
    row |= {"stream GB/s": round(rate / 1e9, 1)}
    row |= {"of stream": round(bytes_of_a_step(case, case.ids_BS.shape[1]) / of_step("ours") / rate, 2)}
    if case.peer is not None:
        row |= {
            "HF ms a step": round(of_step("HF") * 1e3, 2),
            "times faster": round(of_step("HF") / of_step("ours"), 2),
        }
    return row | (end_to_end(case, max(repeats // 2, 2)) if whole else {})


def end_to_end(case: Case, repeats: int) -> dict[str, Any]:
    """The whole call, prompt included."""
    length = max(case.lengths)
    method = Greedy() if case.beams == 1 else Beam(n=case.beams)
    marked_BS = np.arange(case.ids_BS.shape[1])[None] == np.zeros((case.ids_BS.shape[0], 1))
    ours = partial(generate, case.cfg, case.params, case.ids_BS, None, marked_BS, length, method=method, min_len=length)
    runs: Runs = {"ours": ours}
    if case.peer is not None:
        runs["HF"] = case.peer.whole(case.ids_BS, marked_BS, length, case.beams)
        require_equal(np.asarray(ours().ids_BU), runs["HF"]())
    seconds = measure(runs, repeats)
    row: dict[str, Any] = {f"{name} s end to end": round(value, 2) for name, value in seconds.items()}
    return row | ({"times faster end to end": round(seconds["HF"] / seconds["ours"], 2)} if "HF" in seconds else {})


def require_equal(ours_BU: np.ndarray, theirs_BU: np.ndarray) -> None:
    """Ends the run where the two write different tokens: times of different work say nothing."""
    if not np.array_equal(ours_BU, theirs_BU[:, : ours_BU.shape[1]]):
        b, u = np.argwhere(ours_BU != theirs_BU[:, : ours_BU.shape[1]])[0]
        raise SystemExit(f"Row {b} differs from token {u} on: ours {ours_BU[b, u:][:5]}, HF {theirs_BU[b, u:][:5]}.")


def make_case(shape: str, source_len: int, batch: int, lengths: tuple[int, int], beams: int, alone: bool) -> Case:
    """Loud random weights, so that tokens depend on the prompt, and random prompts."""
    target = max(64, *lengths)
    fields = SHAPES[shape] | {"max_source_len": source_len, "max_target_len": target, "max_globals": 8}
    fields |= {"global_tokens": "none"}  # as in LED: nobody is unless a mask says so
    cfg = led_base(**fields)
    scale = {"kernel": 3.0, "token_table": 1.0}
    params = jax.tree.map_with_path(
        lambda path, x: x * np.float32(scale.get(path[-1].key, 1.0)), init_params(Generator(cfg), 0)
    )
    ids_BS = np.random.default_rng(0).integers(4, cfg.vocab_size, (batch, source_len)).astype(np.int32)
    peer = None if alone else make_peer(cfg, params, "cpu" if jax.default_backend() == "cpu" else "cuda")
    return Case(cfg, jax.device_put(params), peer, ids_BS, lengths, beams)


def main() -> None:
    """Measure, print a line of JSON a row, and write them all where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="*", default=["small", "led_base"], choices=list(SHAPES))
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--keys", type=int, default=2048, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, nargs=2, default=[4, 36], help="of the short and of the long answer")
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--whole-up-to", type=int, default=1, help="largest batch that is also timed end to end")
    parser.add_argument("--json", type=Path, help="file for the rows")
    options = parser.parse_args()
    absent = missing_peers()
    if absent:
        print(f"Ours alone: {absent}.")
    short, long = sorted(options.tokens)
    rows = []
    for shape in options.shapes:
        for batch in options.batches:
            case = make_case(shape, options.keys, batch, (short, long), options.beams, absent is not None)
            row = {"shape": shape, "keys": options.keys} | compare(case, options.repeats, batch <= options.whole_up_to)
            rows.append(row | {"device": jax.devices()[0].device_kind})
            print(json.dumps(rows[-1]), flush=True)
            del case
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
