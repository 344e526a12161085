"""A batch is a function of (seed, step): which examples, in which order, with which randomness.

Nothing has to be remembered to resume, and any number of hosts sees the same global batch: host h of H makes its own
rows of it. Each epoch is one permutation of the source, keyed by (seed, epoch).
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

MakeRow = Callable[[int, random.Random], Mapping[str, np.ndarray]]


def example_indices(seed: int, step: int, rows: Iterable[int], batch_size: int, source_size: int) -> list[int]:
    """Returns the source index of each of the given rows of the batch of a step.

    >>> sorted(example_indices(0, 0, range(4), 4, 8) + example_indices(0, 1, range(4), 4, 8))
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    if source_size < 1:
        raise ValueError("There is nothing to train on: the source is empty.")
    places = (divmod(step * batch_size + row, source_size) for row in rows)
    return [int(_permutation(seed, epoch, source_size)[offset]) for epoch, offset in places]


def row_randomness(seed: int, step: int, row: int) -> random.Random:
    """Returns the randomness of one row of one batch; rows and steps are independent of each other.

    Python's own generator, because seeding it is six times cheaper than NumPy's and it happens once a row.
    """
    return random.Random((seed % 2**64) << 64 | step << 32 | row)


def batch_function(
    make_row: MakeRow, source_size: int, batch_size: int, seed: int, rows: range | None = None
) -> Callable[[int], dict[str, np.ndarray]]:
    """Returns `batch_at(step) -> {name: array [rows, ...]}`.

    `make_row(index, randomness)` makes one example, as arrays of fixed shapes, from the source's item `index`. `rows`
    are this host's rows of the global batch (`train.parallel.host_rows`), all by default.
    """
    rows = range(batch_size) if rows is None else rows

    def batch_at(step: int) -> dict[str, np.ndarray]:
        indices = example_indices(seed, step, rows, batch_size, source_size)
        made = [make_row(i, row_randomness(seed, step, row)) for i, row in zip(indices, rows, strict=True)]
        return {name: np.stack([example[name] for example in made]) for name in made[0]}

    return batch_at


def padded(ids: Sequence[int] | np.ndarray, length: int) -> np.ndarray:
    """Returns `ids` and zeros behind them, int32 [length]."""
    row = np.zeros(length, np.int32)
    row[: len(ids)] = ids
    return row


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, size: int) -> np.ndarray:
    key = np.random.SeedSequence([seed % 2**64, epoch])
    return np.random.Generator(np.random.Philox(key)).permutation(size)
