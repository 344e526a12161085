"""Choosing tokens: pure functions on logits, and the two loops around a step that is an argument. No model in here.

`deslm_jax.decode` puts a generator's step into them.
"""
