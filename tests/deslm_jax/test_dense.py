"""The large product's own backward is XLA's; only its speed differs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import dense


@pytest.mark.parametrize(("width_in", "width_out"), [(3, 5), (4, 4), (5, 3)])
@pytest.mark.parametrize("rows", [6, 7])
def test_gradients_of_a_large_product_are_those_of_the_plain_one(monkeypatch, rows, width_in, width_out):
    monkeypatch.setattr(dense, "_LARGE_ROWS", 7)
    monkeypatch.setattr(dense, "_LARGE_WIDTH", 3)
    noise = np.random.default_rng(0)
    x, kernel, weight = (
        noise.normal(size=shape).astype(np.float32)
        for shape in ((rows, width_in), (width_in, width_out), (rows, width_out))
    )
    gradients = lambda product: jax.grad(lambda x, kernel: jnp.sum(product(x, kernel) * weight), argnums=(0, 1))
    program = jax.make_jaxpr(gradients(dense.product))(x, kernel)
    assert ("optimization_barrier" in str(program)) == (rows == 7 and width_in <= width_out)
    for found, expected in zip(gradients(dense.product)(x, kernel), gradients(jnp.matmul)(x, kernel), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
