"""Longformer (Beltagy et al. 2020) with a classification head, as our discriminator and back.

Label 1 is "fake": with two labels the logit is theirs of label 1 less that of label 0, so that its sigmoid is the
softmax's probability of label 1; with one it is that label's own.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from deslm_jax.config import DiscriminatorConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.initial import Params, init_params
from deslm_jax.interop.names import longformer_matches
from deslm_jax.interop.settings import Settings, require_fields, their_activation, their_window
from deslm_jax.interop.tensors import StateDict, canonical_names, params_from_state, state_from_params

_HEAD = "classifier."
# Of other heads, or derived: they play no part in a classification.
_UNUSED = ("lm_head.", "longformer.pooler.", "longformer.embeddings.position_ids")
_DEFAULTS: dict[str, Any] = {
    "attention_probs_dropout_prob": 0.1,
    "attention_window": 512,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 1,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}
# What makes our block Longformer's.
_FIXED: dict[str, Any] = {
    "norm": "post",
    "embedding_norm": True,
    "final_norm": False,
    "positions": "learned",
    "position_ids": "nonpad",
    "global_projections": True,
    "global_tokens": "first",
    "use_bias": True,
    "embedding_scale": False,
    "match_embedding": False,
    "head": "longformer",
}


class FreshHead(UserWarning):
    """The checkpoint has no classification head, so the one loaded is untrained."""


def from_hf_longformer(
    hf_config: Mapping[str, Any], state_dict: Mapping[str, np.ndarray]
) -> tuple[DiscriminatorConfig, Params]:
    """Returns (config, params) of a Longformer: `Discriminator(config).apply({"params": params}, ...)` is its logit.

    `hf_config` is the content of config.json, `state_dict` that of a LongformerForSequenceClassification with one or
    two labels as NumPy arrays (float32, float16, bfloat16). A checkpoint without that head (LongformerModel,
    LongformerForMaskedLM, the public longformer-base-4096) gives a fresh one with a single label and a `FreshHead`
    warning. Without a `global_mask` the first token is global. A value that is not supported, a tensor that is
    missing, unknown or of another shape: a ValueError that names it.
    """
    state = canonical_names(state_dict, "longformer.", (_HEAD, "lm_head."))
    state = {name: value for name, value in state.items() if not name.startswith(_UNUSED)}
    has_head = any(name.startswith(_HEAD) for name in state)
    settings = Settings(hf_config, "longformer", _DEFAULTS)
    config = _config(settings, _label_count(hf_config) if has_head else 1)
    if not has_head:
        state |= _fresh_head(config)
        warnings.warn(
            "The checkpoint has no classification head, so the head is fresh and says nothing before it is trained.",
            FreshHead,
            stacklevel=2,
        )
    return config, params_from_state(config, longformer_matches(config), state)


def to_hf_longformer(config: DiscriminatorConfig, params: Params) -> tuple[dict[str, Any], StateDict]:
    """Returns (content of config.json, state dict) that LongformerForSequenceClassification loads.

    What a config says of running alone (`dtype`, `remat`, `scan_layers`, `dense_up_to`, `max_globals`) has no place
    there. A config that Longformer cannot express is a ValueError that names the field.
    """
    require_fields(config, "Longformer", **_FIXED, kv_heads=config.n_heads, token_types=max(config.token_types, 1))
    labels = ["fake"] if config.n_labels == 1 else ["true", "fake"]
    hf_config: dict[str, Any] = {
        "model_type": "longformer",
        "architectures": ["LongformerForSequenceClassification"],
        "attention_mode": "longformer",
        "attention_probs_dropout_prob": config.attention_dropout,
        "attention_window": their_window(config.windows),
        "bos_token_id": config.bos_id,
        "eos_token_id": config.eos_id,
        "hidden_act": their_activation(config.feed_forward),
        "hidden_dropout_prob": config.dropout,
        "hidden_size": config.d_model,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "intermediate_size": config.d_ff,
        "label2id": {label: i for i, label in enumerate(labels)},
        "layer_norm_eps": config.norm_epsilon,
        "max_position_embeddings": config.source_positions,
        "num_attention_heads": config.n_heads,
        "num_hidden_layers": config.encoder_layers,
        "pad_token_id": config.pad_id,
        "sep_token_id": config.eos_id,
        "torch_dtype": "float32",
        "type_vocab_size": config.token_types,
        "vocab_size": config.vocab_size,
    }
    return hf_config, state_from_params(config, longformer_matches(config), params)


def _config(settings: Settings, n_labels: int) -> DiscriminatorConfig:
    settings.refuse_others(attention_mode="longformer", position_embedding_type="absolute", is_decoder=False)
    layers, pad_id = settings.count("num_hidden_layers"), settings.count("pad_token_id", 0)
    return DiscriminatorConfig(
        **_FIXED,
        vocab_size=settings.count("vocab_size"),
        d_model=settings.count("hidden_size"),
        n_heads=settings.count("num_attention_heads"),
        d_ff=settings.count("intermediate_size"),
        encoder_layers=layers,
        max_source_len=settings.count("max_position_embeddings", pad_id + 2) - pad_id - 1,
        window=settings.window(layers),
        feed_forward=settings.activation("hidden_act"),
        norm_epsilon=settings.number("layer_norm_eps"),
        dropout=settings.rate("hidden_dropout_prob"),
        attention_dropout=settings.rate("attention_probs_dropout_prob"),
        token_types=settings.count("type_vocab_size"),
        pad_id=pad_id,
        bos_id=settings.count("bos_token_id", 0),
        eos_id=settings.count("eos_token_id", 0),
        n_labels=n_labels,
    )


def _label_count(hf_config: Mapping[str, Any]) -> int:
    """The number of labels; config.json says it by `id2label`, and leaves that out where it is 2."""
    labels = hf_config.get("id2label")
    count = len(labels) if isinstance(labels, Mapping) else hf_config.get("num_labels", 2)
    if count not in (1, 2):
        raise ValueError(f"The config has {count} labels (id2label); a verifier needs 1 (fake) or 2 (true, fake).")
    return int(count)


def _fresh_head(config: DiscriminatorConfig) -> StateDict:
    """A head as `init_params` draws it, without drawing the rest of the model."""
    words = 1 + max(config.pad_id, config.bos_id, config.eos_id)
    small = DiscriminatorConfig(**config.to_dict() | {"encoder_layers": 0, "window": (), "vocab_size": words})
    params = init_params(Discriminator(small), seed=0)
    heads = [match for match in longformer_matches(small) if match.ours.startswith("head_")]
    return state_from_params(small, heads, params)
