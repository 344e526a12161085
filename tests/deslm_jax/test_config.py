"""Configs survive JSON, and what cannot be a model is refused by name."""

import json
from dataclasses import replace

import pytest

from deslm_jax import DiscriminatorConfig, GeneratorConfig


@pytest.mark.parametrize("config_type", [GeneratorConfig, DiscriminatorConfig])
def test_a_config_survives_json_and_is_hashable(config_type):
    config = config_type(vocab_size=100, d_model=32, positions="learned", dropout=0.25)
    assert config_type.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert hash(config) == hash(config_type.from_dict(config.to_dict()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widnow": 3}, "no field 'widnow'"),
        ({"d_model": 30, "n_heads": 4}, "multiple of n_heads"),
        ({"positions": "alibi"}, "learned, sinusoidal, rotary"),
        ({"feed_forward": "relu"}, "feed_forward must be one of"),
        ({"global_tokens": "all"}, "global_tokens must be one of"),
        ({"window": -1}, "window must be an integer of at least 0"),
        ({"d_ff": 0}, "d_ff must be an integer of at least 1"),
        ({"encoder_layers": 1.5}, "encoder_layers must be an integer"),
        ({"vocab_size": True}, "vocab_size must be an integer"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"d_model": 12, "n_heads": 4}, "even head size"),
        ({"d_model": 9, "n_heads": 3, "positions": "sinusoidal"}, "even d_model"),
    ],
)
def test_an_impossible_config_is_one_sentence(change, words):
    with pytest.raises(ValueError, match=words):
        GeneratorConfig.from_dict({"vocab_size": 100} | change)


def test_a_question_is_as_long_as_its_tokens_can_be_global():
    dense = GeneratorConfig(vocab_size=100, max_source_len=200)
    assert dense.max_question_len == dense.global_capacity(200) == 200
    sparse = replace(dense, dense_up_to=128)
    assert (sparse.global_capacity(128), sparse.global_capacity(200), sparse.max_question_len) == (128, 64, 64)
    assert replace(sparse, global_tokens="first").max_question_len == 200
    assert replace(sparse, window=199).max_question_len == 200


def test_the_vocabulary_size_must_be_given():
    with pytest.raises(ValueError, match="needs vocab_size"):
        GeneratorConfig.from_dict({"d_model": 32})


def test_a_discriminator_needs_a_type_for_evidence():
    with pytest.raises(ValueError, match="at least 3"):
        DiscriminatorConfig(vocab_size=100, token_types=2)
