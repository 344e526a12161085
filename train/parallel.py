"""The same step on one device or many.

`jit_step` is the main path: the batch is split along its rows over a mesh, the state is replicated, and XLA finds the
sums. `pmap_step` runs the same step as one program a device, for machines and habits that want it. Both take and give
a plain, un-stacked state, and agree to rounding (a test holds them to it; dropout masks differ by design).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from train.step import Batch, LossFn, Metrics, Optimizer, TrainState, make_step

AXIS = "data"
Step = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]


def data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """A mesh of one axis over the given devices (all of them by default)."""
    devices = list(devices if devices is not None else jax.devices())
    return jax.make_mesh((len(devices),), (AXIS,), axis_types=(AxisType.Auto,), devices=devices)


def jit_step(loss_fn: LossFn, optimizer: Optimizer, mesh: Mesh) -> Step:
    """The step as one program over the mesh. The old state's buffers are given away: use the returned state."""
    replicated = NamedSharding(mesh, PartitionSpec())
    rows = NamedSharding(mesh, PartitionSpec(AXIS))
    step = make_step(loss_fn, optimizer)
    return jax.jit(step, in_shardings=(replicated, rows), out_shardings=(replicated, replicated), donate_argnums=0)


def pmap_step(loss_fn: LossFn, optimizer: Optimizer, devices: Sequence[jax.Device] | None = None) -> Step:
    """The step as one program a device. Rows are dealt out in order; their number must divide by the devices'."""
    devices = list(devices if devices is not None else jax.devices())
    step = jax.pmap(
        make_step(loss_fn, optimizer, AXIS), AXIS, in_axes=(None, 0), out_axes=(None, None), devices=devices
    )
    count = len(devices)

    def run(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        check_batch_size(_rows_of(batch), count)
        return step(state, {name: leaf.reshape(count, -1, *leaf.shape[1:]) for name, leaf in batch.items()})

    return run


def place_state(state: TrainState, mesh: Mesh) -> TrainState:
    """The state, replicated over the mesh. Copies, so that donation never eats the caller's arrays."""
    replicated = NamedSharding(mesh, PartitionSpec())
    return jax.tree.map(lambda leaf: jax.device_put(np.array(leaf), replicated), state)


def place_batch(batch: Mapping[str, np.ndarray], mesh: Mesh) -> dict[str, Any]:
    """The global batch, split along its rows over the mesh; on many hosts each passes its own rows (`host_rows`)."""
    rows = NamedSharding(mesh, PartitionSpec(AXIS))
    if jax.process_count() > 1:
        return {name: jax.make_array_from_process_local_data(rows, leaf) for name, leaf in batch.items()}
    check_batch_size(_rows_of(batch), mesh.size)
    return {name: jax.device_put(leaf, rows) for name, leaf in batch.items()}


def host_rows(batch_size: int) -> range:
    """Which rows of the global batch this host makes."""
    hosts, host = jax.process_count(), jax.process_index()
    if batch_size % hosts:
        raise ValueError(
            f"A batch of {batch_size} rows cannot be dealt to {hosts} hosts; choose a multiple of {hosts}."
        )
    share = batch_size // hosts
    return range(host * share, (host + 1) * share)


def check_batch_size(batch_size: int, devices: int) -> None:
    """Raises ValueError unless a batch can be dealt out evenly."""
    if batch_size % devices:
        raise ValueError(
            f"A batch of {batch_size} rows cannot be dealt to {devices} devices; "
            f"choose a batch size that {devices} divides."
        )


def _rows_of(batch: Mapping[str, Any]) -> int:
    return len(next(iter(batch.values())))
