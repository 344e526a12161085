"""The plain loop, and the limits on what may be written, against a loop over Python lists."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax.decoding.choose import draw_of
from deslm_jax.decoding.limits import Limits
from deslm_jax.decoding.methods import Sample
from deslm_jax.decoding.writing import write

EOS, PAD, START, V, U = 2, 0, 1, 7, 9


@partial(jax.jit, static_argnums=(0, 2))
def _write(step, table, limits, how):
    rows = table.shape[0]
    return write(step(table), jnp.zeros((rows, 1), jnp.int32), rows, limits, how)


def _allowed(scores, written, limits):
    """The rules of `Limits`, one token at a time."""
    at, scores = len(written), np.array(scores)
    history = [limits.start_id, *written]
    n = limits.no_repeat_ngram
    for token in range(len(scores) if n else 0):
        run = [*history[len(history) - n + 1 :], token] if n > 1 else [token]
        if len(run) == n and any(history[i : i + n] == run for i in range(len(history))):
            scores[token] = -np.inf
    if at < limits.min_len:
        scores[limits.eos_id] = -np.inf
    for place, forced in ((0, limits.forced_bos_id), (limits.max_len - 1, limits.forced_eos_id)):
        if forced is not None and at == place:
            scores[:] = -np.inf
            scores[forced] = 0.0
    return scores


def _greedy_by_lists(hashed, table_PV, limits):
    written, own = [], []
    while len(written) < limits.max_len and EOS not in written:
        log_p = hashed.log_p(table_PV, (START, *written))
        token = int(_allowed(log_p, written, limits).argmax())
        written.append(token)
        own.append(log_p[token])
    return written, own


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"min_len": 4},
        {"forced_bos_id": 5},
        {"forced_eos_id": EOS},
        {"no_repeat_ngram": 1},
        {"no_repeat_ngram": 2},
        {"no_repeat_ngram": 3, "min_len": U},
        {"no_repeat_ngram": U + 5},
        {"forced_bos_id": 4, "forced_eos_id": EOS, "min_len": U, "no_repeat_ngram": 2},
    ],
    ids=str,
)
def test_greedy_under_every_limit(hashed, more):
    table = hashed.table(1, 32, V)
    if "no_repeat_ngram" in more:
        table *= 0.2  # few tokens are liked: repeats are what the model wants
        table[..., 3:5] += 2.0
    limits = Limits(U, EOS, PAD, START, **more)
    out = jax.device_get(_write(hashed.step, table, limits, None))
    for b in range(32):
        written, own = _greedy_by_lists(hashed, table[b], limits)
        n = len(written)
        assert out.ids_BU[b].tolist() == written + [PAD] * (U - n)
        assert (out.lengths_B[b], out.finished_B[b]) == (n, written[-1] == EOS)
        np.testing.assert_allclose(out.token_log_probability_BU[b], own + [0.0] * (U - n), atol=1e-5)
        assert out.log_probability_B[b] == pytest.approx(sum(own), abs=1e-4) == out.score_B[b]
    free = jax.device_get(_write(hashed.step, table, Limits(U, EOS, PAD, START), None))
    assert (free.ids_BU.tolist() == out.ids_BU.tolist()) == (more in ({}, {"no_repeat_ngram": U + 5}))


def test_drawn_rows_depend_on_their_own_key_alone(hashed):
    table, limits = hashed.table(4, 5, V), Limits(U, EOS, PAD, START)
    keys = jax.random.split(jax.random.key(1), 5)
    whole = jax.device_get(_write(hashed.step, table, limits, draw_of(Sample(temperature=1.3), keys)))
    turned = jax.device_get(_write(hashed.step, table[::-1], limits, draw_of(Sample(temperature=1.3), keys[::-1])))
    np.testing.assert_array_equal(whole.ids_BU, turned.ids_BU[::-1])
    other = jax.device_get(_write(hashed.step, table, limits, draw_of(Sample(temperature=1.3), keys[::-1])))
    assert (whole.ids_BU != other.ids_BU).any()


def test_the_log_probability_is_the_models_own_whatever_the_temperature(hashed):
    table, limits = hashed.table(4, 5, V), Limits(U, EOS, PAD, START)
    how = draw_of(Sample(temperature=3.0, top_k=4), jax.random.split(jax.random.key(1), 5))
    out = jax.device_get(_write(hashed.step, table, limits, how))
    for b in range(5):
        written = out.ids_BU[b, : out.lengths_B[b]].tolist()
        own = [hashed.log_p(table[b], (START, *written[:i]))[token] for i, token in enumerate(written)]
        np.testing.assert_allclose(out.token_log_probability_BU[b, : len(written)], own, atol=1e-5)
    np.testing.assert_allclose(out.token_confidence_BU, np.exp(out.token_log_probability_BU), rtol=1e-6)


def test_the_loop_ends_with_the_last_row(hashed):
    """Counted by the step itself: as many steps as the longest answer has tokens."""
    table, limits = hashed.table(4, 5, V), Limits(U, EOS, PAD, START)
    table[..., EOS] += 2.5
    steps = []

    def counting(rows):
        step = hashed.step(rows)

        def counted(last, position, state):
            jax.debug.callback(lambda p: steps.append(int(p)), position)
            return step(last, position, state)

        return counted

    out = jax.device_get(_write(counting, table, limits, None))
    jax.effects_barrier()
    assert len(steps) == out.lengths_B.max() < U
