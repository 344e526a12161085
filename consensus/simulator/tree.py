"""Draws in proportion to weights without looking at every node: an integer tree of sums with 16 branches.

`draw_seats` gives exactly the nodes that `rules.seats.draw_seats` gives for the same draws, at a cost of a few rows of
16 numbers a draw instead of a pass over all N nodes, and `update` moves the weights of a few nodes for as little.
Running sums are kept within each row, so that a draw is a comparison with a row and no summing at all, and each level
is an array of its own, which stays in place when it changes. NumPy and JAX alike.

    tree = build(weight_N)
    seat_S = draw_seats(tree, draw_S16)
    tree = update(tree, seat_S, change_S)

Measured on one core, alone and over 64 networks at once, a draw with its changes costs less than a pass over all nodes
from 8 nodes a seat on; `NODES_A_SEAT` leaves room for what else it takes to keep the weights up to date.
"""

from typing import Any, NamedTuple

from consensus.rules.seats import first_seats, reduce_draw
from consensus.units import Array, namespace

BRANCHES = 16
NODES_A_SEAT = 32


class SumTree(NamedTuple):
    """Running sums of weights within rows; the first level has the nodes, the last one row."""

    levels: tuple[Array, ...]  # int64 [rows,16] each, the last [1,16 or less]; row r is entry r of the level above


def is_worth_it(nodes: int, seats: int) -> bool:
    """Whether the tree draws `seats` of `nodes` faster than a pass over all nodes."""
    return nodes >= NODES_A_SEAT * seats


def build(weight_N: Array) -> SumTree:
    """The tree over weights [N] of at least 0, which sum to less than 2^62; one pass over all of them."""
    xp = namespace(weight_N)
    levels: list[Array] = []
    while not levels or weight_N.shape[0] > 1:
        branches = min(BRANCHES, weight_N.shape[0])
        rows = -(-weight_N.shape[0] // branches)
        padded = xp.pad(weight_N, (0, rows * branches - weight_N.shape[0]))
        levels.append(xp.cumsum(xp.reshape(padded, (rows, branches)), axis=1, dtype=xp.int64))
        weight_N = levels[-1][:, -1]
    return SumTree(tuple(levels))


def total_weight(tree: SumTree) -> Array:
    """The sum of all weights."""
    return tree.levels[-1][0, -1]


def find(tree: SumTree, point_S: Array) -> Array:
    """The first node i [S] with cumsum(weight)_i > point, for points from 0 to the total, exclusive."""
    xp = namespace(point_S)
    row_S = xp.zeros_like(point_S)
    for level in reversed(tree.levels):
        # Only in an empty tree a point passes every branch; what is found there is not used.
        row_S, before_S = _descend(level, xp.minimum(row_S, level.shape[0] - 1), point_S)
        point_S = point_S - before_S
    return row_S


def draw_seats(tree: SumTree, draw_S16: Array) -> Array:
    """R2: the node of each seat [S] for beacon bytes [S,16]; -1 if every weight is 0."""
    total = total_weight(tree)
    seat_S = find(tree, reduce_draw(draw_S16, total))
    return namespace(seat_S).where(total > 0, seat_S, -1)


def get_weights(tree: SumTree, index_S: Array) -> Array:
    """The weights [S] of these nodes; 0 for an index of -1."""
    xp = namespace(index_S)
    leaves, known_S = tree.levels[0], xp.maximum(index_S, 0)
    row_S, place_S = known_S // BRANCHES, known_S % BRANCHES
    before_S = xp.where(place_S > 0, leaves[row_S, xp.maximum(place_S - 1, 0)], 0)
    return xp.where(index_S >= 0, leaves[row_S, place_S] - before_S, 0)


def update(tree: SumTree, index_S: Array, change_S: Array) -> SumTree:
    """The tree with each change added to the weight at its index; equal indices add up, -1 adds nothing."""
    xp = namespace(index_S)
    change_S = xp.where(index_S >= 0, change_S, 0)
    index_S = xp.maximum(index_S, 0)
    levels = []
    for level in tree.levels:
        branch_B = xp.arange(level.shape[1], dtype=xp.int64)
        row_S, place_S = index_S // BRANCHES, index_S % BRANCHES
        change_SB = xp.where(branch_B[None, :] >= place_S[:, None], change_S[:, None], 0)
        levels.append(add_rows(level, row_S, change_SB))
        index_S = row_S
    return SumTree(tuple(levels))


def replace(tree: SumTree, index_S: Array, weight_S: Array) -> SumTree:
    """The tree with new weights at these nodes; equal indices must come with equal weights, -1 changes nothing."""
    xp = namespace(index_S)
    is_first_S = first_seats(index_S, index_S >= 0)
    return update(tree, index_S, xp.where(is_first_S, weight_S - get_weights(tree, index_S), 0))


def _descend(level: Array, row_S: Array, point_S: Array) -> tuple[Array, Array]:
    """The row of the next level [S] that each point falls into, and the sum before it within this row [S]."""
    xp = namespace(level)
    sums_SB = level[row_S]
    is_passed_SB = sums_SB <= point_S[:, None]
    first_B = xp.arange(level.shape[1], dtype=xp.int64) == 0
    # The first branch also brings the number of its row, so that the sum of this is the next row.
    number_SB = xp.where(first_B[None, :], BRANCHES * row_S[:, None], 0) + is_passed_SB.astype(xp.int64)
    before_SB = xp.where(is_passed_SB, sums_SB, 0)
    if not hasattr(level, "at"):
        return xp.sum(number_SB, axis=1), xp.max(before_SB, axis=1)
    from jax import lax

    # Both in one reduction: two would each write their terms to memory first.
    join: Any = lambda a, b: (a[0] + b[0], xp.maximum(a[1], b[1]))
    zero = xp.zeros((), xp.int64)
    return lax.reduce((number_SB, before_SB), (zero, zero), join, (1,))


def add_rows(x_NB: Array, row_S: Array, change_SB: Array) -> Array:
    """A copy (under jit: in place) of a table with changes added to its rows; equal rows add up."""
    if hasattr(x_NB, "at"):
        return x_NB.at[row_S].add(change_SB)
    out_NB = x_NB.copy()
    namespace(x_NB).add.at(out_NB, row_S, change_SB)
    return out_NB
