"""What training a generator and training a discriminator have in common: a run's folders, its loop, its command line.

A run writes the finished model folder at `out`, whole or not at all. Until then everything it needs to resume is
beside it in `out.training/`: checkpoints, which go when the model is finished, and `metrics.jsonl`, which stays.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import jax

from deslm_jax.config import ModelConfig
from deslm_jax.cost import backward_flops, count_parameters, forward_flops
from train.checkpoints import Checkpoints
from train.loop import Interrupted, Pace, run
from train.losses import Sums
from train.parallel import check_batch_size, data_mesh, jit_step, place_batch, place_state
from train.recipes import Recipe
from train.step import init


class RunFolder(NamedTuple):
    """Where a run keeps what."""

    out: Path

    @property
    def work(self) -> Path:
        """The folder beside `out`."""
        return self.out.with_name(f"{self.out.name}.training")

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of an unfinished run."""
        return self.work / "checkpoints"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.work / "metrics.jsonl"

    def is_finished(self, settings: Mapping[str, Any]) -> bool:
        """Whether the finished model of exactly these settings is there; ValueError if that of others is."""
        manifest = self.out / "manifest.json"
        if not manifest.exists():
            return False
        try:
            found = json.loads(manifest.read_text())["provenance"].get("settings")
        except (ValueError, KeyError, AttributeError):
            found = None
        if found == json.loads(json.dumps(settings)):
            self.drop_checkpoints()  # left over if the last run ended right after writing the model
            return True
        raise ValueError(f"{self.out} holds a model trained with other settings; choose another --out, or --fresh.")

    def drop_checkpoints(self) -> None:
        """Forgets how to resume: the model is finished."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def clear(self) -> None:
        """Forgets the run and its model."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.out, ignore_errors=True)


def digest(rows: Sequence[Sequence[str]]) -> str:
    """Returns the sha256 of rows of text: which data a model was trained on."""
    return sha256(json.dumps([list(row) for row in rows], ensure_ascii=False).encode()).hexdigest()


def train_params(
    params: Any,
    loss_fn: Callable[[Any, Any, jax.Array], Sums],
    batch_at: Callable[[int], Mapping[str, Any]],
    recipe: Recipe,
    folder: RunFolder,
    settings: Mapping[str, Any],
    save_every: int = 100,
) -> Any:
    """Trains from fresh `params`, or from the run's newest checkpoint, for the recipe's steps; returns NumPy params.

    Uses all devices of the process; `batch_at` gives this host's rows. Raises `loop.Interrupted` after saving.
    """
    optimizer, mesh = recipe.optimizer(), data_mesh()
    check_batch_size(recipe.batch_size, mesh.size)
    state = place_state(init(params, optimizer, recipe.seed), mesh)
    with Checkpoints(folder.checkpoints, dict(settings)) as checkpoints:
        state = run(
            state,
            jit_step(loss_fn, optimizer, mesh),
            lambda step: place_batch(batch_at(step), mesh),
            Pace(recipe.steps, save_every),
            checkpoints=checkpoints,
            metrics_path=folder.metrics,
            name=folder.out.name,
        )
    return jax.device_get(state.params)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Declares where the facts are, and how many threads may work on them."""
    parser.add_argument(
        "--facts", type=Path, help="TSV or JSONL of subject, relation, object (default: the bundled facts)"
    )
    parser.add_argument(
        "--templates", type=Path, help="TSV of relation, template (default: bundled; generic for other relations)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads to use; 1 costs the fewest CPU-seconds (default: all)")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options that both trainers share."""
    parser.add_argument("--out", type=Path, help="folder of the finished model, such as runs/generator")
    parser.add_argument(
        "--dry-run", action="store_true", help="say how large the model is and what the run costs; write nothing"
    )
    add_data_options(parser)
    parser.add_argument("--tokenizer", type=Path, help="a SentencePiece model to share; made there if there is none")
    parser.add_argument("--fresh", action="store_true", help="start over, forgetting what is at --out")
    parser.add_argument(
        "--save-every", type=int, default=100, metavar="STEPS", help="checkpoint every so many steps (default: 100)"
    )


def run_folder(args: argparse.Namespace) -> RunFolder:
    """Returns where the run keeps what; ValueError if the command line does not say."""
    if args.out is None:
        raise ValueError("Say where the finished model goes, such as --out runs/mine, or use --dry-run.")
    return RunFolder(args.out)


def existing_tokenizer(args: argparse.Namespace) -> Path | None:
    """Returns the tokenizer to use; in a dry run one that is not there yet is learnt and forgotten, never written."""
    path: Path | None = args.tokenizer
    return None if args.dry_run and path is not None and not path.exists() else path


def cost_of_run(config: ModelConfig, recipe: Recipe, source_len: int, target_len: int | None = None) -> str:
    """Returns a table of the model's size and of what training it costs, as a dry run prints it."""
    forward = forward_flops(config, source_len=source_len, target_len=target_len)
    backward = backward_flops(config, forward)
    parameters = count_parameters(config)
    lengths = f"{source_len} tokens in" + ("" if target_len is None else f", {target_len} out")
    steps = f"{recipe.steps} steps of {recipe.batch_size} examples"
    rows = {
        "parameters": f"{parameters:,}, {4 * parameters / 1e6:,.1f} MB; {16 * parameters / 1e6:,.1f} MB with gradient "
        "and optimizer",
        "an example": f"{lengths}: {forward.total / 1e6:,.1f} MFLOP forward, {backward / 1e6:,.1f} MFLOP backward",
        "the run": f"{steps}: {recipe.steps * recipe.batch_size * (forward.total + backward) / 1e12:,.2f} TFLOP",
    }
    return "\n".join(f"{name:<12}{value}" for name, value in rows.items()) + "\nNothing was trained or written."


def limit_threads(threads: int | None) -> None:
    """Bounds XLA's CPU threads; must come before the first jax computation of the process."""
    if threads is None:
        return
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}.")
    os.environ["NPROC"] = str(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()


def command(body: Callable[[argparse.Namespace], str], args: argparse.Namespace) -> int:
    """Runs a trainer and returns its exit code: 0, 2 after one sentence on stderr, 128 + signal when stopped."""
    try:
        limit_threads(args.threads)
        print(body(args))
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)
        return stopped.exit_code
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"{error.filename or 'Writing'}: {error.strerror or error}; nothing was finished.", file=sys.stderr)
        return 2
    return 0
