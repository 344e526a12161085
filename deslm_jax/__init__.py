"""Models: text in, an answer and a confidence out; text and evidence in, the probability of a fake out.

model, params, tokenizer, config = from_pretrained("runs/demo/generator_0")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deslm_jax.bundle import from_pretrained, load_bundle, save_bundle
    from deslm_jax.config import DiscriminatorConfig, GeneratorConfig
    from deslm_jax.discriminator import Discriminator
    from deslm_jax.generator import Generator
    from deslm_jax.tokenizer import Tokenizer

_HOME = {
    "Discriminator": "discriminator",
    "DiscriminatorConfig": "config",
    "Generator": "generator",
    "GeneratorConfig": "config",
    "Tokenizer": "tokenizer",
    "from_pretrained": "bundle",
    "load_bundle": "bundle",
    "save_bundle": "bundle",
}
__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "Generator",
    "GeneratorConfig",
    "Tokenizer",
    "from_pretrained",
    "load_bundle",
    "save_bundle",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
