"""The one transformer block both models are made of, and the encoder they share.

Shapes: B rows, T positions of the sequence at hand, S positions of the encoder's output, U of the decoder, G global
slots, C channels (d_model), H heads, D channels a head, V vocabulary.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.attention import SparseAttentionSpec, global_idx_from_mask, sparse_attention
from deslm_jax.config import ModelConfig
from deslm_jax.positions import rotate

_MASKED = -1e30  # finite, so that a row with nothing to see gives numbers and not NaN


class KeysValues(NamedTuple):
    """What attention reads: kept between decoding steps, or computed once from the encoder's output."""

    k_BSHD: jax.Array
    v_BSHD: jax.Array


class Visible(NamedTuple):
    """Who may be seen in encoder self-attention."""

    segment_ids_BT: jax.Array  # int32, 0 a token, -1 padding
    global_idx_BG: jax.Array | None  # int32 positions of the global tokens, -1 an empty slot


def attend(q_BTHD: jax.Array, kv: KeysValues, mask: jax.Array) -> jax.Array:
    """Returns plain softmax attention of a few queries over all keys, [B,T,H,D]; `mask` bool, broadcast to [B,T,S].

    Used across to the encoder and for the one query of a cached decoding step. The scores take T x S, small there.
    """
    scores_BHTS = jnp.einsum("BTHD,BSHD->BHTS", q_BTHD, kv.k_BSHD) * q_BTHD.shape[-1] ** -0.5
    weights_BHTS = jax.nn.softmax(jnp.where(mask[:, None], scores_BHTS, _MASKED), axis=-1)
    return jnp.einsum("BHTS,BSHD->BTHD", weights_BHTS, kv.v_BSHD)


def _dense(cfg: ModelConfig, width: int) -> nn.Dense:
    return nn.Dense(width, use_bias=cfg.use_bias)


def norm(cfg: ModelConfig) -> nn.LayerNorm:
    """Returns the layer norm of this config."""
    return nn.LayerNorm(epsilon=cfg.norm_epsilon, use_bias=cfg.use_bias)


class TokenEmbedding(nn.Module):
    """The token table: vectors on the way in, logits on the way out (tied)."""

    cfg: ModelConfig

    def setup(self) -> None:
        init = nn.initializers.normal(self.cfg.d_model**-0.5)
        self.table_VC = self.param("table", init, (self.cfg.vocab_size, self.cfg.d_model))

    def __call__(self, ids_BT: jax.Array) -> jax.Array:
        """Returns [B,T,C]; an id outside the vocabulary gives NaN."""
        x_BTC = self.table_VC.at[ids_BT].get(mode="fill", fill_value=jnp.nan)
        return x_BTC * self.cfg.d_model**0.5 if self.cfg.embedding_scale else x_BTC

    def logits(self, x_BTC: jax.Array) -> jax.Array:
        """Returns the score of every token of the vocabulary, [B,T,V]."""
        return x_BTC @ self.table_VC.T


