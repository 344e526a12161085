"""Cuts are exact, draws have the distribution they should, and a cold draw is the likeliest token."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deslm_jax.decoding.choose import cut_top_k, cut_top_p, draw, draw_of, likeliest
from deslm_jax.decoding.methods import Sample

V = 12
cut_k, cut_p = jax.jit(cut_top_k), jax.jit(cut_top_p)
# Few distinct values, so that ties are common; extremes, both zeros and -inf among them.
LOGITS = st.lists(
    st.sampled_from([-np.inf, -1e30, -7.5, -1.0, -1e-40, -0.0, 0.0, 1e-40, 0.5, 2.0, 3.0, 88.0]), min_size=V, max_size=V
)


@given(LOGITS, st.integers(1, V + 3))
def test_top_k_keeps_what_is_not_below_the_kth(logits, k):
    x = np.array([logits], np.float32)
    kth = np.sort(x[0])[::-1][min(k, V) - 1]
    np.testing.assert_array_equal(cut_k(x, k)[0], np.where(x[0] >= kth, x[0], -np.inf))


@given(LOGITS.filter(lambda row: max(row) > -1e30), st.floats(0.01, 1.0))
def test_top_p_keeps_the_fewest_that_reach_p(logits, p):
    x = np.array([logits], np.float32)
    probability = np.asarray(jax.nn.softmax(x), np.float64)[0]
    kept = np.isfinite(cut_p(x, p)[0])
    above = lambda value: probability[x[0] > value].sum()
    tolerance = 1e-6
    for token in range(V):
        if kept[token]:
            assert above(x[0, token]) < p + tolerance
        elif np.isfinite(x[0, token]):
            assert above(x[0, token]) >= p - tolerance
    np.testing.assert_array_equal(np.asarray(cut_p(x, p))[0, kept], x[0, kept])


def test_a_row_is_cut_as_if_it_were_alone():
    x = np.random.default_rng(0).normal(0, 3, (5, V)).astype(np.float32)
    for cut, much in ((cut_k, 4), (cut_p, 0.7)):
        np.testing.assert_array_equal(cut(x, much), np.concatenate([cut(row[None], much) for row in x]))


@pytest.mark.parametrize(
    "method", [Sample(), Sample(temperature=0.6), Sample(top_k=4), Sample(temperature=1.7, top_k=8, top_p=0.8)]
)
def test_frequencies_are_the_distribution(method):
    n, logits_V = 40_000, np.random.default_rng(1).normal(0, 1.5, V).astype(np.float32)
    p = np.exp((logits_V - logits_V.max()).astype(np.float64) / method.temperature)
    if method.top_k:
        p[np.argsort(-p)[method.top_k :]] = 0
    if method.top_p:
        order = np.argsort(-p)
        p[order[np.searchsorted(np.cumsum(p[order] / p.sum()), method.top_p) + 1 :]] = 0
    p /= p.sum()
    how = draw_of(method, jax.random.split(jax.random.key(7), n))
    drawn = jax.jit(draw)(np.broadcast_to(logits_V, (n, V)), how, jnp.int32(3))
    counts = np.bincount(drawn, minlength=V)
    assert counts[p == 0].sum() == 0
    possible = p > 0
    chi2 = ((counts - n * p)[possible] ** 2 / (n * p[possible])).sum()
    assert chi2 < 32.9  # at 11 degrees of freedom chance gives more once in 2,000; fewer degrees, more rarely


@pytest.mark.parametrize("temperature", [1e-4, 1e-38, 1e-320])
def test_a_cold_draw_is_the_likeliest_token(temperature):
    x = np.random.default_rng(2).normal(0, 1, (50, V)).astype(np.float32)
    how = draw_of(Sample(temperature=temperature), jax.random.split(jax.random.key(0), 50))
    np.testing.assert_array_equal(draw(x, how, jnp.int32(0)), likeliest(x))


def test_a_hot_draw_takes_any_token():
    how = draw_of(Sample(temperature=1e300), jax.random.split(jax.random.key(0), 500))
    drawn = draw(np.broadcast_to(np.arange(V, dtype=np.float32) * 1e4, (500, V)), how, jnp.int32(0))
    assert np.bincount(drawn, minlength=V).min() > 0


def test_a_draw_is_a_function_of_key_position_and_row_alone():
    x = np.zeros((4, V), np.float32)
    keys = jax.random.split(jax.random.key(3), 4)
    at = partial(draw, position=jnp.int32(5))
    together = np.asarray(at(x, draw_of(Sample(), keys)))
    alone = [int(at(x[:1], draw_of(Sample(), keys[i : i + 1]))[0]) for i in range(4)]
    assert together.tolist() == alone
    many = [int(draw(x[:1], draw_of(Sample(), keys[:1]), jnp.int32(i))[0]) for i in range(8)]
    assert len(set(many)) > 2  # positions draw afresh


def test_cuts_do_not_sort():
    how = draw_of(Sample(top_k=3, top_p=0.5), jax.random.split(jax.random.key(0), 2))
    text = jax.jit(draw).lower(np.zeros((2, V), np.float32), how, jnp.int32(0)).as_text()
    assert "while" in text and "sort" not in text and "top_k" not in text


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"temperature": 0}, "temperature must be a finite number above 0"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_k": 0}, "top_k must be an integer of at least 1"),
        ({"top_k": 2.0}, "top_k"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_p": float("nan")}, "top_p"),
    ],
)
def test_impossible_numbers_are_one_sentence(bad, word):
    with pytest.raises(ValueError, match=word) as error:
        Sample(**bad)
    assert str(error.value).count(". ") == 0


def test_changing_numbers_does_not_compile_again():
    compiled = jax.jit(lambda x, how: draw(x, how, jnp.int32(0)))
    for number in (0.5, 1, 0.7):
        how = draw_of(
            Sample(temperature=number, top_k=int(4 * number), top_p=number), jax.random.split(jax.random.key(0), 2)
        )
        compiled(np.zeros((2, V), np.float32), how)
    assert compiled._cache_size() == 1
