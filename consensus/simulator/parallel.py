"""A batch of runs over devices: each device plays its own runs and none waits for another.

The default is one `jax.jit` with `NamedSharding` over the axis of runs and a `shard_map` inside, so that no operation
is split by guess; `pmap` is the same with the older door. A batch is filled up with repeats of its last run to a
multiple of the devices and these are dropped again. Under `jax.distributed` the devices of all processes take part.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.loops import map_leaves
from consensus.simulator.run import COMPILER_OPTIONS, to_numpy
from consensus.simulator.setting import Setting, Static, count_axes

Run = Callable[..., Any]  # (static, setting, seed, rounds) -> a pytree


class Plan(NamedTuple):
    """How a batch is played."""

    static: Static
    parallel: str  # "jit", "pmap" or "numpy"
    rounds: int
    batch_runs: int  # what a batch is filled up to, so that the last one needs no compilation of its own


def count_devices() -> int:
    """Devices of all processes."""
    import jax

    return jax.device_count()


def is_first_process() -> bool:
    """Whether this process is the one that writes."""
    import jax

    return jax.process_index() == 0


def run_batch(plan: Plan, run: Run, settings: Setting, seed_B: np.ndarray) -> Any:
    """`run` for every setting and seed of a batch; NumPy leaves with the leading axis B."""
    runs = len(seed_B)
    if plan.parallel == "numpy":
        ones = [run(plan.static, _take(settings, i), seed_B[i], plan.rounds) for i in range(runs)]
        return map_leaves(lambda *leaves: np.stack(leaves), *ones)
    import jax

    devices = count_devices()
    full = -(-plan.batch_runs // devices) * devices
    index_B = np.minimum(np.arange(full), runs - 1)
    settings = _take(settings, index_B)
    axes = map_leaves(lambda is_own: 0 if is_own else None, _is_own(settings))
    with jax.enable_x64(True):
        door = _pmap if plan.parallel == "pmap" else _shard
        out = door(plan.static, run, axes)(settings, seed_B[index_B], np.int64(plan.rounds))
        return map_leaves(lambda leaf: to_numpy(leaf)[:runs], out)


@cache
def _shard(static: Static, run: Run, axes: Setting) -> Callable[..., Any]:
    """The batch under jit, its runs sharded over one mesh axis."""
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((jax.device_count(),), ("runs",), axis_types=(AxisType.Auto,))
    split, whole = PartitionSpec("runs"), PartitionSpec()
    specs = (map_leaves(lambda axis: whole if axis is None else split, axes), split, whole)
    many = jax.vmap(lambda *arguments: run(static, *arguments), in_axes=(axes, 0, None))
    mapped = jax.shard_map(many, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)
    compiled = jax.jit(mapped, compiler_options=COMPILER_OPTIONS)

    def play(*arguments: Any) -> Any:
        place = lambda leaf, spec: _place(leaf, NamedSharding(mesh, spec))
        return _collect(compiled(*map_leaves(place, arguments, specs)))

    return play


@cache
def _pmap(static: Static, run: Run, axes: Setting) -> Callable[..., Any]:
    """The batch under pmap, runs as [devices, runs a device]; one process."""
    import jax

    devices = jax.local_device_count()
    many = jax.vmap(lambda *arguments: run(static, *arguments), in_axes=(axes, 0, None))
    mapped = jax.pmap(many, in_axes=(axes, 0, None))
    deal = lambda leaf: leaf.reshape(devices, -1, *leaf.shape[1:])

    def play(settings: Setting, seed_B: np.ndarray, rounds: np.int64) -> Any:
        dealt = map_leaves(lambda leaf, axis: leaf if axis is None else deal(leaf), settings, axes)
        out = mapped(dealt, deal(seed_B), rounds)
        return map_leaves(lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:]), out)

    return play


def _place(leaf: np.ndarray, sharding: Any) -> Any:
    """A host array on the devices; every process holds the whole of it and gives its own part."""
    import jax

    return jax.make_array_from_callback(np.shape(leaf), sharding, lambda index: np.asarray(leaf)[index])


def _collect(out: Any) -> Any:
    """The result on every host."""
    import jax

    if jax.process_count() == 1:
        return jax.block_until_ready(out)
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(out, tiled=True)


def _is_own(settings: Setting) -> Any:
    own = lambda part: type(part)(*(leaf.ndim > count_axes(name) for name, leaf in part._asdict().items()))
    return Setting(*(own(part) for part in settings))


def _take(settings: Setting, index: Any) -> Setting:
    return map_leaves(lambda leaf, is_own: leaf[index] if is_own else leaf, settings, _is_own(settings))
