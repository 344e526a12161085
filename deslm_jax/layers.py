"""The two attention layers: of a sequence to itself, and of a decoder to the encoder's output.

Shapes: B rows, T positions of the sequence at hand, S positions of the keys, G global slots, C channels (d_model), H
query heads, K key heads (`cfg.kv_heads`; query head h uses key head h*K//H), D channels a head.
A `seed` is a dropout seed, None for none (see `dropout`).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from deslm_jax.attention import SparseAttentionSpec, sparse_attention
from deslm_jax.cache import Columns, Place, attend_columns, columns_of, put
from deslm_jax.config import ModelConfig
from deslm_jax.dense import Dense
from deslm_jax.positions import rotate

_MASKED = -1e30  # finite, so that a row with nothing to see gives numbers and not NaN


class KeysValues(NamedTuple):
    """What attention to the encoder's output reads."""

    k_BSKD: jax.Array
    v_BSKD: jax.Array


class Visible(NamedTuple):
    """Who may be seen in encoder self-attention."""

    segment_ids_BT: jax.Array  # int32, 0 a token, -1 padding
    global_idx_BG: jax.Array | None  # int32 positions of the global tokens, -1 an empty slot; None: nobody is


def attend(q_BTHD: jax.Array, kv: KeysValues, mask: jax.Array) -> jax.Array:
    """Returns plain softmax attention of a few queries over all keys, [B,T,H,D]; `mask` bool, broadcast to [B,T,S].

    Used across to the encoder. The scores, float32, take T x S, small there.
    """
    batch, length, heads, width = q_BTHD.shape
    group = heads // kv.k_BSKD.shape[2]  # query heads that share a key head: rows of one product
    q_BXKD = _fold(q_BTHD * width**-0.5, group)
    scores_BKXS = jnp.einsum("BXKD,BSKD->BKXS", q_BXKD, kv.k_BSKD, preferred_element_type=jnp.float32)
    mask_BXS = jnp.repeat(mask, group, axis=1) if group > 1 and mask.shape[1] > 1 else mask
    weights_BKXS = jax.nn.softmax(jnp.where(mask_BXS[:, None], scores_BKXS, _MASKED), axis=-1)
    mixed_BXKD = jnp.einsum("BKXS,BSKD->BXKD", weights_BKXS.astype(q_BTHD.dtype), kv.v_BSKD)
    mixed_BTRKD = jnp.reshape(mixed_BXKD, (batch, length, group, heads // group, width))
    return jnp.reshape(jnp.swapaxes(mixed_BTRKD, 2, 3), q_BTHD.shape)


def _fold(q_BTHD: jax.Array, group: int) -> jax.Array:
    """[B,T,H,D] as [B,T*R,K,D], the R = `group` query heads of a key head one after another."""
    batch, length, heads, width = q_BTHD.shape
    q_BTKRD = jnp.reshape(q_BTHD, (batch, length, heads // group, group, width))
    return jnp.reshape(jnp.swapaxes(q_BTKRD, 2, 3), (batch, length * group, heads // group, width))


class SelfAttention(nn.Module):
    """Attention of a sequence to itself: window and globals in the encoder, what came before in the decoder."""

    cfg: ModelConfig
    window: int | None  # tokens on each side; in a decoder tokens before, None for all
    causal: bool = False
    first_globals: int = 0  # where causal with a window: so many first places are seen by all later ones

    def setup(self) -> None:
        cfg, bias = self.cfg, self.cfg.use_bias
        pair = 2 * cfg.kv_heads * cfg.head_dim
        self.query_key_value = Dense(cfg.d_model + pair, bias)
        self.out = Dense(cfg.d_model, bias)
        if cfg.global_projections and not self.causal:
            self.global_query = Dense(cfg.d_model, bias)
            self.global_key_value = Dense(pair, bias)

    def __call__(self, x_BTC: jax.Array, visible: Visible | None, seed: jax.Array | None) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]. `visible` None: causal."""
        cfg, length = self.cfg, x_BTC.shape[1]
        q, k, v = self._query_key_value(x_BTC)
        places_T = np.arange(length, dtype=np.int32)
        options: dict[str, Any] = {}
        if visible is None:
            spec = SparseAttentionSpec(window=(self.window, 0), causal=True)
            options = self._first_places(x_BTC.shape[0], length)
        else:
            spec = SparseAttentionSpec(window=(self.window, self.window))
            options = self._globals(x_BTC, visible.global_idx_BG, places_T)
            options["segment_ids"] = visible.segment_ids_BT
        if seed is not None and cfg.attention_dropout:
            options |= {"dropout_rate": cfg.attention_dropout, "dropout_rng": jax.random.wrap_key_data(seed)}
        if length <= cfg.dense_up_to:
            options["implementation"] = "dense"
        mixed_BTHD = sparse_attention(self._turn(q, places_T), self._turn(k, places_T), v, spec=spec, **options)
        return self.out(jnp.reshape(jnp.asarray(mixed_BTHD), x_BTC.shape))

    def step(self, x_BNC: jax.Array, past: Columns, place: Place) -> tuple[jax.Array, Columns]:
        """Returns (mixed [B,N,C], `past` with the keys and values of `place`): a decoding step of N hypotheses."""
        q, k, v = self._query_key_value(x_BNC)
        position_N = jnp.broadcast_to(place.position, (x_BNC.shape[1],))
        past = put(past, self._turn(k, position_N), v, place.slot)
        mixed_BNHD = attend_columns(self._turn(q, position_N), past, place.visible_BNS)
        return self.out(jnp.reshape(mixed_BNHD, x_BNC.shape)), past

    def _query_key_value(self, x_BTC: jax.Array) -> list[jax.Array]:
        heads = (self.cfg.n_heads, self.cfg.kv_heads, self.cfg.kv_heads)
        return split_heads(self.query_key_value(x_BTC), heads)

    def _first_places(self, n_rows: int, length: int) -> dict[str, Any]:
        n_globals = min(self.first_globals, length)
        if self.window is None or not n_globals:
            return {}
        return {"global_idx": jnp.broadcast_to(jnp.arange(n_globals, dtype=jnp.int32)[None], (n_rows, n_globals))}

    def _globals(self, x_BTC: jax.Array, idx_BG: jax.Array | None, places_T: np.ndarray) -> dict[str, Any]:
        if idx_BG is None:
            return {}
        if not self.cfg.global_projections:
            return {"global_idx": idx_BG}
        at_BG = jnp.clip(idx_BG, 0, x_BTC.shape[1] - 1)
        rows_BGC = self.global_query(jnp.take_along_axis(x_BTC, at_BG[..., None], axis=1))
        (q,) = split_heads(rows_BGC, (self.cfg.n_heads,))
        k, v = split_heads(self.global_key_value(x_BTC), (self.cfg.kv_heads, self.cfg.kv_heads))
        q, k = self._turn(q, at_BG), self._turn(k, places_T)
        return {"global_idx": idx_BG, "q_global": q, "k_global": k, "v_global": v}

    def _turn(self, x_BTHD: jax.Array, positions: jax.Array | np.ndarray) -> jax.Array:
        return rotate(x_BTHD, positions) if self.cfg.positions == "rotary" else x_BTHD


def split_heads(flat_BTX: jax.Array, heads: tuple[int, ...]) -> list[jax.Array]:
    """Returns the parts of a fused projection, [B,T,heads[i],D] each."""
    rows, length, width = flat_BTX.shape
    flat_BTND = jnp.reshape(flat_BTX, (rows, length, sum(heads), width // sum(heads)))
    return jnp.split(flat_BTND, np.cumsum(heads)[:-1].tolist(), axis=2)


class CrossAttention(nn.Module):
    """Attention of the decoder over the encoder's output. Keys and values are computed apart, once a sequence."""

    cfg: ModelConfig

    def setup(self) -> None:
        cfg, bias = self.cfg, self.cfg.use_bias
        self.query, self.out = Dense(cfg.d_model, bias), Dense(cfg.d_model, bias)
        self.key_value = Dense(2 * cfg.kv_heads * cfg.head_dim, bias)

    def keys_values(self, memory_BSC: jax.Array) -> KeysValues:
        """Returns this layer's view of the encoder's output."""
        return KeysValues(*split_heads(self.key_value(memory_BSC), (self.cfg.kv_heads, self.cfg.kv_heads)))

    def columns(self, memory_BSC: jax.Array) -> Columns:
        """Returns the same as decoding steps read it."""
        return columns_of(*self.keys_values(memory_BSC))

    def step(self, x_BNC: jax.Array, memory: Columns, memory_mask_BS: jax.Array) -> jax.Array:
        """Returns mixed [B,N,C]: N hypotheses read the one copy of their row's columns."""
        (q,) = split_heads(self.query(x_BNC), (self.cfg.n_heads,))
        return self.out(jnp.reshape(attend_columns(q, memory, memory_mask_BS[:, None]), x_BNC.shape))

    def __call__(self, x_BTC: jax.Array, memory: KeysValues, memory_mask_BS: jax.Array) -> jax.Array:
        """Returns the mixed sequence, [B,T,C]."""
        (q,) = split_heads(self.query(x_BTC), (self.cfg.n_heads,))
        return self.out(jnp.reshape(attend(q, memory, memory_mask_BS[:, None]), x_BTC.shape))
