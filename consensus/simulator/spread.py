"""One large network over several devices: its nodes are dealt out, the rest is on every device. The same bits.

For networks whose rows do not fit on one device; a sweep of small ones is better spread over its runs (parallel.py).
Rows are filled up to a multiple of the devices with nodes that hold no role, which changes nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from consensus.simulator.checks import check_run
from consensus.simulator.loops import map_leaves
from consensus.simulator.run import COMPILER_OPTIONS, play, to_numpy
from consensus.simulator.setting import Setting, Static, count_axes
from consensus.simulator.world import State


def simulate_spread(static: Static, params: Setting, state: State, seed: int, rounds: int) -> State:
    """What `simulate` gives, with the axis of nodes over all devices of this process."""
    import jax

    check_run(static, params, seed, rounds)
    nodes, devices = static.nodes, jax.local_device_count()
    extra = -nodes % devices
    wide = static._replace(nodes=nodes + extra)
    params = params._replace(conduct=_pad(params.conduct, extra))
    state = state._replace(nodes=_pad(state.nodes, extra))
    with jax.enable_x64(True):
        out = jax.block_until_ready(_compiled(wide)(params, state, np.int64(seed), np.int64(rounds)))
        out = map_leaves(to_numpy, out)
    return out._replace(nodes=type(out.nodes)(*(leaf[:nodes] for leaf in out.nodes)))


@cache
def _compiled(static: Static) -> Callable[..., State]:
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((jax.local_device_count(),), ("nodes",), axis_types=(AxisType.Auto,))
    split, whole = NamedSharding(mesh, PartitionSpec("nodes")), NamedSharding(mesh, PartitionSpec())

    def place(tree: Any) -> Any:
        """The rows of a tree over the mesh, everything else on every device."""
        if isinstance(tree, tuple):
            fields = getattr(tree, "_fields", None)
            parts = [_by_name(name, leaf) for name, leaf in zip(fields, tree, strict=True)] if fields else tree
            return type(tree)(*map(place, parts)) if fields else tuple(map(place, parts))
        return tree

    def _by_name(name: str, leaf: Any) -> Any:
        if isinstance(leaf, tuple):
            return leaf
        has_rows = count_axes(name) > 0 and name.rpartition("_")[2].startswith("N")
        return jax.device_put(leaf, split if has_rows else whole)

    run = jax.jit(lambda *arguments: play(static, *arguments), compiler_options=COMPILER_OPTIONS)
    return lambda params, state, seed, rounds: run(place(params), place(state), seed, rounds)


def _pad(rows: Any, extra: int) -> Any:
    """More rows of zeros at the end of every leaf that has one a node."""
    widen = lambda leaf: np.concatenate([leaf, np.zeros((extra, *leaf.shape[1:]), dtype=np.int64)])
    has_rows = lambda name: count_axes(name) > 0 and name.rpartition("_")[2].startswith("N")
    return type(rows)(*(widen(leaf) if has_rows(name) else leaf for name, leaf in rows._asdict().items()))
