"""The encoder sees its window, its globals, and nothing else; probed by moving one input at a time."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import Generator, GeneratorConfig
from deslm_jax.encoder import Encoder
from deslm_jax.positions import rotate, source_position_ids

T = 12
EVERYONE = np.ones((1, T), bool)


@partial(jax.jit, static_argnums=0)
def _encode(cfg, params, x, mask, global_mask, question_mask):
    return Encoder(cfg).apply({"params": params}, x, mask, global_mask, question_mask, None)


@pytest.fixture(scope="module")
def case(tiny, make_loud):
    """(config, encoder weights, one embedded sequence)."""
    cfg = GeneratorConfig(**tiny | {"encoder_layers": 3}, max_target_len=4)
    x = np.random.default_rng(1).normal(size=(1, T, cfg.d_model)).astype(np.float32)
    return cfg, make_loud(Generator(cfg))["encoder"], x


def _influence(cfg, params, x, mask, global_mask, question_mask=EVERYONE):
    """bool [T,T]: whether output i moves with input j. Row j of the batch has input j moved, the last none."""
    moved = np.repeat(x, T + 1, axis=0)
    moved[np.arange(T), np.arange(T)] += np.random.default_rng(2).normal(size=(T, x.shape[-1])).astype(np.float32)
    masks = (None if m is None else np.repeat(m, T + 1, axis=0) for m in (mask, global_mask, question_mask))
    out = np.asarray(_encode(cfg, params, moved, *masks))
    return np.abs(out[:-1] - out[-1:]).max(axis=2).T > 1e-5


def _expected(window, is_global, n_layers):
    near = np.abs(np.arange(T)[:, None] - np.arange(T)[None]) <= window
    step = near | is_global[:, None] | is_global[None]
    reach = np.eye(T, dtype=bool)
    for _ in range(n_layers):
        reach = (step.astype(int) @ reach.astype(int)) > 0
    return reach


@pytest.mark.parametrize(
    ("window", "layers", "places"), [(2, 1, ([], [0], [5, 11])), (0, 1, ([3],)), (1, 3, ([], [6]))]
)
def test_influence_is_window_and_globals(case, window, layers, places):
    cfg, params, x = case
    cfg = dataclasses.replace(cfg, window=window, encoder_layers=layers)
    for global_at in places:
        is_global = np.isin(np.arange(T), global_at)
        found = _influence(cfg, params, x, EVERYONE, is_global[None])
        np.testing.assert_array_equal(found, _expected(window, is_global, layers))


@pytest.mark.parametrize(("choice", "expected"), [("none", []), ("first", [0]), ("question", [0, 3, 4])])
def test_the_config_chooses_who_is_global(case, choice, expected):
    cfg, params, x = case
    cfg = dataclasses.replace(cfg, window=1, encoder_layers=1, global_tokens=choice)
    found = _influence(cfg, params, x, EVERYONE, None, np.isin(np.arange(T), [3, 4])[None])
    np.testing.assert_array_equal(found, _expected(1, np.isin(np.arange(T), expected), 1))


def test_padding_is_neither_seen_nor_global(case):
    cfg, params, x = case
    found = _influence(dataclasses.replace(cfg, encoder_layers=1), params, x, (np.arange(T) < 8)[None], EVERYONE)
    expected = np.zeros((T, T), bool)
    expected[:8, :8] = True
    np.testing.assert_array_equal(found, expected)


def test_blocked_and_dense_attention_give_the_same_numbers(case):
    cfg, params, x = case
    masks = ((np.arange(T) < 10)[None], None, (np.arange(T) < 4)[None])
    blocked = _encode(dataclasses.replace(cfg, dense_up_to=1), params, x, *masks)
    np.testing.assert_allclose(_encode(cfg, params, x, *masks), blocked, atol=1e-5)


def test_a_window_that_reaches_everything_needs_no_globals(case):
    cfg, params, x = case
    cfg = dataclasses.replace(cfg, encoder_layers=1, window=T - 2)
    wide = dataclasses.replace(cfg, window=T - 1)
    all_global = _encode(cfg, params, x, EVERYONE, EVERYONE, EVERYONE)
    np.testing.assert_allclose(all_global, _encode(wide, params, x, EVERYONE, None, EVERYONE), atol=1e-5)


def test_more_globals_than_the_capacity_are_never_cut(case):
    cfg, params, x = case
    cfg = dataclasses.replace(cfg, encoder_layers=1, dense_up_to=1, max_globals=3)
    both, everyone = np.concatenate([x, x]), np.ones((2, T), bool)
    marks = np.arange(T)[None] < np.array([[4], [3]])
    out = np.asarray(_encode(cfg, params, both, everyone, marks, everyone))
    assert np.isnan(out[0]).all() and np.isfinite(out[1]).all()
    three_real = np.broadcast_to(np.arange(T) < 3, (2, T))  # marks on padding take no slot
    assert np.isfinite(_encode(cfg, params, both, three_real, marks, everyone)).all()
    with pytest.raises(ValueError, match="capacity"):
        Encoder(cfg).apply({"params": params}, both, everyone, marks, everyone, None)


def test_global_rows_can_have_weights_of_their_own(tiny, make_loud, case):
    cfg = GeneratorConfig(**tiny | {"window": 1}, global_projections=True, max_target_len=4)
    params, x = make_loud(Generator(cfg))["encoder"], case[2]
    is_global = np.arange(T) == 6
    changed = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + np.float32(1) if any("global" in str(part) for part in path) else leaf, params
    )
    run = lambda params: np.asarray(_encode(cfg, params, x, EVERYONE, is_global[None], EVERYONE))[0]
    moved = np.abs(run(changed) - run(params)).max(axis=1) > 1e-5
    np.testing.assert_array_equal(moved, is_global)


def test_rotary_scores_depend_on_the_distance_alone():
    x = jax.random.normal(jax.random.key(0), (2, 1, 3, 8))
    score = lambda i, j: jnp.sum(rotate(x[:1], jnp.array([i])) * rotate(x[1:], jnp.array([j])))
    np.testing.assert_allclose(score(3, 1), score(40, 38), rtol=1e-4)
    assert abs(score(3, 1) - score(3, 2)) > 1e-2


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_every_kind_of_position_tells_order_apart(tiny, positions, make_loud):
    cfg = GeneratorConfig(**tiny, positions=positions, max_target_len=4)
    params, model = make_loud(Generator(cfg)), Generator(cfg)
    ids = jnp.array([[7, 8, 9, 10], [7, 9, 8, 10]])
    logits = jax.jit(lambda params: model.apply({"params": params}, ids, jnp.array([[1, 9], [1, 9]])))(params)
    assert np.abs(logits[0] - logits[1]).max() > 1e-2


def test_positions_can_count_what_is_not_padding(tiny):
    cfg = GeneratorConfig(**tiny, positions="learned", position_ids="nonpad", pad_id=3)
    ids = jnp.array([[9, 3, 8, 7, 3]])
    np.testing.assert_array_equal(source_position_ids(cfg, ids), [[4, 3, 5, 6, 3]])
    assert source_position_ids(dataclasses.replace(cfg, position_ids="index"), ids) is None
