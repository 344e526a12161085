"""Tell XLA that a loop over examples and heads may be split among devices along both, which it cannot see by itself.

Without this, `jit` of sharded arrays gathers the whole batch on every device before the loop. Under `vmap` the mapped
axis joins the examples, so the loop stays one loop.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.custom_batching import custom_vmap
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import NamedSharding, PartitionSpec


def over_batch_and_heads(compute: Callable[..., Any], key_heads: int, *arguments: Any) -> Any:
    """`compute(*arguments)`, split among devices and mapped along the first axis and the heads.

    Args:
      compute: works alike on any part of the examples, and on any part of the key heads with their query heads.
      key_heads: their number in `arguments`.
      arguments: trees of arrays [B,...] or [B,length,heads,...], the first with query heads; so must the results be.
    """
    leaves, tree = jax.tree.flatten(arguments)

    def compute_leaves(*leaves: jax.Array) -> Any:
        return compute(*jax.tree.unflatten(tree, leaves))

    split = custom_partitioning(compute_leaves)
    results = jax.tree.leaves(jax.eval_shape(compute_leaves, *leaves))

    def partition(mesh: Any, arguments: Sequence[Any], results: Any) -> Any:
        batch, heads = _axes(mesh, arguments[0].sharding, leaves[0].shape[0], key_heads)

        def place(x: Any) -> NamedSharding:
            return NamedSharding(mesh, PartitionSpec(*(batch, None, heads)[: x.ndim]))

        return mesh, compute_leaves, jax.tree.map(place, results), tuple(place(x) for x in arguments)

    split.def_partition(partition, sharding_rule=_rule(leaves, results, key_heads))
    mapped = custom_vmap(split)

    @mapped.def_vmap
    def joined(size: int, is_mapped: Sequence[bool], *leaves: jax.Array) -> Any:
        def join(x: jax.Array, is_mapped: bool) -> jax.Array:
            if not is_mapped:
                x = jax.numpy.broadcast_to(x, (size, *x.shape))
            return x.reshape(-1, *x.shape[2:])

        whole = [join(x, mapped) for x, mapped in zip(leaves, is_mapped, strict=True)]
        results = over_batch_and_heads(compute, key_heads, *jax.tree.unflatten(tree, whole))
        parts = jax.tree.map(lambda x: x.reshape(size, -1, *x.shape[1:]), results)
        return parts, jax.tree.map(lambda _: True, parts)

    return mapped(*leaves)


def _axes(mesh: Any, sharding: Any, batch: int, key_heads: int) -> tuple[Any, Any]:
    """The mesh axes over which the queries' examples and heads lie; None where they do not divide their number."""
    spec = (*sharding.spec, None, None, None)

    def fitting(axes: Any, count: int) -> Any:
        names = () if axes is None else axes if isinstance(axes, tuple) else (axes,)
        return None if count % math.prod(mesh.shape[name] for name in names) else axes

    return fitting(spec[0], batch), fitting(spec[2], key_heads)


def _rule(arguments: Sequence[Any], results: Sequence[Any], key_heads: int) -> Callable[..., Any]:
    """Shardy's rule: examples and key heads pass through, every other axis is needed whole."""
    group = arguments[0].shape[2] // key_heads

    def rule(mesh: Any, *_: Any) -> tuple[str, dict[str, Any]]:
        # Shardy would cut a mesh axis in two for groups of heads that it does not divide, and no PartitionSpec says so.
        by_heads = group == 1 or key_heads % mesh.size == 0
        whole: list[str] = []

        def factor(axis: int, size: int) -> str:
            if axis == 0:
                return "b"
            if axis == 2 and by_heads:
                return "k" if size == key_heads else "(k r)"
            whole.append(f"w{len(whole)}")
            return whole[-1]

        def factors(x: Any) -> str:
            return " ".join(factor(axis, size) for axis, size in enumerate(x.shape))

        text = f"{', '.join(map(factors, arguments))} -> {', '.join(map(factors, results))}"
        return text, {"need_replication_factors": tuple(whole)} | ({"r": group} if "(k r)" in text else {})

    return rule
