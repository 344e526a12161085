"""A model folder in the Hugging Face layout, read as a `Bundle` and written from one.

config.json  model.safetensors (or shards)  tokenizer.json (or vocab.json and merges.txt)  generation_config.json
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from deslm_jax.bundle import Bundle
from deslm_jax.byte_level import ByteLevelTokenizer
from deslm_jax.calibration import Calibration
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig
from deslm_jax.folders import replace_folder
from deslm_jax.interop.led import from_hf_led, to_hf_led
from deslm_jax.interop.longformer import from_hf_longformer, to_hf_longformer
from deslm_jax.interop.weights import SINGLE, pack_weights, read_weights

_CONFIG, _GENERATION, _TOKENIZER = "config.json", "generation_config.json", "tokenizer_config.json"
# What `generate` must know of a generation_config.json, where recent versions of transformers keep it.
_OF_GENERATION = ("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id")


def is_hf_folder(folder: str | Path) -> bool:
    """Returns whether `folder` looks like one of theirs: a config.json that names a model_type, and no manifest."""
    path = Path(folder) / _CONFIG
    if (Path(folder) / "manifest.json").exists() or not path.is_file():
        return False
    try:
        return "model_type" in _read_json(path)
    except ValueError:
        return False


def read_folder(folder: str | Path) -> Bundle:
    """Returns the LED or Longformer model in `folder` with its vocabulary, uncalibrated.

    A folder without config, weights or vocabulary, a model_type other than led and longformer, more vocabulary than
    the model has rows, and all that `from_hf_led` and `from_hf_longformer` refuse: a ValueError that says which.
    """
    folder = Path(folder)
    if not (folder / _CONFIG).is_file():
        raise ValueError(f"{folder} is not a model folder: it has no {_CONFIG}.")
    values = _read_json(folder / _CONFIG)
    kind = values.get("model_type")
    if kind not in ("led", "longformer"):
        raise ValueError(f"{folder / _CONFIG} is of model_type {kind!r}; only led and longformer are read.")
    if (folder / _GENERATION).is_file():
        generation = _read_json(folder / _GENERATION)
        values |= {name: generation[name] for name in _OF_GENERATION if generation.get(name) is not None}
    state = read_weights(folder)
    tokenizer = ByteLevelTokenizer.load(folder)
    try:
        loaded = from_hf_led(values, state) if kind == "led" else from_hf_longformer(values, state)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    config: ModelConfig = loaded[0]
    _require_same_ids(folder, config, tokenizer)
    name = "generator" if kind == "led" else "discriminator"
    return Bundle(name, config, loaded[1], tokenizer, Calibration(), {"converted_from": kind})


def write_folder(folder: str | Path, bundle: Bundle) -> Path:
    """Writes `bundle` in the Hugging Face layout, replacing a folder that is there, whole or not at all.

    A config that LED or Longformer cannot express, or a SentencePiece vocabulary, is a ValueError; nothing is written.
    Calibration and provenance have no place there and stay behind.
    """
    if not isinstance(bundle.tokenizer, ByteLevelTokenizer):
        raise ValueError(
            "This model's vocabulary is SentencePiece's, which the Hugging Face layout of LED and Longformer has no "
            "place for; interop.to_hf_led and to_hf_longformer give the weights alone."
        )
    if bundle.kind == "generator":
        values, state = to_hf_led(cast(GeneratorConfig, bundle.config), bundle.params)
    else:
        values, state = to_hf_longformer(cast(DiscriminatorConfig, bundle.config), bundle.params)
    contents = {
        _CONFIG: _json_bytes(values),
        SINGLE: pack_weights(state),
        "tokenizer.json": bundle.tokenizer.proto,
        _TOKENIZER: _json_bytes(_tokenizer_settings(bundle.tokenizer, bundle.config.max_source_len)),
    }
    if bundle.kind == "generator":
        names = (*_OF_GENERATION, "bos_token_id", "eos_token_id", "pad_token_id")
        contents[_GENERATION] = _json_bytes({name: values[name] for name in names if name in values})
    folder = Path(folder)
    replace_folder(folder, contents)
    return folder


def _tokenizer_settings(tokenizer: ByteLevelTokenizer, longest: int) -> dict[str, Any]:
    marks = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    return {
        "tokenizer_class": "RobertaTokenizer",
        "add_prefix_space": tokenizer.adds_prefix_space,
        "model_max_length": longest,
        **{f"{name}_token": mark for name, mark in marks.items()},
    }


def _require_same_ids(folder: Path, config: ModelConfig, tokenizer: ByteLevelTokenizer) -> None:
    for name in ("bos", "pad", "eos"):
        ours, theirs = getattr(config, f"{name}_id"), getattr(tokenizer, name)
        if ours != theirs:
            raise ValueError(f"{folder}: the config's {name}_token_id is {ours}, but the vocabulary's {theirs}.")
    if tokenizer.vocab_size > config.vocab_size:
        raise ValueError(
            f"{folder}: the vocabulary has {tokenizer.vocab_size} entries, but the model {config.vocab_size} rows."
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{path} is not a JSON object: copy the folder again.")
    return values


def _json_bytes(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()
