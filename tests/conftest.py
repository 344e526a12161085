"""Strict defaults for every test: eight fake devices, no silent promotion, warnings are errors (setup.cfg)."""

import os

# Before jax is imported anywhere. NPROC sizes XLA's CPU thread pool: with fewer threads than fake devices an
# all-reduce inside an unsynchronised loop deadlocks.
os.environ.setdefault("NPROC", "16")
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest
from hypothesis import HealthCheck, settings

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Compilation makes the first example slow; the clock is not what these properties are about.
settings.register_profile("deslm", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.load_profile("deslm")


@pytest.fixture(scope="session")
def repository_root(pytestconfig: pytest.Config):
    """The checkout's root folder."""
    return pytestconfig.rootpath
