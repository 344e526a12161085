"""The examples in docstrings run and give what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["calibration", "interop.tensors", "prompts", "tokenizer", "tree"])
def test_examples_run(module):
    failed, tried = doctest.testmod(importlib.import_module(f"deslm_jax.{module}"))
    assert tried > 0 and failed == 0
