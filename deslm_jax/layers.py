"""The one transformer block both models are made of, and the encoder they share.

Shapes: B rows, T positions of the sequence at hand, S positions of the encoder's output, G global slots, C channels
(d_model), H heads, D channels a head, V vocabulary. A `seed` is a dropout seed, None for none (see `dropout`).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from deslm_jax.attention import SparseAttentionSpec, global_idx_from_mask, sparse_attention
from deslm_jax.config import ModelConfig
from deslm_jax.dropout import at_site, drop
from deslm_jax.initial import drawn
from deslm_jax.positions import rotate

_MASKED = -1e30  # finite, so that a row with nothing to see gives numbers and not NaN


class KeysValues(NamedTuple):
    """What attention reads: kept between decoding steps, or computed once from the encoder's output."""

    k_BSHD: jax.Array
    v_BSHD: jax.Array


class Visible(NamedTuple):
    """Who may be seen in encoder self-attention."""

    segment_ids_BT: jax.Array  # int32, 0 a token, -1 padding
    global_idx_BG: jax.Array | None  # int32 positions of the global tokens, -1 an empty slot; None: nobody is


def attend(q_BTHD: jax.Array, kv: KeysValues, mask: jax.Array) -> jax.Array:
    """Returns plain softmax attention of a few queries over all keys, [B,T,H,D]; `mask` bool, broadcast to [B,T,S].

    Used across to the encoder and for the one query of a cached decoding step. The scores take T x S, small there.
    """
    scores_BHTS = jnp.einsum("BTHD,BSHD->BHTS", q_BTHD * q_BTHD.shape[-1] ** -0.5, kv.k_BSHD)
    weights_BHTS = jax.nn.softmax(jnp.where(mask[:, None], scores_BHTS, _MASKED), axis=-1)
    return jnp.einsum("BHTS,BSHD->BTHD", weights_BHTS, kv.v_BSHD)


class Dense(nn.Module):
    """A linear layer over the last axis. All others are flattened to one: XLA's CPU backward is a fifth faster so."""

    width: int
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns [..., width]."""
        kernel = self.param("kernel", drawn("kernel"), (x.shape[-1], self.width))
        flat = jnp.reshape(x, (-1, x.shape[-1])) @ kernel
        if self.use_bias:
            flat = flat + self.param("bias", nn.initializers.zeros, (self.width,))[None]
        return jnp.reshape(flat, (*x.shape[:-1], self.width))


class LayerNorm(nn.Module):
    """Layer norm over channels (Ba et al. 2016). Linen's own takes half as long again on a CPU, for E[x^2] - E[x]^2."""

    cfg: ModelConfig

    @nn.compact
    def __call__(self, x_BTC: jax.Array) -> jax.Array:
        """Returns [B,T,C]."""
        width = (x_BTC.shape[-1],)
        centred_BTC = x_BTC - jnp.mean(x_BTC, axis=-1, keepdims=True)
        variance_BT1 = jnp.mean(centred_BTC * centred_BTC, axis=-1, keepdims=True)
        scale_C = self.param("scale", nn.initializers.ones, width)
        out_BTC = centred_BTC * jax.lax.rsqrt(variance_BT1 + self.cfg.norm_epsilon) * scale_C[None, None]
        return out_BTC + self.param("bias", nn.initializers.zeros, width)[None, None] if self.cfg.use_bias else out_BTC


