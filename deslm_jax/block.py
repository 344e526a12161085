"""The one transformer block both models are made of, and how a row of blocks is run: one by one, scanned, or with a
backward that computes again what was not kept (remat).

Weights are kept by layer whichever way blocks are run, so `scan_layers` and `remat` may change between two loads.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.attention.blocked import ATTENTION
from deslm_jax.cache import Columns, Place
from deslm_jax.config import GeneratorConfig, ModelConfig
from deslm_jax.dense import PRODUCT, FeedForward, LayerNorm
from deslm_jax.dropout import at_site, drop
from deslm_jax.layers import CrossAttention, KeysValues, SelfAttention, Visible

_Layer = tuple[Any, jax.Array | None]  # a block's weights and its dropout seed


class Encoded(NamedTuple):
    """The encoder's output, as a decoder block reads it."""

    out_BSC: jax.Array
    mask_BS: jax.Array  # bool, True where a token is


class Block(nn.Module):
    """Self-attention, in a decoder attention over the encoder, feed-forward: each a residual with dropout and a norm.

    Pre-norm is `x + f(norm(x))` (Xiong et al. 2020), post-norm `norm(x + f(x))` (Vaswani et al. 2017).
    """

    cfg: ModelConfig
    window: int | None  # as in `SelfAttention`
    decoder: bool = False

    def setup(self) -> None:
        cfg = self.cfg
        first = cfg.decoder_globals if self.decoder and isinstance(cfg, GeneratorConfig) else 0
        self.attention_norm, self.attention = LayerNorm(cfg), SelfAttention(cfg, self.window, self.decoder, first)
        if self.decoder:
            self.cross_norm, self.cross_attention = LayerNorm(cfg), CrossAttention(cfg)
        self.feed_forward_norm, self.feed_forward = LayerNorm(cfg), FeedForward(cfg)

    def __call__(self, x_BTC: jax.Array, seen: Visible | Encoded, seed: jax.Array | None = None) -> jax.Array:
        """Returns the block's output for a whole sequence, [B,T,C]. `seen`: Encoded in a decoder, else Visible."""
        visible = seen if isinstance(seen, Visible) else None
        mixed_BTC = self.attention(self._before(self.attention_norm, x_BTC), visible, at_site(seed, 3))
        x_BTC = self._after(self.attention_norm, x_BTC, mixed_BTC, at_site(seed, 0))
        if isinstance(seen, Encoded):
            x_BTC = self._cross(x_BTC, self.cross_attention.keys_values(seen.out_BSC), seen.mask_BS, seed)
        return self._fed_forward(x_BTC, seed)

    def step(
        self, x_BNC: jax.Array, past: Columns, place: Place, memory: Columns, memory_mask_BS: jax.Array
    ) -> tuple[jax.Array, Columns]:
        """Returns (a decoder block's output for one place of N hypotheses, the keys and values seen so far)."""
        mixed_BNC, past = self.attention.step(self._before(self.attention_norm, x_BNC), past, place)
        x_BNC = self._after(self.attention_norm, x_BNC, mixed_BNC, None)
        crossed_BNC = self.cross_attention.step(self._before(self.cross_norm, x_BNC), memory, memory_mask_BS)
        return self._fed_forward(self._after(self.cross_norm, x_BNC, crossed_BNC, None), None), past

    def _cross(self, x_BTC: jax.Array, memory: KeysValues, mask_BS: jax.Array, seed: jax.Array | None) -> jax.Array:
        crossed_BTC = self.cross_attention(self._before(self.cross_norm, x_BTC), memory, mask_BS)
        return self._after(self.cross_norm, x_BTC, crossed_BTC, at_site(seed, 1))

    def _fed_forward(self, x_BTC: jax.Array, seed: jax.Array | None) -> jax.Array:
        fed_BTC = self.feed_forward(self._before(self.feed_forward_norm, x_BTC))
        return self._after(self.feed_forward_norm, x_BTC, fed_BTC, at_site(seed, 2))

    def _before(self, norm: LayerNorm, x_BTC: jax.Array) -> jax.Array:
        return norm(x_BTC) if self.cfg.norm == "pre" else x_BTC

    def _after(self, norm: LayerNorm, x_BTC: jax.Array, change_BTC: jax.Array, seed: jax.Array | None) -> jax.Array:
        x_BTC = x_BTC + drop(change_BTC, self.cfg.dropout, seed)
        return norm(x_BTC) if self.cfg.norm == "post" else x_BTC


def run_blocks(
    blocks: Sequence[Block], x_BTC: jax.Array, seen: Visible | Encoded, seeds: Sequence[jax.Array | None]
) -> jax.Array:
    """Returns what the blocks make of `x_BTC`, [B,T,C]; one dropout seed a block.

    With `scan_layers` neighbours of equal window are one loop, compiled once: their weights are stacked on the way.
    """
    plain = not blocks or (blocks[0].cfg.remat == "none" and not blocks[0].cfg.scan_layers)
    if plain or blocks[0].is_initializing():
        for block, seed in zip(blocks, seeds, strict=True):
            x_BTC = block(x_BTC, seen, seed)
        return x_BTC
    for block, layers in _equal_runs(blocks, seeds):
        step = _step(block, seen)
        if block.cfg.scan_layers and len(layers) > 1:
            stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)
            x_BTC, _ = jax.lax.scan(step, x_BTC, stacked)
        else:
            for layer in layers:
                x_BTC, _ = step(x_BTC, layer)
    return x_BTC


def _equal_runs(blocks: Sequence[Block], seeds: Sequence[jax.Array | None]) -> Iterator[tuple[Block, list[_Layer]]]:
    """Yields (a block without weights, the weights and seeds of neighbours like it)."""
    for _, run in groupby(zip(blocks, seeds, strict=True), key=lambda pair: pair[0].window):
        pairs = list(run)
        first = pairs[0][0]
        bare = Block(first.cfg, first.window, first.decoder, parent=None)
        yield bare, [(block.variables["params"], seed) for block, seed in pairs]


def _step(block: Block, seen: Visible | Encoded) -> Callable[[jax.Array, _Layer], tuple[jax.Array, None]]:
    def step(x_BTC: jax.Array, layer: _Layer) -> tuple[jax.Array, None]:
        weights, seed = layer
        out: Any = block.apply({"params": weights}, x_BTC, seen, seed)
        return out, None

    if block.cfg.remat == "none":
        return step
    products = jax.checkpoint_policies.save_only_these_names(PRODUCT, ATTENTION)
    return jax.checkpoint(step, policy=products if block.cfg.remat == "dots" else None)
