"""Weights in the safetensors format, in one file or in shards; nothing that can run code is ever opened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deslm_jax.interop.tensors import StateDict
from deslm_jax.optional import require

SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


def read_weights(folder: str | Path) -> StateDict:
    """Returns all tensors of `folder` as NumPy arrays of the types they are stored in: float32, float16, bfloat16 ...

    Reads model.safetensors, or the shards that model.safetensors.index.json names. None of them there, a file that is
    damaged, or weights in a pickle (pytorch_model.bin, which can run code): a ValueError that says what to do.
    """
    folder = Path(folder)
    if (folder / SINGLE).is_file():
        return _read_file(folder / SINGLE)
    if (folder / _INDEX).is_file():
        return _read_shards(folder)
    if any((folder / name).is_file() for name in _PICKLES):
        raise ValueError(
            f"{folder} has its weights as a pickle only, which could run code, so it is not opened: make safetensors "
            "where torch is installed, e.g. transformers.LEDForConditionalGeneration.from_pretrained(folder)"
            ".save_pretrained(new_folder)."
        )
    raise ValueError(f"{folder} has no weights: {SINGLE} or {_INDEX} must be there.")


def write_weights(path: str | Path, state: Mapping[str, np.ndarray]) -> None:
    """Writes `state` as a safetensors file that torch, too, can load."""
    Path(path).write_bytes(pack_weights(state))


def pack_weights(state: Mapping[str, np.ndarray]) -> bytes:
    """Returns the content of a safetensors file."""
    library = require("safetensors.numpy", "Writing weights")
    arrays = {name: np.ascontiguousarray(value) for name, value in state.items()}
    packed: bytes = library.save(arrays, metadata={"format": "pt"})
    return packed


def _read_shards(folder: Path) -> StateDict:
    try:
        places: dict[str, str] = json.loads((folder / _INDEX).read_bytes())["weight_map"]
        names = sorted(set(places.values()))
        inside = all(Path(name).name == name for name in names)
    except (ValueError, KeyError, TypeError, AttributeError):
        inside = False
    if not inside:
        raise ValueError(f"{folder / _INDEX} lists no shards of this folder: copy the folder again.")
    state: StateDict = {}
    for name in names:
        if not (folder / name).is_file():
            raise ValueError(f"{folder} is incomplete: its index names {name}, which is not there.")
        state |= _read_file(folder / name)
    absent = sorted(set(places) - set(state))
    if absent:
        raise ValueError(f"{folder / places[absent[0]]} lacks the tensor {absent[0]}, which the index says it holds.")
    return state


def _read_file(path: Path) -> StateDict:
    library: Any = require("safetensors", "Reading weights")
    reader = require("safetensors.numpy", "Reading weights")
    try:
        # bfloat16 is a type that NumPy knows once ml_dtypes is imported, and jax does that.
        state: StateDict = reader.load_file(path)
    except (library.SafetensorError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no safetensors file that can be read ({error}): copy it again.") from None
    return state
