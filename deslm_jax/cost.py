"""What a model costs before it is built: parameters, and floating-point operations of a forward and a backward.

Only matrix products are counted, a multiplication and an addition each (all else is a few per cent), and of attention
only the pairs that the mask needs. The backward of a product is two; self-attention computes its scores once more
instead of keeping them, so its two products become five. `remat` adds what is computed again.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import jax
import numpy as np

from deslm_jax.config import DiscriminatorConfig, GeneratorConfig, ModelConfig
from deslm_jax.discriminator import Discriminator
from deslm_jax.generator import Generator
from deslm_jax.initial import shapes_of


class Flops(NamedTuple):
    """Floating-point operations of a forward pass, by what computes them."""

    dense: float  # linear layers of the blocks
    attention: float  # scores and mixing in self-attention, for the pairs that the mask needs
    cross: float  # the same from decoder to encoder
    head: float  # logits of the vocabulary, or the classification head

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def count_parameters(cfg: ModelConfig) -> int:
    """Returns the number of weights of the model that `cfg` describes.

    >>> count_parameters(GeneratorConfig(vocab_size=3000))
    661344
    """
    model = Generator(cfg) if isinstance(cfg, GeneratorConfig) else Discriminator(_as_discriminator(cfg))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes_of(model)))


def forward_flops(
    cfg: ModelConfig,
    *,
    batch: int = 1,
    source_len: int | None = None,
    target_len: int | None = None,
    n_globals: int = 1,
) -> Flops:
    """Returns the FLOPs of one forward pass over sequences without padding.

    Lengths default to the longest that the config allows; `n_globals` tokens, spread evenly, are global.
    """
    length = cfg.max_source_len if source_len is None else source_len
    n_globals = min(n_globals, length)
    dense = cfg.encoder_layers * length * _dense_of_layer(cfg)
    if cfg.global_projections:
        dense += cfg.encoder_layers * 2 * cfg.d_model * (n_globals * cfg.d_model + length * _pair_width(cfg))
    pairs = sum(allowed_pairs(length, window, n_globals) for window in cfg.windows)
    attention, cross = _pair_cost(cfg) * pairs, 0.0
    if isinstance(cfg, GeneratorConfig):
        answer = cfg.max_target_len if target_len is None else target_len
        cross_dense = 2 * cfg.d_model * (answer * 2 * cfg.d_model + length * _pair_width(cfg))
        dense += cfg.decoder_layers * (answer * _dense_of_layer(cfg) + cross_dense)
        attention += cfg.decoder_layers * _pair_cost(cfg) * _causal_pairs(cfg, answer)
        cross = cfg.decoder_layers * _pair_cost(cfg) * answer * length
        head = 2 * answer * cfg.d_model * cfg.vocab_size
    else:
        cfg = _as_discriminator(cfg)
        head = _head_flops(cfg)
        dense += 2 * 3 * cfg.d_model * length if cfg.match_embedding else 0
    return Flops(*(float(batch * part) for part in (dense, attention, cross, head)))


def backward_flops(cfg: ModelConfig, forward: Flops) -> float:
    """Returns the FLOPs of the backward pass that belongs to a forward of `forward_flops`.

    Remat "dots" keeps what sparse attention found, but neither the dense kind's nor that across to the encoder.
    """
    is_dense = cfg.max_source_len <= cfg.dense_up_to
    again = {
        "none": 0.0,
        "dots": forward.cross + (forward.attention if is_dense else 0.0),
        "full": forward.total - forward.head,
    }
    return 2 * forward.total + 0.5 * forward.attention + again[cfg.remat]


def allowed_pairs(length: int, window: int, n_globals: int) -> int:
    """Returns how many (row, key) pairs window and globals allow in a sequence without padding.

    >>> allowed_pairs(4, 1, 0), allowed_pairs(4, 0, 1), allowed_pairs(4, 3, 2)
    (10, 10, 16)
    """
    place = np.arange(length)
    low, high = np.maximum(place - window, 0), np.minimum(place + window, length - 1)
    global_at = np.floor(np.arange(n_globals) * (length / max(n_globals, 1))).astype(np.int64)
    inside = np.searchsorted(global_at, high, side="right") - np.searchsorted(global_at, low, side="left")
    keys_of_row = high - low + 1 + n_globals - inside
    keys_of_row[global_at] = length
    return int(keys_of_row.sum())


def _causal_pairs(cfg: GeneratorConfig, length: int) -> int:
    if cfg.decoder_window is None:
        return length * (length + 1) // 2
    place = np.arange(length)
    far_globals = np.clip(place - cfg.decoder_window, 0, cfg.decoder_globals)
    return int((np.minimum(place, cfg.decoder_window) + 1 + far_globals).sum())


def _dense_of_layer(cfg: ModelConfig) -> int:
    """Of one position: query, key, value, output, feed-forward."""
    products = 3 if cfg.feed_forward == "gated" else 2
    return 2 * cfg.d_model * (2 * cfg.d_model + _pair_width(cfg) + products * cfg.d_ff)


def _pair_width(cfg: ModelConfig) -> int:
    return 2 * cfg.kv_heads * cfg.head_dim


def _pair_cost(cfg: ModelConfig) -> int:
    """Of one pair and all heads: score and mixing."""
    return 4 * cfg.d_model


def _head_flops(cfg: DiscriminatorConfig) -> int:
    hidden = [cfg.d_model] if cfg.head == "longformer" else [cfg.head_width] * cfg.head_layers
    widths = [cfg.d_model, *hidden, cfg.n_labels]
    return sum(2 * a * b for a, b in pairwise(widths))


def _as_discriminator(cfg: ModelConfig) -> DiscriminatorConfig:
    if not isinstance(cfg, DiscriminatorConfig):
        raise ValueError(f"{type(cfg).__name__} describes neither a generator nor a discriminator.")
    return cfg
