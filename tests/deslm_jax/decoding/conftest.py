"""A language model without a model: the logits are a table's row, chosen by a hash of everything written so far."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

N_HASHES = 97


class Hashed:
    """A namespace; a class, so that a jitted function can take it as a static argument."""

    @staticmethod
    def step(table_BPV):
        """A step of B rows whose state, the hash, depends on the whole prefix: a mixed-up state gives other logits."""

        def step(last_BN, position, hash_BN):
            hash_BN = (hash_BN * 31 + last_BN * 7 + position + 1) % N_HASHES
            return jax.vmap(lambda table_PV, hash_N: table_PV[hash_N])(table_BPV, hash_BN), hash_BN

        return step

    @staticmethod
    def start(rows, n):
        """The state before anything was read."""
        return jnp.zeros((rows, n), jnp.int32)

    @staticmethod
    def follow(hash_BN, parent_BN):
        """The state of the children."""
        return jnp.take_along_axis(hash_BN, parent_BN, axis=1)

    @staticmethod
    def table(seed, rows, vocab_size):
        """Random logits for every hash."""
        return np.random.default_rng(seed).normal(0, 1.5, (rows, N_HASHES, vocab_size)).astype(np.float32)

    @staticmethod
    def log_p(table_PV, prefix):
        """The same step in NumPy: log-probabilities of what follows `prefix`, which begins with the start token."""
        state = 0
        for position, token in enumerate(prefix):
            state = (state * 31 + int(token) * 7 + position + 1) % N_HASHES
        logits = table_PV[state].astype(np.float64)
        return logits - np.logaddexp.reduce(logits)


@pytest.fixture(scope="session")
def hashed():
    """The namespace above."""
    return Hashed
