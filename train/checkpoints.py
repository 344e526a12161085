"""Checkpoints of a run, through orbax: the train state, and the settings it was made under.

A checkpoint holds nothing of the data: a batch is a function of (seed, step), so the state's step is enough to go on,
and a resumed run is bit for bit the uninterrupted one (on the same jax version). Saves are written beside the run
while it goes on; a half-written one never counts.
"""

import json
import logging
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from train.step import TrainState


class Checkpoints:
    """The newest `keep` checkpoints of one run. A context manager: leaving it waits for the asynchronous saves."""

    def __init__(self, folder: Path | str, settings: dict[str, Any], keep: int = 2):
        import orbax.checkpoint as ocp

        logging.getLogger("absl").setLevel(logging.ERROR)
        self._ocp = ocp
        self.folder = Path(folder).absolute()
        # Through JSON, so that what is compared at restore is what was written (tuples become lists).
        self.settings = json.loads(json.dumps(settings))
        try:
            self._manager = ocp.CheckpointManager(
                self.folder, options=ocp.CheckpointManagerOptions(max_to_keep=keep, create=True)
            )
        except OSError as error:
            raise ValueError(f"Cannot keep checkpoints in {self.folder}: {error.strerror or error}.") from error

    def latest(self) -> int | None:
        """The step of the newest complete checkpoint, or None."""
        return self._manager.latest_step()

    def save(self, state: TrainState) -> None:
        """Starts writing the state; returns as soon as the run may go on. Saving a step twice is a no-op."""
        step = int(state.step)
        if step == self.latest():
            return
        # The next step donates the state's buffers, which on CPU orbax would still be reading: hand it copies.
        state = jax.tree.map(jnp.copy, state)
        args = self._ocp.args
        self._manager.save(
            step, args=args.Composite(state=args.StandardSave(state), settings=args.JsonSave(self.settings))
        )

    def restore(self, like: TrainState) -> TrainState | None:
        """The newest state, placed as `like` is; None if there is none yet.

        Raises ValueError if the checkpoint was made under other settings, naming those that differ, or is damaged.
        """
        step = self.latest()
        if step is None:
            return None
        args = self._ocp.args
        found = self._read(step, settings=args.JsonRestore()).settings
        differing = sorted(k for k in {*found, *self.settings} if found.get(k) != self.settings.get(k))
        if differing:
            raise ValueError(
                f"{self.folder} holds a run with other settings ({', '.join(differing)}); "
                "choose another --out, or --fresh to start over."
            )
        abstract = jax.tree.map(self._ocp.utils.to_shape_dtype_struct, like)
        return self._read(step, state=args.StandardRestore(abstract)).state

    def reached_preemption(self, step: int) -> bool:
        """Whether the scheduler of a many-host job asked all hosts to stop at this step."""
        return bool(self._manager.reached_preemption(step))

    def wait(self) -> None:
        """Blocks until everything saved so far is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits for the last save, then lets go of the folder."""
        self._manager.wait_until_finished()
        self._manager.close()

    def _read(self, step: int, **items: Any) -> Any:
        try:
            return self._manager.restore(step, args=self._ocp.args.Composite(**items))
        except Exception as error:  # orbax raises whatever its file formats raise
            reason = str(error).split("\n")[0][:200]
            raise ValueError(f"{self.folder / str(step)} is damaged ({reason}); start over with --fresh.") from error

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
