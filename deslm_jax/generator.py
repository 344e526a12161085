"""The model that answers: an encoder reads the prompt, a decoder writes the answer one token at a time.

`Generator(cfg).apply({"params": p}, enc_ids, dec_ids)` gives the logits of a whole answer at once (training);
`memory` and `step` are the same computation cut into the pieces that cached decoding needs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.block import Block, Encoded, run_blocks
from deslm_jax.cache import Cache, Columns, claim
from deslm_jax.config import GeneratorConfig
from deslm_jax.dense import LayerNorm
from deslm_jax.dropout import at_site, drop, seed_from
from deslm_jax.encoder import Encoder, TokenEmbedding
from deslm_jax.initial import drawn
from deslm_jax.positions import AddPositions, source_position_ids

# So few rows are multiplied as table @ rows: the other way round XLA's CPU backend first copies the table, turned, and
# in a decoding loop it does so at every step.
_FEW = 64


class Memory(NamedTuple):
    """What the decoder needs of the prompt, computed once."""

    layers: tuple[Columns, ...]  # one for each decoder layer
    mask_BS: jax.Array  # bool, True where the prompt has a token


class Generator(nn.Module):
    """Encoder-decoder; see the config for every choice."""

    cfg: GeneratorConfig

    def setup(self) -> None:
        cfg = self.cfg
        self.embedding = TokenEmbedding(cfg)
        self.source_positions = AddPositions(cfg, cfg.source_positions)
        self.target_positions = AddPositions(cfg, cfg.max_target_len)
        if cfg.embedding_norm:
            self.source_norm, self.target_norm = LayerNorm(cfg), LayerNorm(cfg)
        self.encoder = Encoder(cfg)
        self.decoder_blocks = [
            Block(cfg, cfg.decoder_window, decoder=True, name=f"decoder_{i}") for i in range(cfg.decoder_layers)
        ]
        if cfg.final_norm:
            self.final_norm = LayerNorm(cfg)
        if not cfg.tied_embeddings:
            self.output_table_VC = self.param("output_table", drawn("output_table"), (cfg.vocab_size, cfg.d_model))
        if cfg.logits_bias:
            self.logits_bias_V = self.param("logits_bias", nn.initializers.zeros, (cfg.vocab_size,))

    def __call__(
        self,
        enc_ids: jax.Array,
        dec_ids: jax.Array,
        encoder_mask: jax.Array | None = None,
        global_mask: jax.Array | None = None,
        deterministic: bool = True,
        places: jax.Array | None = None,
    ) -> jax.Array:
        """Returns the logits of the next token at every place of the answer, float32 [B,U,V].

        `enc_ids` int32 [B,S]; `dec_ids` int32 [B,U], the answer shifted right behind the start token; `encoder_mask`
        bool [B,S], True where a token is (default: where `enc_ids` is not padding); `global_mask` bool [B,S], who sees
        and is seen by everyone (default: `cfg.global_tokens`, where the whole prompt is the question).
        A prompt or answer longer than the config allows is a ValueError; so are more globals than `cfg.max_globals`.
        Not deterministic: pass `rngs={"dropout": key}` to `apply`. With `places` (int32 [N], row * U + position) only
        those logits are computed, float32 [N,V]: most places of short answers are padding, and logits are dear.
        """
        seed = None if deterministic else seed_from(self.make_rng("dropout"))
        encoded = self.encoded(enc_ids, encoder_mask, global_mask, at_site(seed, 0))
        if dec_ids.shape[1] > self.cfg.max_target_len:
            raise ValueError(
                f"The answer has {dec_ids.shape[1]} tokens, but max_target_len is {self.cfg.max_target_len}."
            )
        x_BUC = drop(self._target(dec_ids, 0), self.cfg.dropout, at_site(seed, 1))
        seeds = [at_site(seed, 2 + i) for i in range(len(self.decoder_blocks))]
        x_BUC = run_blocks(self.decoder_blocks, x_BUC, encoded, seeds)
        if places is not None:
            x_NC = jnp.reshape(x_BUC, (-1, x_BUC.shape[-1]))[places]
            return self._logits(x_NC[None])[0]
        return self._logits(x_BUC)

    def encoded(
        self,
        enc_ids: jax.Array,
        encoder_mask: jax.Array | None = None,
        global_mask: jax.Array | None = None,
        seed: jax.Array | None = None,
    ) -> Encoded:
        """Returns the encoder's output for the prompt. Arguments as above; `seed` for dropout."""
        if enc_ids.shape[1] > self.cfg.max_source_len:
            raise ValueError(
                f"The prompt has {enc_ids.shape[1]} tokens, but max_source_len is {self.cfg.max_source_len}."
            )
        mask_BS = enc_ids != self.cfg.pad_id if encoder_mask is None else encoder_mask.astype(bool)
        x_BSC = self.source_positions(self.embedding(enc_ids), position_ids_BT=source_position_ids(self.cfg, enc_ids))
        x_BSC = self.source_norm(x_BSC) if self.cfg.embedding_norm else x_BSC
        x_BSC = drop(x_BSC.astype(self.cfg.dtype), self.cfg.dropout, at_site(seed, 0))
        return Encoded(self.encoder(x_BSC, mask_BS, global_mask, mask_BS, at_site(seed, 1)), mask_BS)

    def memory(
        self, enc_ids: jax.Array, encoder_mask: jax.Array | None = None, global_mask: jax.Array | None = None
    ) -> Memory:
        """Returns the encoded prompt as every decoder layer will read it. Arguments as above."""
        encoded = self.encoded(enc_ids, encoder_mask, global_mask)
        views = (block.cross_attention.columns(encoded.out_BSC) for block in self.decoder_blocks)
        return Memory(tuple(views), encoded.mask_BS)

    def step(self, last_BN: jax.Array, position: jax.Array, cache: Cache, memory: Memory) -> tuple[jax.Array, Cache]:
        """Returns (logits of the next token of each hypothesis, float32 [B,N,V]; the cache with this place written).

        `last_BN` int32, the tokens at `position` (int32 scalar) of the decoder's input; `cache` from `empty_cache`.
        """
        # Hypotheses are rows to the embedding, where an axis of places would mean other positions.
        x_X1C = self._target(jnp.reshape(last_BN, (-1, 1)), position)
        x_BNC = jnp.reshape(x_X1C, (*last_BN.shape, x_X1C.shape[-1]))
        cache, place = claim(cache, self.cfg, position)
        present = []
        for block, past, layer in zip(self.decoder_blocks, cache.layers, memory.layers, strict=True):
            x_BNC, past = block.step(x_BNC, past, place, layer, memory.mask_BS)
            present.append(past)
        return self._logits(x_BNC), cache._replace(layers=tuple(present))

    def _target(self, dec_ids_BU: jax.Array, start: jax.Array | int) -> jax.Array:
        x_BUC = self.target_positions(self.embedding(dec_ids_BU), start)
        x_BUC = self.target_norm(x_BUC) if self.cfg.embedding_norm else x_BUC
        return x_BUC.astype(self.cfg.dtype)

    def _logits(self, x_BUC: jax.Array) -> jax.Array:
        """The score of every token of the vocabulary, float32 [B,U,V]."""
        x_BUC = self.final_norm(x_BUC) if self.cfg.final_norm else x_BUC
        rows, length, width = x_BUC.shape
        table_VC = self.embedding.table_VC if self.cfg.tied_embeddings else self.output_table_VC
        flat_NC, table_VC = jnp.reshape(x_BUC, (-1, width)), table_VC.astype(x_BUC.dtype)
        if flat_NC.shape[0] <= _FEW:
            logits_NV = jnp.matmul(table_VC, flat_NC.T, preferred_element_type=jnp.float32).T
        else:
            logits_NV = jnp.matmul(flat_NC, table_VC.T, preferred_element_type=jnp.float32)
        logits_NV = logits_NV + self.logits_bias_V[None] if self.cfg.logits_bias else logits_NV
        return jnp.reshape(logits_NV, (rows, length, -1))
