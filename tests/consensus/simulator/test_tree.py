"""The sum tree draws the law's seats: the same node for every draw as a cumulative sum over all weights."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.rules import seats
from consensus.simulator import tree
from consensus.simulator.draws import draw_bytes, make_key

SIZES = (1, 2, 15, 16, 17, 255, 256, 257, 4097, 70_000)


def weights(nodes: int, seed: int = 0, zeros: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(nodes) < zeros, 0, rng.integers(0, (1 << 50) // nodes, nodes))


def draws(seats: int, seed: int = 0) -> np.ndarray:
    return draw_bytes(make_key(np.int64(seed), 0), np.arange(seats))


def assert_same_tree(got: tree.SumTree, want: tree.SumTree) -> None:
    assert len(got.levels) == len(want.levels)
    for mine, theirs in zip(got.levels, want.levels, strict=True):
        assert np.asarray(mine).dtype == np.int64
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("nodes", SIZES)
def test_seats_are_those_of_the_law(nodes):
    weight_N, draw_S16 = weights(nodes, nodes), draws(256)
    built = tree.build(weight_N)
    assert tree.total_weight(built) == weight_N.sum()
    np.testing.assert_array_equal(tree.draw_seats(built, draw_S16), seats.draw_seats(weight_N, draw_S16))
    np.testing.assert_array_equal(tree.get_weights(built, np.arange(nodes)), weight_N)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200))
def test_every_point_finds_its_node(weight):
    weight_N = np.array(weight)
    points = np.arange(weight_N.sum())
    want = np.searchsorted(np.cumsum(weight_N), points, side="right")
    np.testing.assert_array_equal(tree.find(tree.build(weight_N), points), want)


@pytest.mark.parametrize("weight_N", [np.zeros(1, np.int64), np.zeros(100, np.int64), np.zeros(5000, np.int64)])
def test_nobody_sits_where_nobody_weighs_anything(weight_N):
    assert tree.draw_seats(tree.build(weight_N), draws(4)).tolist() == [-1] * 4


def test_the_only_node_with_a_weight_has_every_seat():
    for place in (0, 15, 16, 4095, 4999):
        weight_N = np.zeros(5000, np.int64)
        weight_N[place] = 1
        assert set(tree.draw_seats(tree.build(weight_N), draws(32)).tolist()) == {place}


@given(st.data(), st.sampled_from((1, 16, 17, 4100)))
def test_a_changed_tree_is_the_tree_of_the_changed_weights(data, nodes):
    weight_N = weights(nodes, 5)
    changes = data.draw(
        st.lists(st.tuples(st.integers(-1, nodes - 1), st.integers(0, 1 << 40)), min_size=1, max_size=9)
    )
    index_S, change_S = (np.array(column) for column in zip(*changes, strict=True))
    before = tree.build(weight_N)
    kept = [level.copy() for level in before.levels]
    added_N = weight_N.copy()
    np.add.at(added_N, index_S[index_S >= 0], change_S[index_S >= 0])
    assert_same_tree(tree.update(before, index_S, change_S), tree.build(added_N))

    new_N = np.full(nodes + 1, 1 << 30)  # one value a node, so that equal indices bring equal weights
    new_N[index_S] = change_S
    replaced_N = weight_N.copy()
    replaced_N[index_S[index_S >= 0]] = new_N[index_S[index_S >= 0]]
    assert_same_tree(tree.replace(before, index_S, new_N[index_S]), tree.build(replaced_N))
    assert_same_tree(before, tree.SumTree(tuple(kept)))


def test_the_same_bits_under_jit_and_vmap():
    weight_BN = np.stack([weights(4500, seed) for seed in range(3)])
    draw_BS16 = np.stack([draws(20, seed) for seed in range(3)])
    change_S = np.arange(20) << 30

    def play(weight_N, draw_S16):
        built = tree.build(weight_N)
        seat_S = tree.draw_seats(built, draw_S16)
        changed = tree.update(built, seat_S, change_S)
        return seat_S, tree.replace(changed, seat_S, seat_S * 7), tree.draw_seats(changed, draw_S16)

    want = [play(*row) for row in zip(weight_BN, draw_BS16, strict=True)]
    with jax.enable_x64(True):
        got = jax.tree.map(np.asarray, jax.jit(jax.vmap(play))(weight_BN, draw_BS16))
        alone = jax.tree.map(np.asarray, jax.jit(play)(weight_BN[1], draw_BS16[1]))
    for i, (first_S, changed, second_S) in enumerate(want):
        np.testing.assert_array_equal(got[0][i], first_S)
        np.testing.assert_array_equal(got[2][i], second_S)
        assert_same_tree(tree.SumTree(tuple(level[i] for level in got[1].levels)), changed)
    np.testing.assert_array_equal(alone[0], want[1][0])
    assert_same_tree(alone[1], want[1][1])


def test_a_draw_and_a_change_need_no_sort_and_no_copy_of_the_levels():
    def step(built, draw_S16, change_S):
        seat_S = tree.draw_seats(built, draw_S16)
        return tree.update(built, seat_S, change_S), seat_S

    nodes = 1 << 18
    with jax.enable_x64(True):
        built = jax.tree.map(jax.numpy.asarray, tree.build(np.ones(nodes, np.int64)))
        made = jax.jit(step, donate_argnums=0).lower(built, draws(16), np.ones(16, np.int64)).compile()
    assert "sort(" not in made.as_text()
    memory = made.memory_analysis()
    assert memory.alias_size_in_bytes >= 8 * nodes, "the levels are changed where they lie"
    assert memory.temp_size_in_bytes < nodes, "nothing of the size of all nodes is made on the way"


def test_the_choice_between_dense_and_tree():
    assert tree.is_worth_it(65_536, 64)
    assert not tree.is_worth_it(1_024, 64)
