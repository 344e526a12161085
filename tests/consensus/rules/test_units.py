"""Units: exact integer operations, equal on NumPy and JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules import settle
from consensus.units import Q16, add_at, floor_divide, mul_q16, require_int64, total
from tests.consensus.rules.small import int64, network_and_nodes, params_with


@given(st.integers(0, 2**62 - 1), st.integers(0, Q16))
def test_mul_q16_is_the_exact_floor(amount: int, ratio: int) -> None:
    assert int(mul_q16(np.int64(amount), np.int64(ratio))) == amount * ratio >> 16


@given(st.integers(-(2**40), 2**40), st.integers(-3, 2**20))
def test_floor_divide_floors_and_bears_zero(a: int, b: int) -> None:
    expected = a // b if b else 0
    assert int(floor_divide(int64(a), int64(b))) == expected
    with jax.enable_x64(True):
        assert int(floor_divide(jnp.asarray(int64(a)), jnp.asarray(int64(b)))) == expected


def test_add_at_sums_equal_indices_skips_minus_one_and_copies() -> None:
    x_N, index_S, amount_S = int64([1, 2, 3]), int64([0, 2, 0, -1]), int64([10, 20, 30, 99])
    assert add_at(x_N, index_S, amount_S).tolist() == [41, 2, 23]
    assert x_N.tolist() == [1, 2, 3]
    assert add_at(x_N, 1, 5).tolist() == [1, 7, 3]
    with jax.enable_x64(True):
        out_N = jax.jit(add_at)(*map(jnp.asarray, (x_N, index_S, amount_S)))
        assert out_N.dtype == jnp.int64
        assert out_N.tolist() == [41, 2, 23]


def test_total_is_int64_even_of_booleans() -> None:
    with jax.enable_x64(True):
        assert total(jnp.asarray([True, True, False])).dtype == jnp.int64
        large = jnp.full(8, 1 << 59, dtype=jnp.int64)
        assert int(total(large)) == 1 << 62
    assert total(np.ones((2, 3), dtype=bool), axis=0).tolist() == [2, 2, 2]


def test_int32_is_refused_at_the_doors_of_the_law() -> None:
    """Outside enable_x64 JAX would cut every balance to 32 bits without a word."""
    params = params_with()
    network, nodes = network_and_nodes(params)
    require_int64(params, network, nodes, 3)
    with pytest.raises(TypeError, match="enable_x64"):
        settle.end_block(params, network, nodes._replace(liquid_micro_N=np.zeros(8, dtype=np.int32)), np.int64(0))
    with pytest.raises(TypeError, match="float64"):
        require_int64(np.zeros(2))
