"""LED and Longformer weights of Hugging Face in and out, with the same numbers; needs neither torch nor transformers.

    config, params = from_hf_led(hf_config, state_dict)              # dict, {name: np.ndarray}
    hf_config, state_dict = to_hf_led(config, params)
    bundle = read_folder("led-base-16384")                           # config.json, model.safetensors, tokenizer files

docs/INTEROP.md has what maps to what, what is refused, and the differences measured.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deslm_jax.interop.folder import is_hf_folder, read_folder, write_folder
    from deslm_jax.interop.led import from_hf_led, to_hf_led
    from deslm_jax.interop.longformer import from_hf_longformer, to_hf_longformer
    from deslm_jax.interop.weights import read_weights, write_weights

_HOME = {
    "from_hf_led": "led",
    "from_hf_longformer": "longformer",
    "is_hf_folder": "folder",
    "read_folder": "folder",
    "read_weights": "weights",
    "to_hf_led": "led",
    "to_hf_longformer": "longformer",
    "write_folder": "folder",
    "write_weights": "weights",
}
__all__ = [
    "from_hf_led",
    "from_hf_longformer",
    "is_hf_folder",
    "read_folder",
    "read_weights",
    "to_hf_led",
    "to_hf_longformer",
    "write_folder",
    "write_weights",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