class SelfAttention(nn.Module):
    """Attention of a sequence to itself: window and globals in the encoder, everything before in the decoder."""

    cfg: ModelConfig
    causal: bool = False

    def setup(self) -> None:
        self.query_key_value = _dense(self.cfg, 3 * self.cfg.d_model)
        self.out = _dense(self.cfg, self.cfg.d_model)
        if self.cfg.global_projections and not self.causal:
            self.global_query = _dense(self.cfg, self.cfg.d_model)
            self.global_key_value = _dense(self.cfg, 2 * self.cfg.d_model)

    def __call__(self, x_BTC: jax.Array, visible: Visible | None, deterministic: bool) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]. `visible` None: causal, everything before."""
        cfg, length = self.cfg, x_BTC.shape[1]
        q, k, v = self._project(self.query_key_value(x_BTC), 3, jnp.arange(length))
        if visible is None:
            spec, optional = SparseAttentionSpec(window=(None, 0), causal=True), {}
        else:
            spec = SparseAttentionSpec(window=(cfg.window, cfg.window), causal=False)
            optional = {"segment_ids": visible.segment_ids_BT} | self._globals(x_BTC, visible.global_idx_BG)
        if cfg.attention_dropout and not deterministic:
            optional |= {"dropout_rate": cfg.attention_dropout, "dropout_rng": self.make_rng("dropout")}
        if length <= cfg.dense_up_to:
            optional["implementation"] = "dense"
        mixed_BTHD = sparse_attention(q, k, v, spec=spec, **optional)
        return self.out(jnp.reshape(mixed_BTHD, x_BTC.shape))

    def step(self, x_B1C: jax.Array, past: KeysValues, position: jax.Array) -> tuple[jax.Array, KeysValues]:
        """Returns (mixed [B,1,C], `past` with this position's key and value written): one step of cached decoding."""
        q, k, v = self._project(self.query_key_value(x_B1C), 3, position[None])
        at = (0, position, 0, 0)
        past = KeysValues(
            jax.lax.dynamic_update_slice(past.k_BSHD, k, at), jax.lax.dynamic_update_slice(past.v_BSHD, v, at)
        )
        seen_11S = (jnp.arange(past.k_BSHD.shape[1]) <= position)[None, None]
        return self.out(jnp.reshape(attend(q, past, seen_11S), x_B1C.shape)), past

    def _globals(self, x_BTC: jax.Array, global_idx_BG: jax.Array | None) -> dict[str, jax.Array]:
        if global_idx_BG is None:
            return {}
        if not self.cfg.global_projections:
            return {"global_idx": global_idx_BG}
        at_BG = jnp.maximum(global_idx_BG, 0)
        chosen_BGC = jnp.take_along_axis(x_BTC, at_BG[..., None], axis=1)
        (q,) = self._project(self.global_query(chosen_BGC), 1, at_BG)
        k, v = self._project(self.global_key_value(x_BTC), 2, jnp.arange(x_BTC.shape[1]), keys_first=True)
        return {"global_idx": global_idx_BG, "q_global": q, "k_global": k, "v_global": v}

    def _project(
        self, flat: jax.Array, n: int, positions: jax.Array, keys_first: bool = False
    ) -> tuple[jax.Array, ...]:
        """Splits a fused projection into heads and, for rotary positions, turns queries and keys (not values)."""
        rows, length, _ = flat.shape
        parts = jnp.split(jnp.reshape(flat, (rows, length, n * self.cfg.n_heads, self.cfg.head_dim)), n, axis=2)
        if self.cfg.positions != "rotary":
            return tuple(parts)
        n_turned = 1 if keys_first else min(n, 2)
        return tuple(rotate(part, positions) if i < n_turned else part for i, part in enumerate(parts))


class CrossAttention(nn.Module):
    """Attention of the decoder over the encoder's output. Keys and values are computed apart, once a sequence."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.query = _dense(self.cfg, self.cfg.d_model)
        self.key_value = _dense(self.cfg, 2 * self.cfg.d_model)
        self.out = _dense(self.cfg, self.cfg.d_model)

    def keys_values(self, memory_BSC: jax.Array) -> KeysValues:
        """Returns this layer's view of the encoder's output."""
        rows, length, _ = memory_BSC.shape
        flat = self.key_value(memory_BSC)
        heads = jnp.reshape(flat, (rows, length, 2 * self.cfg.n_heads, self.cfg.head_dim))
        return KeysValues(*jnp.split(heads, 2, axis=2))

    def __call__(self, x_BTC: jax.Array, memory: KeysValues, memory_mask_BS: jax.Array) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]."""
        shape = (*x_BTC.shape[:2], self.cfg.n_heads, self.cfg.head_dim)
        mixed = attend(jnp.reshape(self.query(x_BTC), shape), memory, memory_mask_BS[:, None])
        return self.out(jnp.reshape(mixed, x_BTC.shape))


class FeedForward(nn.Module):
    """The position-wise layer: GELU, or a GELU-gated product (Shazeer 2020)."""

    cfg: ModelConfig

    @nn.compact
    def __call__(self, x_BTC: jax.Array) -> jax.Array:
        """Returns [B,T,C]."""
        if self.cfg.feed_forward == "gated":
            gate, up = jnp.split(_dense(self.cfg, 2 * self.cfg.d_ff)(x_BTC), 2, axis=-1)
            hidden = nn.gelu(gate, approximate=False) * up
        else:
            hidden = nn.gelu(_dense(self.cfg, self.cfg.d_ff)(x_BTC), approximate=False)
        return _dense(self.cfg, self.cfg.d_model)(hidden)


class Block(nn.Module):
    """Pre-norm block: self-attention, in a decoder attention over the encoder, feed-forward; dropout after each."""

    cfg: ModelConfig
    decoder: bool = False

    def setup(self) -> None:
        self.attention_norm, self.attention = norm(self.cfg), SelfAttention(self.cfg, causal=self.decoder)
        if self.decoder:
            self.cross_norm, self.cross_attention = norm(self.cfg), CrossAttention(self.cfg)
        self.feed_forward_norm, self.feed_forward = norm(self.cfg), FeedForward(self.cfg)
        self.dropout = nn.Dropout(self.cfg.dropout)

    def __call__(
        self,
        x_BTC: jax.Array,
        visible: Visible | None = None,
        memory: KeysValues | None = None,
        memory_mask_BS: jax.Array | None = None,
        deterministic: bool = True,
    ) -> jax.Array:
        """Returns the block's output for a whole sequence, [B,T,C]."""
        mixed_BTC = self.attention(self.attention_norm(x_BTC), visible, deterministic)
        return self._residuals(x_BTC, mixed_BTC, memory, memory_mask_BS, deterministic)

    def step(
        self, x_B1C: jax.Array, past: KeysValues, position: jax.Array, memory: KeysValues, memory_mask_BS: jax.Array
    ) -> tuple[jax.Array, KeysValues]:
        """Returns (the block's output for one position, the keys and values seen so far)."""
        mixed_B1C, past = self.attention.step(self.attention_norm(x_B1C), past, position)
        return self._residuals(x_B1C, mixed_B1C, memory, memory_mask_BS, deterministic=True), past

    def _residuals(
        self,
        x_BTC: jax.Array,
        mixed_BTC: jax.Array,
        memory: KeysValues | None,
        memory_mask_BS: jax.Array | None,
        deterministic: bool,
    ) -> jax.Array:
        drop = lambda y: self.dropout(y, deterministic=deterministic)
        x_BTC = x_BTC + drop(mixed_BTC)
        if memory is not None:
            x_BTC = x_BTC + drop(self.cross_attention(self.cross_norm(x_BTC), memory, memory_mask_BS))
        return x_BTC + drop(self.feed_forward(self.feed_forward_norm(x_BTC)))


class Encoder(nn.Module):
    """Sliding-window and global attention over an embedded sequence; the part both models share."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.blocks = [Block(self.cfg, name=f"block_{i}") for i in range(self.cfg.encoder_layers)]
        self.final_norm = norm(self.cfg)

    def __call__(
        self,
        x_BTC: jax.Array,
        mask_BT: jax.Array,
        global_mask_BT: jax.Array | None,
        question_mask_BT: jax.Array,
        deterministic: bool,
    ) -> jax.Array:
        """Returns the encoded sequence, [B,T,C]; padded positions hold numbers nobody may read.

        `global_mask_BT` None: as `cfg.global_tokens` says, nobody, the first position, or that and the positions of
        `question_mask_BT`. More globals than `cfg.max_globals`: a ValueError outside jit, a row of NaN inside.
        """
        visible = Visible(
            jnp.where(mask_BT, 0, -1).astype(jnp.int32), self._global_positions(mask_BT, global_mask_BT, question_mask_BT)
        )
        for block in self.blocks:
            x_BTC = block(x_BTC, visible, deterministic=deterministic)
        return self.final_norm(x_BTC)

    def _global_positions(
        self, mask_BT: jax.Array, global_mask_BT: jax.Array | None, question_mask_BT: jax.Array
    ) -> jax.Array | None:
        cfg, length = self.cfg, mask_BT.shape[1]
        if cfg.window >= length - 1 and not cfg.global_projections:
            return None  # the window reaches everything: globals would change nothing
        if global_mask_BT is None:
            if cfg.global_tokens == "none":
                return None
            global_mask_BT = (jnp.arange(length) == 0)[None]
            if cfg.global_tokens == "question":
                global_mask_BT = global_mask_BT | question_mask_BT
        # A padded position is never global.
        return global_idx_from_mask(global_mask_BT & mask_BT, min(cfg.max_globals, length))
