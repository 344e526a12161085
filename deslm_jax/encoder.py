"""What both models share: token embedding and encoder.

Shapes: B rows, T positions, C channels (d_model), V vocabulary. A `seed` is a dropout seed, None for none.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.attention import global_idx_from_mask
from deslm_jax.block import Block, run_blocks
from deslm_jax.config import ModelConfig
from deslm_jax.dense import LayerNorm
from deslm_jax.dropout import at_site
from deslm_jax.initial import drawn
from deslm_jax.layers import Visible


class TokenEmbedding(nn.Module):
    """The token table."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.table_VC = self.param("token_table", drawn("token_table"), (self.cfg.vocab_size, self.cfg.d_model))

    def __call__(self, ids_BT: jax.Array) -> jax.Array:
        """Returns float32 [B,T,C]; an id outside the vocabulary gives NaN."""
        x_BTC = jnp.take(self.table_VC, ids_BT, axis=0, mode="fill", fill_value=jnp.nan)
        return x_BTC * self.cfg.d_model**0.5 if self.cfg.embedding_scale else x_BTC


class Encoder(nn.Module):
    """Sliding-window and global attention over an embedded sequence."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.blocks = [Block(self.cfg, window, name=f"block_{i}") for i, window in enumerate(self.cfg.windows)]
        if self.cfg.final_norm:
            self.final_norm = LayerNorm(self.cfg)

    def __call__(
        self,
        x_BTC: jax.Array,
        mask_BT: jax.Array,
        global_mask_BT: jax.Array | None,
        question_mask_BT: jax.Array,
        seed: jax.Array | None,
    ) -> jax.Array:
        """Returns the encoded sequence, [B,T,C]; padded positions are 0.

        `global_mask_BT` None: as `cfg.global_tokens` says, nobody, the first position, or that and the positions of
        `question_mask_BT`. More than `cfg.global_capacity`: a ValueError outside jit, a row of NaN inside.
        """
        segment_ids_BT = jnp.where(mask_BT, 0, -1).astype(jnp.int32)
        visible = Visible(segment_ids_BT, self._global_positions(mask_BT, global_mask_BT, question_mask_BT))
        x_BTC = run_blocks(self.blocks, x_BTC, visible, [at_site(seed, i) for i in range(len(self.blocks))])
        x_BTC = self.final_norm(x_BTC) if self.cfg.final_norm else x_BTC
        return jnp.where(mask_BT[..., None], x_BTC, 0.0)

    def _global_positions(
        self, mask_BT: jax.Array, global_mask_BT: jax.Array | None, question_mask_BT: jax.Array
    ) -> jax.Array | None:
        cfg, length = self.cfg, mask_BT.shape[1]
        if cfg.sees_all(length):
            return None
        if global_mask_BT is None:
            if cfg.global_tokens == "none" and not self.is_initializing():  # weights of globals there may be yet
                return None
            global_mask_BT = (jnp.arange(length) == 0)[None]
            if cfg.global_tokens == "question":
                global_mask_BT = global_mask_BT | question_mask_BT
        # A padded position is never global.
        return global_idx_from_mask(global_mask_BT.astype(bool) & mask_BT, cfg.global_capacity(length))
