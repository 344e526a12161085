"""Model sizes by name: functions that return a config. Any field can be changed on the way.

>>> small(vocab_size=8000).d_model, base(DiscriminatorConfig, window=128).window
(256, 128)

`tiny`, `small` and `base` are for models trained here; `led_base` and `longformer_base` have exactly the shape of
allenai/led-base-16384 and allenai/longformer-base-4096, so their weights fit. docs/MODELS.md has the sizes and costs.
"""

from typing import Any, TypeVar

from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig

_Config = TypeVar("_Config", bound=ModelConfig)
GENERATOR: type[Any] = GeneratorConfig  # the default of the functions that make either

# LED and Longformer agree in these.
_LONGFORMER: dict[str, Any] = {
    "vocab_size": 50265,
    "d_model": 768,
    "n_heads": 12,
    "d_ff": 3072,
    "global_projections": True,
    "positions": "learned",
    "norm": "post",
    "embedding_norm": True,
    "final_norm": False,
    "feed_forward": "gelu",
    "embedding_scale": False,
    "norm_epsilon": 1e-5,
    "pad_id": 1,
    "bos_id": 0,
    "eos_id": 2,
}


def tiny(kind: type[_Config] = GENERATOR, **changes: Any) -> _Config:
    """Returns the config of the demo's models: minutes of one CPU."""
    return _made(kind, {"vocab_size": 3000}, {}, changes)


def small(kind: type[_Config] = GENERATOR, **changes: Any) -> _Config:
    """Returns a config for a long evening of a CPU, or minutes of a GPU: passages up to 2,048 tokens."""
    shape = {"vocab_size": 8000, "d_model": 256, "d_ff": 704, "encoder_layers": 4}
    return _made(kind, shape | _modern(128, 2048), {"decoder_layers": 2, "max_target_len": 128}, changes)


def base(kind: type[_Config] = GENERATOR, **changes: Any) -> _Config:
    """Returns a config for one GPU: documents up to 8,192 tokens, two query heads for each key head."""
    shape = {"vocab_size": 32000, "d_model": 512, "n_heads": 8, "n_kv_heads": 4, "d_ff": 1408, "encoder_layers": 8}
    memory = {"scan_layers": True, "remat": "dots"}
    return _made(kind, shape | _modern(256, 8192) | memory, {"decoder_layers": 4, "max_target_len": 512}, changes)


def led_base(**changes: Any) -> GeneratorConfig:
    """Returns the config of allenai/led-base-16384 (Beltagy et al. 2020): windows of 512 each side, full decoder."""
    shape = {
        "encoder_layers": 6,
        "decoder_layers": 6,
        "window": 512,
        "max_source_len": 16384,
        "max_target_len": 1024,
        "global_tokens": "first",
        "logits_bias": True,
        "decoder_start_id": 2,
    }
    return GeneratorConfig(**_LONGFORMER | shape | changes)


def longformer_base(**changes: Any) -> DiscriminatorConfig:
    """Returns the config of allenai/longformer-base-4096 with its classification head: windows of 256 each side."""
    shape = {
        "encoder_layers": 12,
        "window": 256,
        "max_source_len": 4096,
        "global_tokens": "first",
        "position_ids": "nonpad",
        "token_types": 1,
        "match_embedding": False,
        "head": "longformer",
        "n_labels": 2,
    }
    return DiscriminatorConfig(**_LONGFORMER | shape | changes)


PRESETS = {"tiny": tiny, "small": small, "base": base, "led_base": led_base, "longformer_base": longformer_base}


def _modern(window: int, longest: int) -> dict[str, Any]:
    """No biases, gated feed-forward, rotary positions: what decoders of the Llama family settled on."""
    return {
        "window": window,
        "max_source_len": longest,
        "global_tokens": "first",
        "feed_forward": "gated",
        "use_bias": False,
        "dense_up_to": 128,
    }


def _made(kind: type[_Config], shape: dict[str, Any], decoder: dict[str, Any], changes: dict[str, Any]) -> _Config:
    return kind(**shape | (decoder if issubclass(kind, GeneratorConfig) else {}) | changes)
