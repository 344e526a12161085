"""Settling on the few rows that a task touches: the rules run on the seated nodes' rows, not on all N.

A rule that settles a task reads and writes only the rows of its seats and of its payer. So those rows are gathered once
(each node once, at its first seat; the other rows stay empty), the same rules run on them, and they are written back:
the same bits as on all rows, at a cost that does not grow with N.
"""

from typing import NamedTuple

import numpy as np

from consensus.state import Array, Nodes, Round
from consensus.units import namespace, total


class Committee(NamedTuple):
    """A task's rows: B = 1 + G + D, the payer first."""

    index_B: Array  # node of each row, -1 for a row that is not used
    nodes: Nodes  # B rows
    round: Round  # with seats that point into the rows


def gather(nodes: Nodes, round: Round, payer: int) -> Committee:
    """The rows of the payer and of every seated node."""
    xp = namespace(nodes.bonded_micro_N)
    payer_1 = xp.zeros((1,), xp.int64) + payer
    node_B = xp.concatenate([payer_1, round.generator_G, round.discriminator_D])
    is_same_BB = node_B[:, None] == node_B[None, :]
    first_B = xp.argmax(is_same_BB, axis=1).astype(xp.int64)
    order_B = xp.arange(node_B.shape[0], dtype=xp.int64)
    index_B = xp.where((first_B == order_B) & (node_B >= 0), node_B, -1)
    G = round.generator_G.shape[0]
    local_B = xp.where(node_B >= 0, first_B, -1)
    local = round._replace(generator_G=local_B[1 : 1 + G], discriminator_D=local_B[1 + G :])
    return Committee(index_B, Nodes(*(take_rows(leaf, index_B) for leaf in nodes)), local)


def take_rows(leaf: Array, index_B: Array) -> Array:
    """The rows at these indices; zeros for an index of -1."""
    xp = namespace(leaf)
    is_used_B = index_B >= 0
    rows = leaf[xp.maximum(index_B, 0)]
    mask = is_used_B if leaf.ndim == 1 else is_used_B[:, None]
    return xp.where(mask, rows, 0)


def scatter(nodes: Nodes, index_B: Array, before: Nodes, after: Nodes) -> Nodes:
    """The rows written back; leaves that the rules did not replace are left alone."""
    return Nodes(
        *(
            leaf if old is new else put_rows(leaf, index_B, new)
            for leaf, old, new in zip(nodes, before, after, strict=True)
        )
    )


def put_rows(leaf: Array, index_B: Array, rows: Array) -> Array:
    """A copy of the leaf with these rows; an index of -1 writes nothing."""
    if isinstance(leaf, np.ndarray):
        out = leaf.copy()
        out[index_B[index_B >= 0]] = rows[index_B >= 0]
        return out
    xp = namespace(leaf)
    return leaf.at[xp.where(index_B >= 0, index_B, leaf.shape[0])].set(rows, mode="drop")


def count_same(node_S: Array) -> Array:
    """How many seats [..., S] the node of each seat holds."""
    return total(node_S[..., :, None] == node_S[..., None, :], axis=-1)


def is_first(node_S: Array) -> Array:
    """True [..., S] at the first seat of each node."""
    xp = namespace(node_S)
    order_S = xp.broadcast_to(xp.arange(node_S.shape[-1], dtype=xp.int64), node_S.shape)
    is_same = node_S[..., :, None] == node_S[..., None, :]
    return (xp.argmax(is_same, axis=-1).astype(xp.int64) == order_S) & (node_S >= 0)
