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
        ({"eos_id": 100}, "eos_id 100 is not in the vocabulary of 100"),
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
        ({"n_kv_heads": 3}, "n_heads 4 must be a multiple of n_kv_heads 3"),
        ({"n_kv_heads": 0}, "n_kv_heads must be an integer of at least 1"),
        ({"window": [4, 4, 4]}, "3 entries for 2 encoder_layers"),
        ({"window": [4, -1]}, "window must be an integer of at least 0, or one for each"),
        ({"window": None}, "window must be an integer"),
        ({"position_ids": "nonpad"}, "needs learned or sinusoidal"),
        ({"norm": "rms"}, "norm must be one of pre, post"),
        ({"dtype": "float16"}, "dtype must be one of float32, bfloat16"),
        ({"remat": True}, "remat must be one of none, full, dots"),
        ({"scan_layers": 1}, "scan_layers must be true or false"),
        ({"norm_epsilon": "1e-5"}, "norm_epsilon must be a number"),
        ({"decoder_window": -1}, "decoder_window must be an integer of at least 0"),
        ({"decoder_layers": 0}, "decoder_layers must be an integer of at least 1"),
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


def test_windows_of_layers_survive_json():
    config = GeneratorConfig(vocab_size=100, window=(3, 5))
    again = GeneratorConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config and hash(again) == hash(config) and again.windows == (3, 5)
    assert GeneratorConfig(vocab_size=100, window=3).windows == (3, 3)
    assert again.sees_all(4) and not again.sees_all(5)


def test_a_config_written_before_a_field_existed_is_what_it_was():
    old = ("vocab_size", "d_model", "n_heads", "d_ff", "encoder_layers", "max_source_len", "window", "dropout")
    config = GeneratorConfig(vocab_size=100, d_model=32)
    assert GeneratorConfig.from_dict({name: config.to_dict()[name] for name in old}) == config
    now = (config.norm, config.final_norm, config.tied_embeddings, config.dtype, config.decoder_window, config.start_id)
    assert now == ("pre", True, True, "float32", None, config.bos_id)


def test_labels_are_one_or_two():
    with pytest.raises(ValueError, match="n_labels must be 1 or 2, not 3"):
        DiscriminatorConfig(vocab_size=100, n_labels=3)


def test_a_discriminator_needs_a_type_for_evidence():
    with pytest.raises(ValueError, match="at least 3"):
        DiscriminatorConfig(vocab_size=100, token_types=2)
