"""The golden files: what transformers answered, kept so that parity is tested where torch is not installed."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.deslm_jax.interop.cases import CASES, loud_weights

FOLDER = Path(__file__).parent / "golden"


class Golden(NamedTuple):
    """One reference model and its answers to `make_inputs()`."""

    config: dict[str, Any]  # the content of its config.json
    state: dict[str, np.ndarray]  # drawn again from names and shapes
    logits: np.ndarray  # LED [B,U,V]; Longformer [B,labels]
    loss: float
    gradients: dict[str, np.ndarray]  # of the loss, by name in the state dict
    greedy_BU: np.ndarray | None  # LED: tokens, nobody global
    greedy_global_BU: np.ndarray | None  # LED: tokens, the batch's globals


def read_golden(name: str) -> Golden:
    """The stored answers of one case; weights that are not those it was made with fail here."""
    with np.load(FOLDER / f"{name}.npz") as stored:
        about = json.loads(str(stored["about"]))
        state = loud_weights({key: tuple(shape) for key, shape in about["shapes"].items()}, CASES[name].seed)
        assert fingerprint(state) == about["weights_crc32"], "the weights changed: make the golden files anew"
        gradients = {key[2:]: stored[key] for key in stored.files if key.startswith("g/")}
        greedy = [stored[key] if key in stored.files else None for key in ("greedy", "greedy_global")]
        return Golden(about["config"], state, stored["logits"], float(stored["loss"]), gradients, *greedy)


def write_golden(name: str, config: Mapping[str, Any], state: Mapping[str, np.ndarray], answers: Any) -> None:
    """Store what `torch_reference.answers` gave; tied aliases are left out, as in a safetensors file."""
    tied = name == "led"
    kept = {key: value for key, value in state.items() if not (tied and (".embed_tokens." in key or "lm_head" in key))}
    about = {
        "config": dict(config),
        "shapes": {key: value.shape for key, value in kept.items()},
        "weights_crc32": fingerprint(kept),
    }
    arrays = {f"g/{key}": value for key, value in answers.gradients.items()}
    if answers.greedy_BU is not None:
        arrays |= {"greedy": answers.greedy_BU, "greedy_global": answers.greedy_global_BU}
    FOLDER.mkdir(exist_ok=True)
    about_text = json.dumps(about, sort_keys=True)
    np.savez_compressed(FOLDER / f"{name}.npz", about=about_text, logits=answers.logits, loss=answers.loss, **arrays)


def fingerprint(state: Mapping[str, np.ndarray]) -> int:
    """A checksum of names and numbers."""
    return zlib.crc32(b"".join(name.encode() + state[name].tobytes() for name in sorted(state)))
