"""What cannot be converted is refused in one sentence that names it."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from deslm_jax import Generator
from deslm_jax.initial import init_params
from deslm_jax.interop import from_hf_led, from_hf_longformer, to_hf_led, to_hf_longformer
from deslm_jax.interop.longformer import FreshHead
from deslm_jax.tree import flatten
from tests.deslm_jax.interop.cases import CASES
from tests.deslm_jax.interop.golden import read_golden

LED, UNTIED, ONE, TWO = (read_golden(name) for name in CASES)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model_type": "bart"}, "model_type 'bart', not 'led'"),
        ({"activation_function": "relu"}, "activation_function 'relu' is not supported"),
        ({"decoder_ffn_dim": 80}, "encoder_ffn_dim is 40 and its decoder_ffn_dim 80; they must be equal"),
        ({"decoder_attention_heads": 4}, "encoder_attention_heads is 3 and its decoder_attention_heads 4"),
        ({"attention_window": 5}, "attention_window must be positive and even, not 5"),
        ({"attention_window": [4, 4, 4]}, "attention_window has 3 entries for 2 encoder layers"),
        ({"encoder_layerdrop": 0.1}, "encoder_layerdrop 0.1 is not supported; it must be 0"),
        ({"activation_dropout": 0.1}, "activation_dropout 0.1 is not supported"),
        ({"scale_embedding": True}, "scale_embedding True is not supported"),
        ({"eos_token_id": [2, 3]}, r"eos_token_id must be an integer of at least 0, not \[2, 3\]"),
        ({"pad_token_id": None}, "pad_token_id must be an integer"),
        ({"d_model": "24"}, "d_model must be an integer of at least 1, not '24'"),
        ({"dropout": 1.5}, r"dropout must be a number in \[0, 1\), not 1.5"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings must be true or false"),
        ({"vocab_size": 10**12}, "vocab_size 1000000000000 is beyond 2147483647"),
        ({"decoder_start_token_id": 61}, "decoder_start_id 61 is not in the vocabulary of 61"),
        ({"d_model": 25}, "d_model 25 must be a multiple of n_heads 3"),
        ({"d_model": 27}, r"tensor led.shared.weight has shape \(61, 24\), but the config asks for \(61, 27\)"),
    ],
)
def test_a_config_value_that_led_cannot_have(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_hf_led(LED.config | change, LED.state)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model_type": "led"}, "model_type 'led', not 'longformer'"),
        ({"hidden_act": ["gelu"]}, r"hidden_act \['gelu'\] is not supported; it may be gelu, gelu_new"),
        ({"attention_mode": "tvm"}, "attention_mode 'tvm' is not supported; it must be 'longformer'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key' is not supported"),
        ({"id2label": {0: "a", 1: "b", 2: "c"}}, "3 labels .id2label.; a verifier needs 1 .fake. or 2"),
        ({"layer_norm_eps": 0}, "layer_norm_eps must be a finite number above 0, not 0"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps must be a finite number above 0, not nan"),
        ({"max_position_embeddings": 2}, "max_position_embeddings must be an integer of at least 3, not 2"),
        (
            {"type_vocab_size": 3},
            r"token_type_embeddings.weight has shape \(1, 24\), but the config asks for \(3, 24\)",
        ),
        ({"id2label": {0: "a"}}, r"classifier.out_proj.weight has shape \(2, 24\), but the config asks for \(1, 24\)"),
    ],
)
def test_a_config_value_that_longformer_cannot_have(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_hf_longformer(TWO.config | change, TWO.state)


def test_tensors_that_are_missing_unknown_or_no_numbers():
    gone = "led.encoder.layers.1.self_attn.longformer_self_attn.key_global.bias"
    for change, sentence in [
        ({gone: None}, f"The tensor {gone} is missing"),
        (
            {"led.encoder.layers.2.fc1.bias": np.zeros(3)},
            r"tensor led.encoder.layers.2.fc1.bias is not one of .* \(1 are",
        ),
        (
            {"led.decoder.layers.0.fc1.bias": np.zeros(40, np.int8)},
            "fc1.bias is of type int8; weights must be floating",
        ),
        (
            {"led.decoder.layers.0.fc1.bias": np.where(np.arange(40) == 7, np.nan, 0.0)},
            "tensor led.decoder.layers.0.fc1.bias holds NaN or infinity",
        ),
    ]:
        state = {name: value for name, value in (LED.state | change).items() if value is not None}
        with pytest.raises(ValueError, match=sentence):
            from_hf_led(LED.config, state)


def test_aliases_of_the_embedding_table_may_be_there_or_not_but_not_differ():
    table, head = LED.state["led.shared.weight"], "lm_head.weight"
    aliases = ["led.encoder.embed_tokens.weight", "led.decoder.embed_tokens.weight"]
    whole = dict(flatten(from_hf_led(LED.config, LED.state)[1]))
    rest = {name: value for name, value in LED.state.items() if name != "led.shared.weight"}
    for names in ([head], aliases, [aliases[1]], [head, *aliases, "led.shared.weight"]):
        found = dict(flatten(from_hf_led(LED.config, rest | dict.fromkeys(names, table))[1]))
        assert all(np.array_equal(found[name], whole[name]) for name in whole)
    for name, sentence in [
        (aliases[0], "must share one table"),
        (head, "differ although .* tie_word_embeddings is true"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            from_hf_led(LED.config, LED.state | {name: table + 1})
    with pytest.raises(ValueError, match=r"The tensor led.shared.weight is missing"):
        from_hf_led(LED.config, rest)
    without = {name: value for name, value in UNTIED.state.items() if name != head}
    with pytest.raises(ValueError, match=r"The tensor lm_head.weight is missing"):
        from_hf_led(UNTIED.config, without)
    # transformers 5 leaves `shared` of an untied model unread, so it may hold anything
    config, params = from_hf_led(UNTIED.config, UNTIED.state | {"led.shared.weight": table * 0})
    assert not config.tied_embeddings
    np.testing.assert_array_equal(params["embedding"]["token_table"], UNTIED.state[aliases[0]])


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_other_widths_of_numbers_are_read(dtype):
    params = from_hf_led(LED.config, {name: value.astype(dtype) for name, value in LED.state.items()})[1]
    kernel = params["encoder"]["block_0"]["feed_forward"]["up"]["kernel"]
    assert kernel.dtype == np.float32
    wanted = LED.state["led.encoder.layers.0.fc1.weight"].astype(dtype).astype(np.float32).T
    np.testing.assert_array_equal(kernel, wanted)


@pytest.mark.parametrize("golden", [LED, UNTIED, ONE, TWO], ids=list(CASES))
def test_there_and_back_gives_the_same_bits(golden):
    there, back = (from_hf_led, to_hf_led) if "d_model" in golden.config else (from_hf_longformer, to_hf_longformer)
    config, params = there(golden.config, golden.state)
    hf_config, state = back(config, params)
    assert set(state) == set(golden.state)
    for name, value in state.items():
        assert value.dtype == np.float32
        assert value.flags.c_contiguous
        np.testing.assert_array_equal(value, golden.state[name])
    assert there(hf_config, state)[0] == config
    shared = set(hf_config) & set(golden.config) - {"architectures", "torch_dtype", "id2label", "label2id"}
    layers = len(hf_config["attention_window"])
    for name in shared:
        theirs = (
            [golden.config[name]] * layers if golden.config[name] == 6 and "window" in name else golden.config[name]
        )
        assert hf_config[name] == theirs, name


def test_prefixes_may_be_missing_and_other_heads_are_left_out():
    config, params = from_hf_led(LED.config, {name.removeprefix("led."): value for name, value in LED.state.items()})
    assert config.logits_bias
    body = {name.removeprefix("longformer."): value for name, value in TWO.state.items() if "classifier" not in name}
    extra = {"pooler.dense.weight": np.ones(3), "lm_head.bias": np.ones(61), "embeddings.position_ids": np.arange(3)}
    with pytest.warns(FreshHead, match="no classification head, so the head is fresh"):
        config, params = from_hf_longformer(TWO.config, body | extra)
    assert config.n_labels == 1
    assert params["head_out"]["kernel"].shape == (24, 1)
    assert 0.1 < params["head_0"]["kernel"].std() < 0.3  # 1 / sqrt(24)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"norm": "pre"}, "LED cannot express norm 'pre'; it must be 'post'"),
        ({"positions": "rotary"}, "LED cannot express positions 'rotary'"),
        ({"n_kv_heads": 1}, "LED cannot express kv_heads 1; it must be 3"),
        ({"decoder_window": 4}, "LED cannot express decoder_window 4"),
        ({"norm_epsilon": 1e-6}, "LED cannot express norm_epsilon 1e-06"),
        ({"feed_forward": "gated"}, "no feed_forward 'gated'"),
        ({"window": 0}, "no window of 0"),
        ({"window": (4, 1)}, "no window of 1: it needs 2 tokens"),
    ],
)
def test_a_config_that_they_cannot_express(change, sentence):
    config, params = from_hf_led(LED.config, LED.state)
    with pytest.raises(ValueError, match=sentence):
        to_hf_led(replace(config, **change), params)


def test_parameters_of_another_config_are_refused_by_name():
    config, params = from_hf_led(LED.config, LED.state)
    with pytest.raises(ValueError, match=r"weight embedding/token_table has shape \(61, 24\), .* \(62, 24\)"):
        to_hf_led(replace(config, vocab_size=62), params)
    with pytest.raises(ValueError, match="weight output_table is missing"):
        to_hf_led(replace(config, tied_embeddings=False), params)
    discriminator, weights = from_hf_longformer(TWO.config, TWO.state)
    with pytest.raises(ValueError, match="Longformer cannot express match_embedding True"):
        to_hf_longformer(replace(discriminator, match_embedding=True, token_types=4), weights)


def test_a_sequence_longer_than_the_position_table_is_refused():
    config, params = from_hf_led(LED.config, LED.state)
    ids = np.full((1, 49), 5, np.int32)
    with pytest.raises(ValueError, match="The prompt has 49 tokens, but max_source_len is 48"):
        Generator(config).apply({"params": params}, ids, ids[:, :2])


def test_fresh_weights_go_there_and_back_too():
    config, _ = from_hf_led(LED.config, LED.state)
    params = init_params(Generator(config), 3)
    again = dict(flatten(from_hf_led(*to_hf_led(config, params))[1]))
    assert all(np.array_equal(again[name], value) for name, value in flatten(params))
