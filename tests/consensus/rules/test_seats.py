"""R2: who sits, by enumeration of every draw."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules.seats import (
    compute_reputation_q16,
    compute_seat_weights,
    draw_seats,
    first_seats,
    reduce_draw,
)
from consensus.units import MICRO, Q16
from tests.consensus.rules.small import draws, int64, network_and_nodes, params_with

NOBODY_N = np.zeros(8, dtype=bool)


@given(st.binary(min_size=16, max_size=16), st.integers(1, 2**50 - 1))
def test_a_draw_is_the_big_endian_number_modulo_v(data: bytes, v: int) -> None:
    assert int(reduce_draw(int64(list(data)), int64(v))) == int.from_bytes(data, "big") % v


def test_seats_follow_weight_exactly() -> None:
    """Every point of the line once: node i sits v_i times in V draws."""
    weight_N = int64([0, 3, 0, 5, 2, 0])
    bytes_S16 = np.zeros((10, 16), dtype=np.int64)
    bytes_S16[:, 15] = np.arange(10)
    assert Counter(draw_seats(weight_N, bytes_S16).tolist()) == {1: 3, 3: 5, 4: 2}
    assert draw_seats(weight_N * 0, bytes_S16).tolist() == [-1] * 10


def test_reputation_starts_at_the_floor_and_needs_proof() -> None:
    params = params_with()
    _, nodes = network_and_nodes(params)
    good_NR = nodes.good_q8_NR.copy()
    bad_NR = nodes.bad_q8_NR.copy()
    good_NR[1, 0] = 24 * 256
    good_NR[2, 0], bad_NR[2, 0] = 8 * 256, 16 * 256
    f_N = compute_reputation_q16(params, nodes._replace(good_q8_NR=good_NR, bad_q8_NR=bad_NR), 0)
    assert f_N[1:4].tolist() == [Q16 * 24 // 25, Q16 * 8 // 25, Q16 // 4]


def test_who_may_sit() -> None:
    params = params_with(stake_min_micro=100)
    network, nodes = network_and_nodes(params, bonded_micro=1_000)
    nodes = nodes._replace(
        locked_micro_N=int64([0, 501, 500, 0, 0, 0, 0, 0]), jailed_until_N=int64([0, 0, 0, 0, 2, 1, 0, 0])
    )
    weigh = lambda role, needed, barred_N=NOBODY_N: (
        compute_seat_weights(params, network, nodes, role, int64(needed), barred_N) > 0
    ).tolist()
    assert weigh(0, 500) == [False, False, True, True, False, False, False, False]  # node 1 has 499 free
    assert weigh(0, 0) == [False, True, True, True, False, False, False, False]
    assert weigh(1, 0) == [False] * 5 + [True] * 3  # node 4 is jailed until height 2, node 5 is free again at 1
    assert weigh(1, 0, np.arange(8) == 6) == [False] * 5 + [True, False, True]
    poor = params_with(stake_min_micro=1_001)
    assert not compute_seat_weights(poor, network, nodes, 0, int64(0), NOBODY_N).any()


def test_weight_is_linear_in_stake() -> None:
    """Splitting a stake over two keys of equal reputation leaves its weight unchanged (I6), to the floor."""
    params = params_with(stake_min_micro=1)
    network, nodes = network_and_nodes(params)
    half = nodes._replace(bonded_micro_N=nodes.bonded_micro_N // 2)
    whole = compute_seat_weights(params, network, nodes, 0, int64(0), NOBODY_N)[1]
    parts = compute_seat_weights(params, network, half, 0, int64(0), NOBODY_N)[1:3].sum()
    assert 0 <= whole - parts <= 1


def test_seats_are_spread_over_equal_nodes() -> None:
    weight_N = np.full(8, 1_000_000 * MICRO)
    counts = np.bincount(draw_seats(weight_N, draws(0, 8_000)), minlength=8)
    assert abs(counts - 1_000).max() < 5 * 30  # five standard deviations of a binomial


def test_first_seats_are_the_first_counted_ones() -> None:
    seat_S, counted_S = int64([3, 3, 5, 5, 3, -1]), np.array([False, True, True, True, True, False])
    assert first_seats(seat_S, counted_S).tolist() == [False, True, True, False, False, False]
