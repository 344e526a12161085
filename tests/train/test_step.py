"""The step: pure, learning, the same on one device and on eight, under jit and under pmap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.train.toy import OPTIMIZER, toy_batch, toy_dropout_loss, toy_loss, toy_state
from train.parallel import data_mesh, host_rows, jit_step, place_batch, place_state, pmap_step
from train.step import Optimizer, make_step


def _train(step, state, steps, place=lambda batch: batch):
    losses = []
    for number in range(steps):
        state, metrics = step(state, place(toy_batch(number)))
        losses.append(float(metrics["loss"]))
    return state, losses


def _run_on(devices, steps=8):
    mesh = data_mesh(devices)
    return _train(
        jit_step(toy_loss, OPTIMIZER, mesh), place_state(toy_state(), mesh), steps, lambda b: place_batch(b, mesh)
    )


def test_it_learns():
    _, losses = _run_on(jax.devices()[:1], 40)
    assert losses[-1] < 0.25 * losses[0]


@pytest.mark.parametrize("other", ["eight devices", "pmap"])
def test_same_numbers_on_many_devices(other):
    """The half of the rows with short answers sits on other devices than the long ones: only a global mean agrees."""
    one, one_losses = _run_on(jax.devices()[:1])
    if other == "pmap":
        many, many_losses = _train(pmap_step(toy_loss, OPTIMIZER), toy_state(), 8)
    else:
        many, many_losses = _run_on(jax.devices())
    np.testing.assert_allclose(one_losses, many_losses, rtol=2e-5)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(many), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-4, atol=2e-5)


def test_the_step_is_pure():
    """The same state and batch give the same result, and another step number other dropout."""
    step = jax.jit(make_step(toy_dropout_loss, OPTIMIZER))
    state, batch = toy_state(), toy_batch(0)
    first, again = step(state, batch), step(state, batch)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True))
    _, later = step(state._replace(step=jnp.int32(1)), batch)
    assert float(later["loss"]) != float(first[1]["loss"])


def test_clipping_bounds_the_update():
    """With one huge gradient, plain SGD-like moments of a clipped run stay those of a unit gradient."""
    optimizer = Optimizer(learning_rate=1.0, warmup_steps=0, steps=10, clip_norm=1.0, weight_decay=0.0)
    params = {"w": jnp.zeros((2, 2))}
    start = optimizer.transform().init(params)
    _, small = optimizer.update({"w": jnp.full((2, 2), 0.5)}, start, params)
    _, huge = optimizer.update({"w": jnp.full((2, 2), 5e6)}, start, params)
    for a, b in zip(jax.tree.leaves(small), jax.tree.leaves(huge), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_schedule_warms_up_peaks_and_ends_at_its_floor():
    schedule = Optimizer(learning_rate=2.0, warmup_steps=10, steps=100, floor=0.05).schedule()
    rates = [float(schedule(i)) for i in range(101)]
    assert rates[0] == 0.0
    assert rates[10] == max(rates) == pytest.approx(2.0)
    assert rates[100] == pytest.approx(0.1)


def test_biases_and_norms_do_not_decay():
    optimizer = Optimizer(learning_rate=1.0, warmup_steps=0, steps=10, weight_decay=0.5)
    params = {"matrix": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    still = jax.tree.map(jnp.zeros_like, params)
    moved, _ = optimizer.update(still, optimizer.transform().init(params), params)
    assert np.all(moved["matrix"] < 1)
    assert np.all(moved["bias"] == 1)


def test_rows_that_cannot_be_dealt_out_are_one_clear_error():
    with pytest.raises(ValueError, match=r"12 rows .* 8 devices"):
        place_batch(toy_batch(0, rows=12), data_mesh())
    with pytest.raises(ValueError, match=r"12 rows .* 8 devices"):
        pmap_step(toy_loss, OPTIMIZER)(toy_state(), toy_batch(0, rows=12))
    assert host_rows(16) == range(16)