class TokenEmbedding(nn.Module):
    """The token table: vectors on the way in, logits on the way out (tied)."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.table_VC = self.param("token_table", drawn("token_table"), (self.cfg.vocab_size, self.cfg.d_model))

    def __call__(self, ids_BT: jax.Array) -> jax.Array:
        """Returns [B,T,C]; an id outside the vocabulary gives NaN."""
        x_BTC = jnp.take(self.table_VC, ids_BT, axis=0, mode="fill", fill_value=jnp.nan)
        return x_BTC * self.cfg.d_model**0.5 if self.cfg.embedding_scale else x_BTC

    def logits(self, x_BTC: jax.Array) -> jax.Array:
        """Returns the score of every token of the vocabulary, [B,T,V]."""
        rows, length, width = x_BTC.shape
        return jnp.reshape(jnp.reshape(x_BTC, (-1, width)) @ self.table_VC.T, (rows, length, -1))


class SelfAttention(nn.Module):
    """Attention of a sequence to itself: window and globals in the encoder, everything before in the decoder."""

    cfg: ModelConfig
    causal: bool = False

    def setup(self) -> None:
        width, bias = self.cfg.d_model, self.cfg.use_bias
        self.query_key_value = Dense(3 * width, bias)
        self.out = Dense(width, bias)
        if self.cfg.global_projections and not self.causal:
            self.global_query = Dense(width, bias)
            self.global_key_value = Dense(2 * width, bias)

    def __call__(self, x_BTC: jax.Array, visible: Visible | None, seed: jax.Array | None) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]. `visible` None: causal, everything before."""
        cfg, length = self.cfg, x_BTC.shape[1]
        q, k, v = self._heads(self.query_key_value(x_BTC), 3)
        places_T = np.arange(length, dtype=np.int32)
        options: dict[str, Any] = {}
        if visible is None:
            spec = SparseAttentionSpec(window=(None, 0), causal=True)
        else:
            spec = SparseAttentionSpec(window=(cfg.window, cfg.window))
            options = {"segment_ids": visible.segment_ids_BT} | self._globals(x_BTC, visible.global_idx_BG, places_T)
        if seed is not None and cfg.attention_dropout:
            options |= {"dropout_rate": cfg.attention_dropout, "dropout_rng": jax.random.wrap_key_data(seed)}
        if length <= cfg.dense_up_to:
            options["implementation"] = "dense"
        mixed_BTHD = sparse_attention(self._turn(q, places_T), self._turn(k, places_T), v, spec=spec, **options)
        return self.out(jnp.reshape(jnp.asarray(mixed_BTHD), x_BTC.shape))

    def step(self, x_B1C: jax.Array, past: KeysValues, position: jax.Array) -> tuple[jax.Array, KeysValues]:
        """Returns (mixed [B,1,C], `past` with this position's key and value written): one step of cached decoding."""
        q, k, v = self._heads(self.query_key_value(x_B1C), 3)
        q, k = self._turn(q, position[None]), self._turn(k, position[None])
        write = lambda cache, new: jax.lax.dynamic_update_slice_in_dim(cache, new, position, axis=1)
        past = KeysValues(write(past.k_BSHD, k), write(past.v_BSHD, v))
        seen_11S = (jnp.arange(past.k_BSHD.shape[1]) <= position)[None, None]
        return self.out(jnp.reshape(attend(q, past, seen_11S), x_B1C.shape)), past

    def _globals(self, x_BTC: jax.Array, idx_BG: jax.Array | None, places_T: np.ndarray) -> dict[str, jax.Array]:
        if idx_BG is None:
            return {}
        if not self.cfg.global_projections:
            return {"global_idx": idx_BG}
        at_BG = jnp.clip(idx_BG, 0, x_BTC.shape[1] - 1)
        (q,) = self._heads(self.global_query(jnp.take_along_axis(x_BTC, at_BG[..., None], axis=1)), 1)
        k, v = self._heads(self.global_key_value(x_BTC), 2)
        q, k = self._turn(q, at_BG), self._turn(k, places_T)
        return {"global_idx": idx_BG, "q_global": q, "k_global": k, "v_global": v}

    def _heads(self, flat_BTX: jax.Array, n: int) -> list[jax.Array]:
        return split_heads(flat_BTX, n, self.cfg)

    def _turn(self, x_BTHD: jax.Array, positions: jax.Array | np.ndarray) -> jax.Array:
        return rotate(x_BTHD, positions) if self.cfg.positions == "rotary" else x_BTHD


def split_heads(flat_BTX: jax.Array, n: int, cfg: ModelConfig) -> list[jax.Array]:
    """Returns the `n` parts of a fused projection, each [B,T,H,D]."""
    rows, length, _ = flat_BTX.shape
    return jnp.split(jnp.reshape(flat_BTX, (rows, length, n * cfg.n_heads, cfg.head_dim)), n, axis=2)


