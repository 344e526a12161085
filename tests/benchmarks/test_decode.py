"""The benchmark of decoding measures equal work, and counts what a step reads once."""

import numpy as np
import pytest

from benchmarks.decode import Case, bytes_of_a_step, make_case, require_equal


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("toy", source_len=16, batch=2, lengths=(2, 4), beams=1, alone=True)


def test_other_tokens_end_the_run():
    ours = np.array([[5, 6, 7], [5, 6, 8]])
    require_equal(ours, np.concatenate([ours, [[1], [1]]], axis=1))
    with pytest.raises(SystemExit, match=r"Row 1 differs from token 2 on: ours \[8\], HF \[9 1\]"):
        require_equal(ours, np.array([[5, 6, 7, 1], [5, 6, 9, 1]]))


def test_a_step_reads_the_decoder_the_table_and_the_keys(case):
    d, d_ff, n_keys, batch = 32, 64, 16, 2
    matrices = d * 3 * d + d * d + 2 * d * d + 2 * d * d_ff  # self-attention, its output, across, feed-forward
    biases_and_norms = 3 * d + d + 2 * d + d_ff + d + 3 * 2 * d
    expected = matrices + biases_and_norms + 96 * d + batch * n_keys * d * 2
    assert bytes_of_a_step(case, n_keys) == 4 * expected
