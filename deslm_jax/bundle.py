"""A finished model as a folder that needs nothing else: copy it, load it, and get the numbers it was trained to give.

    config.json        kind and config           params.npz          weights, float32, no pickle
    tokenizer.model    SentencePiece, or         calibration.json    temperature, bias, cap
    tokenizer.json     byte-level BPE            manifest.json       format version, kind, sha256 of every file, origin

The folder appears whole or not at all: it is written under a temporary name beside its place and renamed.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flax import linen as nn

from deslm_jax.byte_level import ByteLevelTokenizer
from deslm_jax.calibration import Calibration
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.folders import replace_folder
from deslm_jax.generator import Generator
from deslm_jax.initial import Params, shapes_of
from deslm_jax.tokenizer import Tokenizer, Vocabulary
from deslm_jax.tree import flatten, unflatten

FORMAT_VERSION = 1
_KINDS: dict[str, tuple[type[nn.Module], type[ModelConfig]]] = {
    "generator": (Generator, GeneratorConfig),
    "discriminator": (Discriminator, DiscriminatorConfig),
}
_TOKENIZERS: dict[str, type[Tokenizer] | type[ByteLevelTokenizer]] = {
    kind.file_name: kind for kind in (Tokenizer, ByteLevelTokenizer)
}


class Bundle(NamedTuple):
    """A loaded model folder."""

    kind: str  # "generator" or "discriminator"
    config: ModelConfig
    params: Params  # nested dict of float32 NumPy arrays
    tokenizer: Vocabulary
    calibration: Calibration
    provenance: dict[str, Any]  # what the trainer wrote down: steps, seed, data ...

    @property
    def model(self) -> nn.Module:
        """The module whose weights these are: `bundle.model.apply({"params": bundle.params}, ...)`."""
        return _KINDS[self.kind][0](self.config)


def save_bundle(
    folder: str | Path,
    *,
    config: ModelConfig,
    params: Params,
    tokenizer: Vocabulary,
    calibration: Calibration,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model folder, replacing one that is there, and returns its path.

    `provenance` is anything JSON holds; keep clocks and paths out of it and the same training gives the same bytes.
    Weights that do not fit the config, or a config of another tokenizer's size: a ValueError, and nothing is written.
    """
    folder = Path(folder)
    kind = next((name for name, (_, config_type) in _KINDS.items() if type(config) is config_type), None)
    if kind is None:
        raise ValueError(f"A bundle holds a generator or a discriminator; {type(config).__name__} configures neither.")
    arrays = {name: np.asarray(value, np.float32) for name, value in flatten(params)}
    _check_shapes(kind, config, arrays)
    if not _fits(config, tokenizer):
        raise ValueError(f"The config has vocab_size {config.vocab_size}, but the tokenizer {tokenizer.vocab_size}.")
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]  # numpy types the keywords as its own options
    contents = {
        "config.json": _json_bytes({"kind": kind, **config.to_dict()}),
        "params.npz": packed.getvalue(),
        tokenizer.file_name: tokenizer.proto,
        "calibration.json": _json_bytes(calibration._asdict()),
    }
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "parameters": sum(array.size for array in arrays.values()),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "provenance": dict(provenance or {}),
    }
    replace_folder(folder, contents | {"manifest.json": _json_bytes(manifest)})
    return folder


def load_bundle(folder: str | Path) -> Bundle:
    """Returns the model in `folder`, after checking every file against the manifest.

    A missing, changed or foreign file, another tokenizer, weights of another shape, an unknown format version: each is
    a ValueError of one sentence that names the file.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    vocabulary = next((name for name in _TOKENIZERS if name in manifest["sha256"]), Tokenizer.file_name)
    names = ("config.json", "params.npz", vocabulary, "calibration.json")
    contents = {name: _read_checked(folder, name, manifest["sha256"].get(name)) for name in names}
    values = _parse_json(folder / "config.json", contents["config.json"])
    kind = values.pop("kind", None)
    if kind not in _KINDS or kind != manifest.get("kind"):
        raise ValueError(
            f"{folder / 'config.json'} is of kind {kind!r}, but the manifest says {manifest.get('kind')!r}."
        )
    config = _KINDS[kind][1].from_dict(values)
    tokenizer = _TOKENIZERS[vocabulary](contents[vocabulary])
    if not _fits(config, tokenizer):
        raise ValueError(f"{folder / vocabulary} has {tokenizer.vocab_size} pieces, but the model {config.vocab_size}.")
    arrays = _unpack(folder / "params.npz", contents["params.npz"])
    _check_shapes(kind, config, arrays)
    calibration = Calibration.from_dict(_parse_json(folder / "calibration.json", contents["calibration.json"]))
    return Bundle(kind, config, unflatten(arrays), tokenizer, calibration, manifest.get("provenance", {}))


def from_pretrained(folder: str | Path) -> tuple[nn.Module, Params, Vocabulary, ModelConfig]:
    """Returns (model, params, tokenizer, config) of a model folder, ours or one in the Hugging Face layout.

    `model.apply({"params": params}, ...)` then computes; the config says which of the two models it is. Errors as
    `load_bundle` and `interop.read_folder`.
    """
    from deslm_jax import interop

    bundle = interop.read_folder(folder) if interop.is_hf_folder(folder) else load_bundle(folder)
    return bundle.model, bundle.params, bundle.tokenizer, bundle.config


def _fits(config: ModelConfig, tokenizer: Vocabulary) -> bool:
    """A model made elsewhere may have a few rows more than its vocabulary has entries: tables rounded up."""
    exact = isinstance(tokenizer, Tokenizer)
    return config.vocab_size == tokenizer.vocab_size or (not exact and config.vocab_size > tokenizer.vocab_size)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise ValueError(f"{folder} is not a model folder: it has no manifest.json.")
    manifest = _parse_json(path, path.read_bytes())
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise ValueError(f"{path} is of format version {version!r}; this program reads version {FORMAT_VERSION}.")
    if not isinstance(manifest.get("sha256"), dict):
        raise ValueError(f"{path} lists no sha256: copy the model folder again.")
    return manifest


def _read_checked(folder: Path, name: str, expected: str | None) -> bytes:
    path = folder / name
    if not path.is_file():
        raise ValueError(f"{folder} is incomplete: {name} is missing; copy the model folder again.")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != expected and name in _TOKENIZERS:
        raise ValueError(
            f"{path} is not the tokenizer this model was trained with: its sha256 starts {found[:12]}, the manifest "
            f"says {str(expected)[:12]}."
        )
    if found != expected:
        raise ValueError(
            f"{path} is damaged or was changed: its sha256 is not the manifest's; copy the model folder again."
        )
    return data


def _parse_json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{path} is not a JSON object: copy the model folder again.")
    return values


def _unpack(path: Path, data: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile):
        raise ValueError(f"{path} holds no weights that can be read: copy the model folder again.") from None


def _check_shapes(kind: str, config: ModelConfig, arrays: Mapping[str, np.ndarray]) -> None:
    expected = dict(flatten(shapes_of(_KINDS[kind][0](config))))
    for name in sorted(set(expected) | set(arrays)):
        if name not in arrays or name not in expected:
            raise ValueError(f"The weight {name} is {'missing' if name not in arrays else 'not one'} of this {kind}.")
        if arrays[name].shape != expected[name].shape:
            raise ValueError(f"The weight {name} has shape {arrays[name].shape}, the config {expected[name].shape}.")


def _json_bytes(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()
