"""The protocol as a laboratory: the same rules under `jax.jit`, over thousands of nodes and hundreds of settings."""
