"""The model that answers: an encoder reads the prompt, a decoder writes the answer one token at a time.

`Generator(cfg).apply({"params": p}, enc_ids, dec_ids)` gives the logits of a whole answer at once (training);
`encode`, `memory` and `step` are the same computation cut into the pieces that cached decoding needs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.config import GeneratorConfig
from deslm_jax.dropout import at_site, drop, seed_from
from deslm_jax.layers import Block, Encoder, KeysValues, LayerNorm, TokenEmbedding
from deslm_jax.positions import AddPositions


class Memory(NamedTuple):
    """What the decoder needs of the prompt, computed once."""

    layers: tuple[KeysValues, ...]  # one [B,S,H,D] pair a decoder layer
    mask_BS: jax.Array  # bool, True where the prompt has a token


class Generator(nn.Module):
    """Encoder-decoder with tied embeddings; see the config for every choice."""

    cfg: GeneratorConfig

    def setup(self) -> None:
        cfg = self.cfg
        self.embedding = TokenEmbedding(cfg)
        self.source_positions = AddPositions(cfg, cfg.max_source_len)
        self.target_positions = AddPositions(cfg, cfg.max_target_len)
        self.encoder = Encoder(cfg)
        self.decoder_blocks = [Block(cfg, decoder=True, name=f"decoder_{i}") for i in range(cfg.decoder_layers)]
        self.final_norm = LayerNorm(cfg)

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
        memory = self.memory(enc_ids, encoder_mask, global_mask, at_site(seed, 0))
        if dec_ids.shape[1] > self.cfg.max_target_len:
            raise ValueError(
                f"The answer has {dec_ids.shape[1]} tokens, but max_target_len is {self.cfg.max_target_len}."
            )
        x_BUC = drop(self.target_positions(self.embedding(dec_ids)), self.cfg.dropout, at_site(seed, 1))
        for i, (block, layer) in enumerate(zip(self.decoder_blocks, memory.layers, strict=True)):
            x_BUC = block(x_BUC, memory=(layer, memory.mask_BS), seed=at_site(seed, 2 + i))
        if places is not None:
            x_NC = jnp.reshape(x_BUC, (-1, x_BUC.shape[-1]))[places]
            return self.embedding.logits(self.final_norm(x_NC[None]))[0]
        return self.embedding.logits(self.final_norm(x_BUC))

    def memory(
        self,
        enc_ids: jax.Array,
        encoder_mask: jax.Array | None = None,
        global_mask: jax.Array | None = None,
        seed: jax.Array | None = None,
    ) -> Memory:
        """Returns the encoded prompt as every decoder layer will read it. Arguments as above; `seed` for dropout."""
        if enc_ids.shape[1] > self.cfg.max_source_len:
            raise ValueError(
                f"The prompt has {enc_ids.shape[1]} tokens, but max_source_len is {self.cfg.max_source_len}."
            )
        mask_BS = enc_ids != self.cfg.pad_id if encoder_mask is None else encoder_mask.astype(bool)
        x_BSC = drop(self.source_positions(self.embedding(enc_ids)), self.cfg.dropout, at_site(seed, 0))
        encoded_BSC = self.encoder(x_BSC, mask_BS, global_mask, mask_BS, at_site(seed, 1))
        return Memory(tuple(block.cross_attention.keys_values(encoded_BSC) for block in self.decoder_blocks), mask_BS)

    def step(
        self, last_B: jax.Array, position: jax.Array, past: tuple[KeysValues, ...], memory: Memory
    ) -> tuple[jax.Array, tuple[KeysValues, ...]]:
        """Returns (logits of the next token, float32 [B,V]; the cache with this position written).

        `last_B` int32, the token at `position` (int32 scalar) of the decoder's input; `past` from `empty_cache`.
        """
        x_B1C = self.target_positions(self.embedding(last_B[:, None]), position)
        present = []
        for block, seen, layer in zip(self.decoder_blocks, past, memory.layers, strict=True):
            x_B1C, seen = block.step(x_B1C, seen, position, (layer, memory.mask_BS))
            present.append(seen)
        return self.embedding.logits(self.final_norm(x_B1C))[:, 0], tuple(present)


def empty_cache(cfg: GeneratorConfig, n_rows: int, length: int) -> tuple[KeysValues, ...]:
    """Returns room for the keys and values of `length` decoded positions, zeros [B,length,H,D] for each layer."""
    zeros = jnp.zeros((n_rows, length, cfg.n_heads, cfg.head_dim), jnp.float32)
    return (KeysValues(zeros, zeros),) * cfg.decoder_layers
