"""Every field of a config changes the model's program, or is known not to: one that is silently ignored fails here.

Programs are compared as jaxprs, so nothing is compiled. That the numbers are the right ones is for the tests of each
part, and for parity with Hugging Face.
"""

import dataclasses
import re
from typing import Any

import jax
import numpy as np
import pytest

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from deslm_jax.initial import shapes_of

ENC = np.array([[4, 9, 0, 30, 21, 5, 8, 11, 9, 0]], np.int32)
DEC = np.array([[1, 14, 25, 33, 7]], np.int32)
TYPES = np.array([[0, 0, 0, 1, 1, 1, 2, 2, 3, 0]], np.int32)
ABSOLUTE = {"positions": "learned"}

# field -> (what the model has besides, the change): another program.
OTHER: dict[str, tuple[dict[str, Any], Any]] = {
    "vocab_size": ({}, 41),
    "d_model": ({}, 12),
    "n_heads": ({}, 1),
    "n_kv_heads": ({}, 1),
    "d_ff": ({}, 23),
    "encoder_layers": ({}, 2),
    "window": ({}, (3,)),
    "global_tokens": ({}, "none"),
    "global_projections": ({}, True),
    "positions": ({}, "sinusoidal"),
    "position_ids": (ABSOLUTE, "nonpad"),
    "norm": ({}, "post"),
    "embedding_norm": ({}, True),
    "final_norm": ({}, False),
    "feed_forward": ({}, "gelu"),
    "use_bias": ({}, False),
    "embedding_scale": ({}, False),
    "norm_epsilon": ({}, 1e-3),
    "dtype": ({}, "bfloat16"),
    "pad_id": ({}, 39),
    "dense_up_to": ({}, 1),
    "remat": ({}, "full"),
    "scan_layers": ({"encoder_layers": 2}, True),
}
OTHER_GENERATOR: dict[str, tuple[dict[str, Any], Any]] = {
    "decoder_layers": ({}, 2),
    "decoder_window": ({}, 1),
    "decoder_globals": ({"decoder_window": 1}, 1),
    "tied_embeddings": ({}, False),
    "logits_bias": ({}, True),
}
OTHER_DISCRIMINATOR: dict[str, tuple[dict[str, Any], Any]] = {
    "token_types": ({"match_embedding": False}, 0),
    "match_embedding": ({}, False),
    "first_text_id": ({}, 10),
    "head": ({"head_width": 16}, "longformer"),
    "head_layers": ({}, 2),
    "head_width": ({}, 7),
    "n_labels": ({}, 2),
}
# The same program, of rotary positions and without dropout: these limit lengths, or concern training or `generate`.
SAME: dict[str, Any] = {
    "max_source_len": 30,
    "max_globals": 11,
    "dropout": 0.5,
    "attention_dropout": 0.5,
    "bos_id": 5,
    "eos_id": 5,
}
SAME_GENERATOR: dict[str, Any] = {
    "max_target_len": 9,
    "decoder_start_id": 5,
    "forced_bos_id": 5,
    "forced_eos_id": 5,
}


def _program(cfg: Any) -> str:
    """The jaxpr of the model, with shapes, as text; the addresses of functions are no part of it."""
    if isinstance(cfg, GeneratorConfig):
        model, inputs = Generator(cfg), {"enc_ids": ENC, "dec_ids": DEC}
    else:
        model, inputs = Discriminator(cfg), {"ids": ENC, "token_types": TYPES}
    jaxpr = jax.make_jaxpr(lambda params, inputs: model.apply({"params": params}, **inputs))(shapes_of(model), inputs)
    return re.sub("0x[0-9a-f]+", "", str(jaxpr))


def _cases(kind: Any, other: dict[str, Any], same: dict[str, Any]) -> list[Any]:
    changes = [(kind, name, extra, value, True) for name, (extra, value) in other.items()]
    return changes + [(kind, name, {}, value, False) for name, value in same.items()]


GENERATORS = _cases(GeneratorConfig, OTHER | OTHER_GENERATOR, SAME | SAME_GENERATOR)
DISCRIMINATORS = _cases(DiscriminatorConfig, OTHER_DISCRIMINATOR, {})


@pytest.mark.parametrize(("kind", "name", "extra", "value", "is_other"), GENERATORS + DISCRIMINATORS)
def test_a_field_changes_the_program_or_is_known_not_to(tiny, kind, name, extra, value, is_other):
    cfg = kind(**tiny | {"window": 1, "global_tokens": "first"} | extra)
    before, after = _program(cfg), _program(dataclasses.replace(cfg, **{name: value}))
    assert (before != after) == is_other


def test_no_field_is_forgotten():
    names = lambda kind: {field.name for field in dataclasses.fields(kind)}
    shared = set(OTHER) | set(SAME)
    assert shared | set(OTHER_GENERATOR) | set(SAME_GENERATOR) == names(GeneratorConfig)
    assert shared | set(OTHER_DISCRIMINATOR) == names(DiscriminatorConfig)


def test_bfloat16_is_close_to_float32(tiny, make_loud):
    """Rounding by 2^-9 a value adds up over the blocks to a few per cent of what the logits vary by."""
    cfg = GeneratorConfig(**tiny | {"n_kv_heads": 1})
    params = make_loud(Generator(cfg))
    run = lambda cfg: jax.jit(lambda params: Generator(cfg).apply({"params": params}, ENC, DEC))(params)
    exact, rounded = np.asarray(run(cfg)), np.asarray(run(dataclasses.replace(cfg, dtype="bfloat16")))
    assert rounded.dtype == np.float32
    assert 1e-4 < np.abs(rounded - exact).max() < 0.2 * exact.std()
