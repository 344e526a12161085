"""LED (Beltagy et al. 2020), the encoder-decoder with sliding windows, as our generator and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deslm_jax.config import GeneratorConfig
from deslm_jax.initial import Params
from deslm_jax.interop.names import led_matches
from deslm_jax.interop.settings import Settings, require_fields, their_activation, their_window
from deslm_jax.interop.tensors import StateDict, as_float32, canonical_names, params_from_state, state_from_params

_TABLE, _LM_HEAD, _BIAS = "led.shared.weight", "lm_head.weight", "final_logits_bias"
_ALIASES = ("led.encoder.embed_tokens.weight", "led.decoder.embed_tokens.weight")
_DEFAULTS: dict[str, Any] = {
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "attention_dropout": 0.0,
    "attention_window": 512,
    "bos_token_id": 0,
    "d_model": 1024,
    "decoder_attention_heads": 16,
    "decoder_ffn_dim": 4096,
    "decoder_layerdrop": 0.0,
    "decoder_layers": 12,
    "decoder_start_token_id": 2,
    "dropout": 0.1,
    "encoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "encoder_layerdrop": 0.0,
    "encoder_layers": 12,
    "eos_token_id": 2,
    "max_decoder_position_embeddings": 1024,
    "max_encoder_position_embeddings": 16384,
    "pad_token_id": 1,
    "tie_word_embeddings": True,
    "vocab_size": 50265,
}
# What makes our block LED's.
_FIXED: dict[str, Any] = {
    "norm": "post",
    "embedding_norm": True,
    "final_norm": False,
    "positions": "learned",
    "position_ids": "index",
    "global_projections": True,
    "global_tokens": "none",
    "use_bias": True,
    "embedding_scale": False,
    "norm_epsilon": 1e-5,
}


def from_hf_led(hf_config: Mapping[str, Any], state_dict: Mapping[str, np.ndarray]) -> tuple[GeneratorConfig, Params]:
    """Returns (config, params) of an LED model: `Generator(config).apply({"params": params}, ...)` gives its logits.

    `hf_config` is the content of config.json, `state_dict` that of an LEDForConditionalGeneration or LEDModel as NumPy
    arrays (float32, float16, bfloat16). Tied aliases of the embedding table may be missing or there. As in LED nobody
    is global unless a `global_mask` says so. A value that is not supported, a tensor that is missing, unknown or of
    another shape: a ValueError that names it.
    """
    settings = Settings(hf_config, "led", _DEFAULTS)
    state = canonical_names(state_dict, "led.", (_LM_HEAD, _BIAS))
    config = _config(settings, logits_bias=_BIAS in state)
    state = _merge_aliases(state, config.tied_embeddings)
    return config, params_from_state(config, led_matches(config), state)


def to_hf_led(config: GeneratorConfig, params: Params) -> tuple[dict[str, Any], StateDict]:
    """Returns (content of config.json, state dict) that LEDForConditionalGeneration loads.

    Tied aliases are left out, as safetensors files do. What a config says of running alone (`dtype`, `remat`,
    `scan_layers`, `dense_up_to`, `max_globals`) has no place there. A config that LED cannot express is a ValueError
    that names the field.
    """
    require_fields(config, "LED", **_FIXED, decoder_window=None, kv_heads=config.n_heads)
    hf_config: dict[str, Any] = {
        "model_type": "led",
        "architectures": ["LEDForConditionalGeneration"],
        "is_encoder_decoder": True,
        "activation_dropout": 0.0,
        "activation_function": their_activation(config.feed_forward),
        "attention_dropout": config.attention_dropout,
        "attention_window": their_window(config.windows),
        "bos_token_id": config.bos_id,
        "d_model": config.d_model,
        "decoder_attention_heads": config.n_heads,
        "decoder_ffn_dim": config.d_ff,
        "decoder_layerdrop": 0.0,
        "decoder_layers": config.decoder_layers,
        "decoder_start_token_id": config.start_id,
        "dropout": config.dropout,
        "encoder_attention_heads": config.n_heads,
        "encoder_ffn_dim": config.d_ff,
        "encoder_layerdrop": 0.0,
        "encoder_layers": config.encoder_layers,
        "eos_token_id": config.eos_id,
        "max_decoder_position_embeddings": config.max_target_len,
        "max_encoder_position_embeddings": config.max_source_len,
        "pad_token_id": config.pad_id,
        "tie_word_embeddings": config.tied_embeddings,
        "torch_dtype": "float32",
        "vocab_size": config.vocab_size,
    }
    forced = {"forced_bos_token_id": config.forced_bos_id, "forced_eos_token_id": config.forced_eos_id}
    hf_config |= {name: value for name, value in forced.items() if value is not None}
    state = state_from_params(config, led_matches(config), params)
    if not config.tied_embeddings:  # untied, transformers takes each of the three tables for its own
        state |= dict.fromkeys(_ALIASES, state[_TABLE])
    return hf_config, state


def _config(settings: Settings, logits_bias: bool) -> GeneratorConfig:
    settings.refuse_others(activation_dropout=0, encoder_layerdrop=0, decoder_layerdrop=0, scale_embedding=False)
    encoder_layers = settings.count("encoder_layers")
    return GeneratorConfig(
        **_FIXED,
        vocab_size=settings.count("vocab_size"),
        d_model=settings.count("d_model"),
        n_heads=settings.equal_counts("encoder_attention_heads", "decoder_attention_heads"),
        d_ff=settings.equal_counts("encoder_ffn_dim", "decoder_ffn_dim"),
        encoder_layers=encoder_layers,
        decoder_layers=settings.count("decoder_layers"),
        max_source_len=settings.count("max_encoder_position_embeddings"),
        max_target_len=settings.count("max_decoder_position_embeddings"),
        window=settings.window(encoder_layers),
        feed_forward=settings.activation("activation_function"),
        dropout=settings.rate("dropout"),
        attention_dropout=settings.rate("attention_dropout"),
        pad_id=settings.count("pad_token_id", 0),
        bos_id=settings.count("bos_token_id", 0),
        eos_id=settings.count("eos_token_id", 0),
        decoder_start_id=settings.count("decoder_start_token_id", 0),
        forced_bos_id=settings.optional_id("forced_bos_token_id"),
        forced_eos_id=settings.optional_id("forced_eos_token_id"),
        tied_embeddings=settings.flag("tie_word_embeddings"),
        logits_bias=logits_bias,
    )


def _merge_aliases(state: StateDict, tied: bool) -> StateDict:
    """Returns `state` with the one input table under its own name, and an output table only where it is not tied."""
    if tied and _TABLE not in state and not any(name in state for name in _ALIASES) and _LM_HEAD in state:
        state = {**state, _TABLE: state[_LM_HEAD]}
    tables = {name: state.pop(name) for name in (*_ALIASES, _TABLE) if name in state}
    if not tables:
        return state
    if not tied and len(tables) == 3:
        del tables[_TABLE]  # untied, transformers 5 reads the two aliases and leaves `shared` unread
    (first, table), *others = tables.items()
    for name, other in others:
        if not _are_equal(table, other):
            raise ValueError(f"The tensors {first} and {name} differ; encoder and decoder must share one table here.")
    if tied and not _are_equal(table, state.pop(_LM_HEAD, table)):
        raise ValueError(
            f"The tensors {_LM_HEAD} and {first} differ although the config's tie_word_embeddings is true; set it to "
            "false, or leave one of them out."
        )
    return {**state, _TABLE: table}


def _are_equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a is b or np.array_equal(as_float32(_TABLE, a), as_float32(_TABLE, b))
