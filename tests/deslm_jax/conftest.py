"""Tiny untrained models that the tests of this package share."""

from typing import Any

import jax
import numpy as np
import pytest

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig, Tokenizer
from deslm_jax.initial import init_params

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "d_model": 16,
    "n_heads": 2,
    "d_ff": 24,
    "encoder_layers": 1,
    "max_source_len": 12,
    "window": 2,
    "max_globals": 12,
}


def loud(model: Any, seed: int = 0) -> Any:
    """Fresh weights with norms and biases jittered, so that no fault can hide behind a zero or a one."""
    noise = np.random.default_rng(seed)
    jitter = lambda leaf: np.asarray(leaf + noise.normal(0, 0.1, leaf.shape), np.float32)
    return jax.tree.map(jitter, init_params(model, seed))


@pytest.fixture(autouse=True)
def _compile_quickly(request):
    """Compiling is what these tests cost: leave out the optimisations, except where the tests ask for more."""
    if "attention" in request.path.parts:
        yield
        return
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def tiny_generator():
    """(config, params) of a generator with every default but its size."""
    cfg = GeneratorConfig(**TINY, max_target_len=6)
    return cfg, loud(Generator(cfg))


@pytest.fixture(scope="session")
def tiny_discriminator():
    """(config, params) of a discriminator with every default but its size."""
    cfg = DiscriminatorConfig(**TINY, head_width=8)
    return cfg, loud(Discriminator(cfg))


@pytest.fixture(scope="session")
def make_loud():
    """The function that gives a model loud weights."""
    return loud


@pytest.fixture(scope="session")
def tiny():
    """The fields all tiny configs share."""
    return dict(TINY)


@pytest.fixture(scope="session")
def tokenizer():
    """A vocabulary learnt from a handful of facts."""
    lines = [
        "What is the capital of Peru?",
        "Lima",
        "capital of Peru: Lima.",
        "Which city is the seat of government of France?",
        "Paris",
        "currency of Peru: sol.",
    ]
    return Tokenizer.train(lines * 3, vocab_size=320)
