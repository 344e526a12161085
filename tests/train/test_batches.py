"""A batch is a function of (seed, step), whoever makes it and whenever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.batches import batch_function, example_indices


def _make_row(index, randomness):
    return {"index": np.int32(index), "noise": np.float64(randomness.random())}


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 16))
def test_an_epoch_shows_every_example_once(seed, source_size, batch_size):
    steps = -(-2 * source_size // batch_size)
    seen = [i for step in range(steps) for i in example_indices(seed, step, range(batch_size), batch_size, source_size)]
    assert sorted(seen[:source_size]) == sorted(seen[source_size : 2 * source_size]) == list(range(source_size))


def test_seeds_and_epochs_have_other_orders():
    orders = {tuple(example_indices(seed, step, range(50), 50, 50)) for seed in range(3) for step in range(3)}
    assert len(orders) == 9


def test_two_hosts_make_the_batch_that_one_makes():
    whole = batch_function(_make_row, 100, 8, seed=3)
    halves = [batch_function(_make_row, 100, 8, seed=3, rows=rows) for rows in (range(4), range(4, 8))]
    for step in (0, 5, 31):
        for name, leaf in whole(step).items():
            np.testing.assert_array_equal(leaf, np.concatenate([half(step)[name] for half in halves]))


def test_a_batch_does_not_depend_on_what_was_made_before():
    fresh, used = (batch_function(_make_row, 10, 4, seed=1) for _ in range(2))
    for step in range(7):
        used(step)
    np.testing.assert_array_equal(used(3)["noise"], fresh(3)["noise"])
    assert len({*used(3)["noise"], *used(4)["noise"]}) == 8


def test_an_empty_source_is_one_clear_error():
    with pytest.raises(ValueError, match="nothing to train on"):
        batch_function(_make_row, 0, 4, seed=0)(0)
