"""A finished model as a folder that needs nothing else: copy it, load it, and get the numbers it was trained to give.

    config.json        kind and config           params.npz          weights, float32, no pickle
    tokenizer.model    SentencePiece             calibration.json    temperature, bias, cap
    manifest.json      format version, kind, sha256 of every file, where the model came from

The folder appears whole or not at all: it is written under a temporary name beside its place and renamed.
"""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flax import linen as nn

from deslm_jax.calibration import Calibration
from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.generator import Generator
from deslm_jax.initial import Params, shapes_of
from deslm_jax.tokenizer import Tokenizer

FORMAT_VERSION = 1
_KINDS: dict[str, tuple[type[nn.Module], type[ModelConfig]]] = {
    "generator": (Generator, GeneratorConfig),
    "discriminator": (Discriminator, DiscriminatorConfig),
}
_FILES = ("config.json", "params.npz", "tokenizer.model", "calibration.json")


class Bundle(NamedTuple):
    """A loaded model folder."""

    kind: str  # "generator" or "discriminator"
    config: ModelConfig
    params: Params  # nested dict of float32 NumPy arrays
    tokenizer: Tokenizer
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
    tokenizer: Tokenizer,
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
    arrays = {name: np.asarray(value, np.float32) for name, value in _flatten(params)}
    _check_shapes(kind, config, arrays)
    if config.vocab_size != tokenizer.vocab_size:
        raise ValueError(f"The config has vocab_size {config.vocab_size}, but the tokenizer {tokenizer.vocab_size}.")
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]  # numpy types the keywords as its own options
    contents = {
        "config.json": _json_bytes({"kind": kind, **config.to_dict()}),
        "params.npz": packed.getvalue(),
        "tokenizer.model": tokenizer.proto,
        "calibration.json": _json_bytes(calibration._asdict()),
    }
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "parameters": sum(array.size for array in arrays.values()),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "provenance": dict(provenance or {}),
    }
    _replace_folder(folder, contents | {"manifest.json": _json_bytes(manifest)})
    return folder


def load_bundle(folder: str | Path) -> Bundle:
    """Returns the model in `folder`, after checking every file against the manifest.

    A missing, changed or foreign file, another tokenizer, weights of another shape, an unknown format version: each is
    a ValueError of one sentence that names the file.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    contents = {name: _read_checked(folder, name, manifest["sha256"].get(name)) for name in _FILES}
    values = _parse_json(folder / "config.json", contents["config.json"])
    kind = values.pop("kind", None)
    if kind not in _KINDS or kind != manifest.get("kind"):
        raise ValueError(
            f"{folder / 'config.json'} is of kind {kind!r}, but the manifest says {manifest.get('kind')!r}."
        )
    config = _KINDS[kind][1].from_dict(values)
    tokenizer = Tokenizer(contents["tokenizer.model"])
    if tokenizer.vocab_size != config.vocab_size:
        raise ValueError(
            f"{folder / 'tokenizer.model'} has {tokenizer.vocab_size} pieces, but the model {config.vocab_size}."
        )
    arrays = _unpack(folder / "params.npz", contents["params.npz"])
    _check_shapes(kind, config, arrays)
    calibration = Calibration.from_dict(_parse_json(folder / "calibration.json", contents["calibration.json"]))
    return Bundle(kind, config, _unflatten(arrays), tokenizer, calibration, manifest.get("provenance", {}))


def from_pretrained(folder: str | Path) -> tuple[nn.Module, Params, Tokenizer, ModelConfig]:
    """Returns (model, params, tokenizer, config) of a model folder; errors as `load_bundle`.

    `model.apply({"params": params}, ...)` then computes; the config says which of the two models it is.
    """
    bundle = load_bundle(folder)
    return bundle.model, bundle.params, bundle.tokenizer, bundle.config


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
    if found != expected and name == "tokenizer.model":
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
    expected = dict(_flatten(shapes_of(_KINDS[kind][0](config))))
    for name in sorted(set(expected) | set(arrays)):
        if name not in arrays or name not in expected:
            raise ValueError(f"The weight {name} is {'missing' if name not in arrays else 'not one'} of this {kind}.")
        if arrays[name].shape != expected[name].shape:
            raise ValueError(f"The weight {name} has shape {arrays[name].shape}, the config {expected[name].shape}.")


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in sorted(tree.items()):
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def _unflatten(arrays: Mapping[str, np.ndarray]) -> Params:
    tree: Params = {}
    for path, value in arrays.items():
        *parents, name = path.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = value
    return tree


def _json_bytes(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()


def _replace_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes `contents` beside `folder`, then moves it into place; an older folder is moved aside and removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (folder.with_name(f".{folder.name}.{what}-draft") for what in ("new", "old"))
    for leftover in (fresh, old):  # of a save that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir()
        for name, data in contents.items():
            with open(fresh / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not folder.exists():  # the second rename failed
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