class CrossAttention(nn.Module):
    """Attention of the decoder over the encoder's output. Keys and values are computed apart, once a sequence."""

    cfg: ModelConfig

    def setup(self) -> None:
        width, bias = self.cfg.d_model, self.cfg.use_bias
        self.query, self.key_value, self.out = Dense(width, bias), Dense(2 * width, bias), Dense(width, bias)

    def keys_values(self, memory_BSC: jax.Array) -> KeysValues:
        """Returns this layer's view of the encoder's output."""
        return KeysValues(*split_heads(self.key_value(memory_BSC), 2, self.cfg))

    def __call__(self, x_BTC: jax.Array, memory: KeysValues, memory_mask_BS: jax.Array) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]."""
        (q,) = split_heads(self.query(x_BTC), 1, self.cfg)
        return self.out(jnp.reshape(attend(q, memory, memory_mask_BS[:, None]), x_BTC.shape))


class FeedForward(nn.Module):
    """The position-wise layer: GELU (exact, or by tanh), or a GELU-gated product (Shazeer 2020)."""

    cfg: ModelConfig

    @nn.compact
    def __call__(self, x_BTC: jax.Array) -> jax.Array:
        """Returns [B,T,C]."""
        kind, width, bias = self.cfg.feed_forward, self.cfg.d_ff, self.cfg.use_bias
        if kind == "gated":
            gate, up = jnp.split(Dense(2 * width, bias, name="gate_up")(x_BTC), 2, axis=-1)
            hidden = nn.gelu(gate) * up
        else:
            hidden = nn.gelu(Dense(width, bias, name="up")(x_BTC), approximate=kind == "gelu_tanh")
        return Dense(self.cfg.d_model, bias, name="down")(hidden)


class Block(nn.Module):
    """Pre-norm block: self-attention, in a decoder attention over the encoder, feed-forward; dropout after each."""

    cfg: ModelConfig
    decoder: bool = False

    def setup(self) -> None:
        self.attention_norm, self.attention = LayerNorm(self.cfg), SelfAttention(self.cfg, causal=self.decoder)
        if self.decoder:
            self.cross_norm, self.cross_attention = LayerNorm(self.cfg), CrossAttention(self.cfg)
        self.feed_forward_norm, self.feed_forward = LayerNorm(self.cfg), FeedForward(self.cfg)

    def __call__(
        self,
        x_BTC: jax.Array,
        visible: Visible | None = None,
        memory: tuple[KeysValues, jax.Array] | None = None,
        seed: jax.Array | None = None,
    ) -> jax.Array:
        """Returns the block's output for a whole sequence, [B,T,C].

        `visible` in an encoder; in a decoder `memory`, this block's view of the encoder's output and its mask [B,S].
        """
        mixed_BTC = self.attention(self.attention_norm(x_BTC), visible, at_site(seed, 3))
        return self._residuals(x_BTC, mixed_BTC, memory, seed)

    def step(
        self, x_B1C: jax.Array, past: KeysValues, position: jax.Array, memory: tuple[KeysValues, jax.Array]
    ) -> tuple[jax.Array, KeysValues]:
        """Returns (the block's output for one position, the keys and values seen so far)."""
        mixed_B1C, past = self.attention.step(self.attention_norm(x_B1C), past, position)
        return self._residuals(x_B1C, mixed_B1C, memory, seed=None), past

    def _residuals(
        self,
        x_BTC: jax.Array,
        mixed_BTC: jax.Array,
        memory: tuple[KeysValues, jax.Array] | None,
        seed: jax.Array | None,
    ) -> jax.Array:
        rate = self.cfg.dropout
        x_BTC = x_BTC + drop(mixed_BTC, rate, at_site(seed, 0))
        if memory is not None:
            crossed_BTC = self.cross_attention(self.cross_norm(x_BTC), *memory)
            x_BTC = x_BTC + drop(crossed_BTC, rate, at_site(seed, 1))
        return x_BTC + drop(self.feed_forward(self.feed_forward_norm(x_BTC)), rate, at_site(seed, 2))


class Encoder(nn.Module):
    """Sliding-window and global attention over an embedded sequence; the part both models share."""

    cfg: ModelConfig

    def setup(self) -> None:
        self.blocks = [Block(self.cfg, name=f"block_{i}") for i in range(self.cfg.encoder_layers)]
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
        for i, block in enumerate(self.blocks):
            x_BTC = block(x_BTC, visible, seed=at_site(seed, i))
        return jnp.where(mask_BT[..., None], self.final_norm(x_BTC), 0.0)

    def _global_positions(
        self, mask_BT: jax.Array, global_mask_BT: jax.Array | None, question_mask_BT: jax.Array
    ) -> jax.Array | None:
        cfg, length = self.cfg, mask_BT.shape[1]
        if cfg.sees_all(length):
            return None
        if global_mask_BT is None:
            if cfg.global_tokens == "none":
                return None
            global_mask_BT = (jnp.arange(length) == 0)[None]
            if cfg.global_tokens == "question":
                global_mask_BT = global_mask_BT | question_mask_BT
        # A padded position is never global.
        return global_idx_from_mask(global_mask_BT & mask_BT, cfg.global_capacity(length))
