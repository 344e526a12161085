"""The counter hash: uniform, unrelated between keys, and the same bits wherever and however it is computed."""

import jax
import numpy as np
import pytest

from consensus.rules.seats import reduce_draw
from consensus.simulator.draws import Key, draw_bytes, draw_q16, draw_uint32, make_key

NODES = np.arange(1 << 16)
# Every statistic below has mean 0 and deviation 1 for true chance; 5 deviations a test, some hundred tests.
LIMIT = 5.0


def key(seed: int = 1, round: int = 0, stream: int = 0) -> Key:
    return make_key(np.int64(seed), np.int64(round), np.int64(stream))


def chi_square_z(counts: np.ndarray) -> float:
    """Deviations of a chi-square statistic for equal expected counts."""
    expected = counts.sum() / counts.size
    freedom = counts.size - 1
    return (((counts - expected) ** 2).sum() / expected - freedom) / np.sqrt(2 * freedom)


def correlation_z(x: np.ndarray, y: np.ndarray) -> float:
    return np.corrcoef(x.ravel().astype(float), y.ravel().astype(float))[0, 1] * np.sqrt(x.size)


def bits(x: np.ndarray) -> np.ndarray:
    return (x[..., None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)


# Consecutive nodes, strided nodes, and one node over rounds, streams and seeds: the ways a simulation reads it.
SAMPLES = {
    "nodes": lambda: draw_uint32(key(), NODES),
    "every 64th node": lambda: draw_uint32(key(), NODES * 64),
    "rounds": lambda: draw_uint32(make_key(np.int64(1), NODES, np.zeros_like(NODES)), np.full_like(NODES, 5)),
    "streams": lambda: draw_uint32(make_key(np.int64(1), np.zeros_like(NODES), NODES), np.full_like(NODES, 5)),
    "seeds": lambda: draw_uint32(make_key(NODES, np.zeros_like(NODES)), np.zeros_like(NODES)),
    "distant seeds": lambda: draw_uint32(make_key(NODES << 40, np.zeros_like(NODES)), np.zeros_like(NODES)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_draws_are_uniform_and_serially_independent(name):
    x = SAMPLES[name]()
    assert x.dtype == np.uint32
    for shift in (0, 8, 16, 24):
        counts = np.bincount((x >> np.uint32(shift)) & np.uint32(255), minlength=256)
        assert abs(chi_square_z(counts)) < LIMIT, f"byte at bit {shift}"
    balance_z = (bits(x).mean(axis=0) - 0.5) * 2 * np.sqrt(x.size)
    assert np.abs(balance_z).max() < LIMIT, "a bit prefers 0 or 1"
    for lag in (1, 2, 3, 64, 1024):
        assert abs(correlation_z(x[:-lag], x[lag:])) < LIMIT, f"serial correlation at lag {lag}"
        pairs = (x[:-lag] >> np.uint32(28)) * np.uint32(16) + (x[lag:] >> np.uint32(28))
        assert abs(chi_square_z(np.bincount(pairs, minlength=256))) < LIMIT, f"pairs at lag {lag}"


@pytest.mark.parametrize(
    "other", [key(seed=2), key(seed=1 + (1 << 32)), key(round=1), key(round=1 << 32), key(stream=1)]
)
def test_keys_that_differ_in_one_place_give_unrelated_draws(other):
    x, y = draw_uint32(key(), NODES), draw_uint32(other, NODES)
    assert (x != y).any()
    agree_z = ((bits(x)[:, :, None] == bits(y)[:, None, :]).mean(axis=0) - 0.5) * 2 * np.sqrt(NODES.size)
    assert np.abs(agree_z).max() < LIMIT + 0.5, "a bit of one key follows a bit of the other"
    shared = np.intersect1d(x, y).size  # by chance 2^16 * 2^16 / 2^32 = 1; the same sequence shifted would share most
    assert shared < 12


def test_no_key_reads_the_sequence_of_another_further_on():
    further_on = Key(key().first + np.uint32(5), key(stream=1).second)
    x, y = draw_uint32(key(), NODES + 5), draw_uint32(further_on, NODES)
    assert np.intersect1d(x, y).size < 12
    assert abs(correlation_z(x, y)) < LIMIT


def test_flipping_any_bit_of_a_node_id_flips_half_of_the_draw():
    x = draw_uint32(key(), NODES)
    for place in range(20):
        changed = bits(x ^ draw_uint32(key(), NODES ^ (1 << place))).mean(axis=0)
        assert np.abs(changed - 0.5).max() < 0.05, f"bit {place}"


def test_the_order_of_seed_round_and_stream_matters():
    assert (
        len({tuple(int(word) for word in key(*order)) for order in [(1, 2, 3), (3, 2, 1), (2, 1, 3), (1, 3, 2)]}) == 4
    )


def test_q16_compares_as_a_probability():
    x = draw_q16(key(), NODES)
    assert x.dtype == np.int64
    assert x.min() >= 0
    assert x.max() <= 65535
    for p_q16 in (1_000, 32_768, 60_000):
        p = p_q16 / 65_536
        assert abs((x < p_q16).mean() - p) < LIMIT * np.sqrt(p * (1 - p) / x.size)
    low_half = draw_uint32(key(), NODES) & np.uint32(65535)
    assert abs(correlation_z(x, low_half)) < LIMIT


def test_bytes_are_beacon_draws():
    draws = draw_bytes(key(), np.arange(4096))
    assert draws.shape == (4096, 16)
    assert draws.dtype == np.int64
    assert draws.min() == 0
    assert draws.max() == 255
    for place in range(16):
        assert abs(chi_square_z(np.bincount(draws[:, place], minlength=256))) < LIMIT, f"byte {place}"
    assert np.unique(draws, axis=0).shape == draws.shape
    words = draw_uint32(key(), np.arange(8)).astype(np.int64)  # rows 0 and 1, big-endian
    assert int.from_bytes(bytes(draws[1].tolist()), "big") == sum(
        int(w) << (96 - 32 * i) for i, w in enumerate(words[4:])
    )
    thirds = np.bincount(reduce_draw(draws, np.int64(3)), minlength=3)
    assert abs(chi_square_z(thirds)) < LIMIT


def test_a_draw_does_not_depend_on_its_neighbours():
    whole = draw_uint32(key(), NODES)
    np.testing.assert_array_equal(draw_uint32(key(), NODES[100:137]), whole[100:137])
    order = np.random.default_rng(0).permutation(NODES)
    np.testing.assert_array_equal(draw_uint32(key(), order), whole[order])


def test_the_same_bits_from_numpy_jit_vmap_and_eight_devices():
    seeds, rounds = np.arange(8) * (1 << 33) + 3, np.arange(5)
    want = np.stack([[draw_uint32(key(int(s), int(r), 2), NODES[:96]) for r in rounds] for s in seeds])
    want_bytes = np.stack([draw_bytes(key(int(s), 4, 2), NODES[:6]) for s in seeds])

    def draw(seed, nodes):
        per_round = jax.vmap(lambda round: draw_uint32(make_key(seed, round, 2), nodes))(rounds)
        return per_round, draw_bytes(make_key(seed, 4, 2), nodes[:6])

    mesh = jax.make_mesh((8,), ("x",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = [jax.sharding.PartitionSpec("x"), jax.sharding.PartitionSpec()]
    with jax.enable_x64(True):
        for seeds_by, nodes_by in (specs[::-1], specs, [specs[1]] * 2):
            args = [
                jax.device_put(a, jax.sharding.NamedSharding(mesh, by))
                for a, by in ((seeds, seeds_by), (NODES[:96], nodes_by))
            ]
            got, got_bytes = jax.jit(jax.vmap(draw, in_axes=(0, None)))(*args)
            np.testing.assert_array_equal(np.asarray(got), want)
            np.testing.assert_array_equal(np.asarray(got_bytes), want_bytes)
    # Without 64-bit types a seed below 2^31 gives the same draws: they are 32-bit throughout.
    np.testing.assert_array_equal(draw_uint32(make_key(jax.numpy.int32(3), 1, 2), jax.numpy.arange(96)), want[0, 1])


def test_frozen_values():
    """A change here changes every recorded result: bump the version of whatever records one."""
    got = draw_uint32(key(7, 3, 1), np.array([0, 1, 2, (1 << 32) - 1]))
    assert got.tolist() == [658661396, 79967941, 949396616, 2226240950]
