"""Fresh weights: the same distributions as linen's `init`, without compiling it, from the seed alone."""

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from deslm_jax.initial import init_params

SIZE = {"vocab_size": 300, "d_model": 64, "d_ff": 128, "positions": "learned"}


def test_weights_are_spread_as_linen_spreads_them():
    model = Discriminator(DiscriminatorConfig(**SIZE, encoder_layers=1))
    inputs = (jnp.ones((1, 4), jnp.int32),)
    theirs = jax.jit(model.init)(jax.random.key(0), *inputs)["params"]
    ours = init_params(model, 0)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a.std(), np.std(b), rtol=6 / np.sqrt(a.size), atol=1e-9)
        np.testing.assert_allclose(a.mean(), np.mean(b), atol=6 * (a.std() + 1e-9) / np.sqrt(a.size))


def test_the_seed_is_all_that_counts_and_every_weight_has_its_own_stream():
    model = Generator(GeneratorConfig(**SIZE))
    first, again, other = (init_params(model, seed) for seed in (3, 3, 4))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert (first["embedding"]["token_table"] != other["embedding"]["token_table"]).all()
    blocks = first["encoder"]
    assert (blocks["block_0"]["attention"]["out"]["kernel"] != blocks["block_1"]["attention"]["out"]["kernel"]).all()
    deeper = init_params(Generator(GeneratorConfig(**SIZE, decoder_layers=2)), 3)
    jax.tree.map(np.testing.assert_array_equal, deeper["encoder"], first["encoder"])


def test_defaults_give_the_numbers_they_always_gave():
    """Written by the version before the block became configurable: drawn weights, their names, and what comes of them.

    Change these only with a reason to give the demo's models other numbers.
    """
    ids = jnp.array([[4, 9, 12, 30, 21, 0]])
    generator = Generator(GeneratorConfig(vocab_size=40, d_model=16, n_heads=2, d_ff=24, encoder_layers=1))
    logits = jax.jit(generator.apply)({"params": init_params(generator, 7)}, ids, jnp.array([[1, 14, 25]]))
    np.testing.assert_allclose(logits[0, 2, :4], [1.521326, -0.532515, -1.439492, 0.976992], atol=2e-5)
    verifier = Discriminator(DiscriminatorConfig(vocab_size=40, d_model=16, n_heads=2, d_ff=24, encoder_layers=1))
    types = jnp.array([[0, 0, 0, 1, 1, 2]])
    logit = jax.jit(verifier.apply)({"params": init_params(verifier, 7)}, ids, token_types=types)
    np.testing.assert_allclose(logit, [0.648894], atol=2e-5)
