"""Beam search against the enumeration of every sequence, and against a search written with lists and dictionaries."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.decoding.beam import search
from deslm_jax.decoding.limits import Limits
from deslm_jax.decoding.methods import Beam

EOS, PAD, START = 2, 0, 1


@partial(jax.jit, static_argnums=(0, 2, 3))
def _search(hashed, table, limits, method, length_penalty):
    rows = table.shape[0]
    start = hashed.start(rows, method.n)
    return search(hashed.step(table), hashed.follow, start, rows, limits, method, length_penalty)


@pytest.fixture
def run(hashed):
    """(table, limits, method) -> the answers."""
    return lambda table, limits, method: jax.device_get(
        _search(hashed, table, limits, method, np.float32(method.length_penalty))
    )


def _limits(max_len, **more):
    return Limits(max_len, EOS, PAD, START, **more)


def _all_answers(max_len, vocab_size):
    """Every sequence that ends with the end token, or is as long as it may be."""
    for length in range(1, max_len + 1):
        for tokens in itertools.product(range(vocab_size), repeat=length):
            if EOS not in tokens[:-1] and (tokens[-1] == EOS or length == max_len):
                yield tokens


def _log_probability(log_p, table_PV, tokens):
    return sum(log_p(table_PV, (START, *tokens[:i]))[token] for i, token in enumerate(tokens))


@pytest.mark.parametrize("penalty", [0.0, 1.0, -0.7, 2.0])
def test_with_room_for_all_it_is_the_enumeration(hashed, run, penalty):
    vocab_size, max_len, n = 4, 3, 27
    table = hashed.table(3, 2, vocab_size)
    out = run(table, _limits(max_len), Beam(n=n, n_best=5, length_penalty=penalty, early_stopping="never"))
    for b in range(2):
        scored = [
            (_log_probability(hashed.log_p, table[b], tokens) / len(tokens) ** penalty, tokens)
            for tokens in _all_answers(max_len, vocab_size)
        ]
        scored.sort(reverse=True)
        for rank, (score, tokens) in enumerate(scored[:5]):
            row = b * 5 + rank
            assert out.ids_BU[row].tolist() == list(tokens) + [PAD] * (max_len - len(tokens))
            assert out.score_B[row] == pytest.approx(score, abs=1e-5)
            assert out.lengths_B[row] == len(tokens)
            assert out.finished_B[row] == (tokens[-1] == EOS)
            assert out.log_probability_B[row] == pytest.approx(score * len(tokens) ** penalty, abs=1e-5)


def _by_lists(log_p, table_PV, vocab_size, max_len, method):
    """Beam search as the docstring of `Beam` says it, without arrays. Returns [(score, tokens)], best first."""
    live, finished, better_possible = [(0.0, ())], [], True
    for length in range(1, max_len + 1):
        grown = sorted(
            (
                (score + log_p(table_PV, (START, *tokens))[t], (*tokens, t))
                for score, tokens in live
                for t in range(vocab_size)
            ),
            reverse=True,
        )[: 2 * method.n]
        ends = lambda tokens: tokens[-1] == EOS or len(tokens) == max_len
        full = len(finished) == method.n
        if better_possible and not (full and method.early_stopping is True):
            finished += [(s / length**method.length_penalty, t) for s, t in grown[: method.n] if ends(t)]
            finished = sorted(finished, reverse=True)[: method.n]
        live = [(s, t) for s, t in grown if not ends(t)][: method.n]
        if not live:
            break
        reached = max_len if method.early_stopping == "never" and method.length_penalty > 0 else length
        worst = finished[-1][0] if len(finished) == method.n else -np.inf
        better_possible = better_possible and live[0][0] / reached**method.length_penalty > worst
    return finished


@pytest.mark.parametrize(
    "method",
    [
        Beam(n=1),
        Beam(n=3, n_best=3),
        Beam(n=3, n_best=2, length_penalty=2.5, early_stopping=True),
        Beam(n=3, n_best=2, length_penalty=1.4, early_stopping="never"),
        Beam(n=2, n_best=2, length_penalty=-1.0),
    ],
    ids=str,
)
def test_it_is_the_search_written_with_lists(hashed, run, method):
    vocab_size, max_len, rows = 9, 7, 24
    table = hashed.table(11, rows, vocab_size)
    table[..., EOS] += 0.6  # answers of many lengths
    out = run(table, _limits(max_len), method)
    for b in range(rows):
        expected = _by_lists(hashed.log_p, table[b], vocab_size, max_len, method)
        for rank in range(method.n_best):
            score, tokens = expected[rank]
            row = b * method.n_best + rank
            assert tuple(out.ids_BU[row, : out.lengths_B[row]]) == tokens
            assert out.score_B[row] == pytest.approx(score, abs=2e-5)
            own = [hashed.log_p(table[b], (START, *tokens[:i]))[token] for i, token in enumerate(tokens)]
            np.testing.assert_allclose(out.token_log_probability_BU[row, : len(tokens)], own, atol=1e-5)
            assert (out.token_log_probability_BU[row, len(tokens) :] == 0).all()
    assert len(set(out.lengths_B.tolist())) > 2


def test_the_batch_does_not_matter(hashed, run):
    """Rows stop at different times; one that goes on must not change one that has stopped."""
    table, method = hashed.table(5, 6, 9), Beam(n=3, early_stopping=True)
    table[::2, :, EOS] += 3.0
    whole = run(table, _limits(7), method)
    for b in range(6):
        alone = run(table[b : b + 1], _limits(7), method)
        for name in whole._fields:
            np.testing.assert_array_equal(getattr(whole, name)[b], getattr(alone, name)[0], err_msg=name)


def test_a_forced_end_scores_nothing_but_is_told_honestly(hashed, run):
    table = hashed.table(8, 3, 9)
    table[..., EOS] -= 9.0
    out = run(table, _limits(4, forced_eos_id=EOS), Beam(n=2))
    assert (out.ids_BU[:, 3] == EOS).all() and out.finished_B.all()
    np.testing.assert_allclose(out.score_B * 4, out.token_log_probability_BU[:, :3].sum(axis=1), atol=1e-5)
    assert (out.token_log_probability_BU[:, 3] < -5).all()
    np.testing.assert_allclose(out.log_probability_B, out.token_log_probability_BU.sum(axis=1), atol=1e-5)


def test_fewer_answers_than_places(hashed, run):
    out = run(hashed.table(0, 1, 3), _limits(1), Beam(n=5, n_best=5))
    assert sorted(out.ids_BU[:3, 0].tolist()) == [0, 1, 2]
    assert out.lengths_B.tolist() == [1, 1, 1, 0, 0]


def test_a_penalty_is_no_new_program(hashed, run):
    table, before = hashed.table(0, 1, 9), None
    for penalty in (0.5, 1.0, 2.0):
        _search(hashed, table, _limits(5), Beam(n=2), jnp.float32(penalty))
        before = before or _search._cache_size()
    assert _search._cache_size() == before


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"n": 0}, "n of Beam must be an integer of at least 1"),
        ({"n": 2, "n_best": 3}, "n_best 3 answers need as many hypotheses, but n is 2"),
        ({"length_penalty": float("nan")}, "length_penalty must be a finite number"),
        ({"early_stopping": "always"}, 'early_stopping must be True, False or "never"'),
    ],
)
def test_impossible_beams_are_one_sentence(bad, word):
    with pytest.raises(ValueError, match=word):
        Beam(**bad)
