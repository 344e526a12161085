"""How long messages take: a random regular graph, lognormal link delays, store and forward; shortest paths by scipy.

A window of w blocks works for a seated node if the block that opens it has reached the node, its model has run, and
what it says has reached the proposer of the window's last block, all within w block times. The shortest block time is
the one at which that holds for 99.9 % of all messages, and at which a proposer has the block before its own.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra


class NetworkModel(NamedTuple):
    """What is assumed of machines and of the lines between them."""

    neighbours: int = 8  # even; fewer where there are not so many nodes
    delay_median_s: float = 0.05  # of one link, one way
    delay_sigma: float = 0.5  # of its logarithm
    bytes_a_second: float = 2.5e6  # of a node's line; it serves its neighbours one after another
    check_s: float = 1.3e-4  # a signature, at every hop
    answer_median_s: float = 1.0  # a call of a generator
    verdict_median_s: float = 1.0  # a call of a discriminator on all candidates
    call_sigma: float = 0.5
    on_time: float = 0.999
    proposers: int = 16  # sampled a graph
    seated: int = 256  # nodes sampled a graph


class Windows(NamedTuple):
    """Blocks of each window, in order; the task settles at the end of the last."""

    answer_commit: int
    answer_reveal: int
    verdict_commit: int
    verdict_reveal: int
    canary_reveal: int

    @property
    def blocks(self) -> int:
        """From the block that opens the task to the one that settles it."""
        return sum(self)


class Timing(NamedTuple):
    """One network's times, seconds."""

    hop_s: float  # median time of a message between two nodes
    block_s: float  # median time until a node has a block
    shortest_block_s: float
    settle_s: float  # from opening to settling at that block time


def measure_timing(
    model: NetworkModel, windows: Windows, nodes: int, block_bytes: float, message_bytes: float, seed: int
) -> Timing:
    """Times of one random network of `nodes` nodes."""
    rng = np.random.default_rng(seed)
    links, delay = _make_graph(model, nodes, rng)
    queue = (min(model.neighbours, nodes - 1) + 1) / 2  # a neighbour waits for half of the others
    spread = lambda size: csr_matrix((delay + model.check_s + size * queue / model.bytes_a_second, links), (nodes,) * 2)
    proposers = rng.choice(nodes, min(model.proposers, nodes), replace=False)
    seated = rng.choice(nodes, min(model.seated, nodes), replace=False)
    blocks_PN = dijkstra(spread(block_bytes), directed=False, indices=proposers)
    messages_PN = dijkstra(spread(message_bytes), directed=False, indices=proposers)
    down_PS, up_PS = blocks_PN[:, seated], messages_PN[:, seated]
    # Any proposer opens a window and any other closes it.
    both_PPS = down_PS[:, None, :] + up_PS[None, :, :]
    call = lambda median: median * np.exp(model.call_sigma * rng.standard_normal(both_PPS.shape))
    late = lambda seconds: float(np.quantile(seconds, model.on_time))
    needed = (
        late(both_PPS + call(model.answer_median_s)) / windows.answer_commit,
        late(both_PPS) / min(windows.answer_reveal, windows.verdict_reveal, windows.canary_reveal),
        late(both_PPS + call(model.verdict_median_s)) / windows.verdict_commit,
        late(blocks_PN[:, proposers]),
    )
    shortest = max(needed)
    return Timing(float(np.median(up_PS)), float(np.median(down_PS)), shortest, shortest * windows.blocks)


def _make_graph(
    model: NetworkModel, nodes: int, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Links (from, to) of a connected random graph and their delays: rings in random orders laid over each other."""
    pairs = []
    for _ in range(max(1, min(model.neighbours, nodes - 1) // 2)):
        order = rng.permutation(nodes)
        pairs.append(np.stack([order, np.roll(order, 1)]))
    ends = np.unique(np.sort(np.concatenate(pairs, axis=1), axis=0), axis=1)
    delay = model.delay_median_s * np.exp(model.delay_sigma * rng.standard_normal(ends.shape[1]))
    return (ends[0], ends[1]), delay
