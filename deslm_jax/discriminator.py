"""The model that checks: question, answer and evidence in one sequence, the logit of "this answer is false" out.

A small encoder cannot learn to compare two segments from ids alone; told which tokens occur in the other segment it
can. So three flags of every token, each with an embedding of its own, are computed from the ids inside the model:
an answer token occurs in the evidence, an evidence token occurs in the answer, either occurs in the question.
docs/MODELS.md has what that was worth on subjects never trained on.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from deslm_jax.config import DiscriminatorConfig
from deslm_jax.dense import Dense, LayerNorm
from deslm_jax.dropout import at_site, drop, seed_from
from deslm_jax.encoder import Encoder, TokenEmbedding
from deslm_jax.initial import drawn
from deslm_jax.positions import AddPositions, source_position_ids

QUESTION, ANSWER, EVIDENCE = 0, 1, 2  # token types; every type from EVIDENCE on is one more record of evidence


def match_flags(ids_BT: jax.Array, types_BT: jax.Array, counts_BT: jax.Array, vocab_size: int) -> jax.Array:
    """Returns which tokens occur in another segment, bool [B,T,3].

    Columns: an answer token in the evidence; an evidence token in the answer; an answer or evidence token in the
    question. `counts_BT` bool: the tokens that take part (no padding, no structure). A table of what occurs where,
    [B,V,3], is filled and read back, so memory grows with T and V and never with T x T.
    """
    n_rows = ids_BT.shape[0]
    rows_B1 = jnp.arange(n_rows)[:, None]
    segment_BT = jnp.minimum(types_BT, EVIDENCE)
    key_BT = jnp.where(counts_BT, ids_BT, vocab_size)  # out of range: dropped
    present_BV3 = jnp.zeros((n_rows, vocab_size, 3), bool).at[rows_B1, key_BT, segment_BT].set(True, mode="drop")
    occurs_BT3 = present_BV3.at[rows_B1, key_BT].get(mode="fill", fill_value=False)
    in_question, in_answer, in_evidence = (occurs_BT3[..., i] for i in (QUESTION, ANSWER, EVIDENCE))
    is_answer, is_evidence = segment_BT == ANSWER, segment_BT == EVIDENCE
    return jnp.stack(
        [is_answer & in_evidence, is_evidence & in_answer, (is_answer | is_evidence) & in_question], axis=-1
    )


class Discriminator(nn.Module):
    """Encoder and classification head. P(fake) = sigmoid(logit); real is 0, fake is 1."""

    cfg: DiscriminatorConfig

    @nn.compact
    def __call__(
        self,
        ids: jax.Array,
        mask: jax.Array | None = None,
        global_mask: jax.Array | None = None,
        token_types: jax.Array | None = None,
        deterministic: bool = True,
    ) -> jax.Array:
        """Returns the logit that the answer is false, float32 [B].

        `ids` int32 [B,T]; `mask` bool [B,T], True where a token is (default: where `ids` is not padding); `token_types`
        int32 [B,T]: 0 question, 1 answer, 2 and above evidence (default: all question); `global_mask` bool [B,T]
        (default: `cfg.global_tokens`). Longer input than the config allows is a ValueError, and so are more globals
        than `cfg.max_globals`. Not deterministic: pass `rngs={"dropout": key}` to `apply`.
        """
        cfg = self.cfg
        if ids.shape[1] > cfg.max_source_len:
            raise ValueError(f"The input has {ids.shape[1]} tokens, but max_source_len is {cfg.max_source_len}.")
        mask_BT = ids != cfg.pad_id if mask is None else mask.astype(bool)
        types_BT = jnp.zeros_like(ids) if token_types is None else token_types
        x_BTC = self._embedded(ids, types_BT, mask_BT).astype(cfg.dtype)
        seed = None if deterministic else seed_from(self.make_rng("dropout"))
        x_BTC = drop(x_BTC, cfg.dropout, at_site(seed, 0))
        question_BT = mask_BT & (types_BT == QUESTION)
        x_BTC = Encoder(cfg, name="encoder")(x_BTC, mask_BT, global_mask, question_BT, at_site(seed, 1))
        # The first token, where it is global, has read everything.
        return self._head(x_BTC[:, 0].astype(jnp.float32), seed)

    def _embedded(self, ids_BT: jax.Array, types_BT: jax.Array, mask_BT: jax.Array) -> jax.Array:
        cfg = self.cfg
        x_BTC = TokenEmbedding(cfg, name="embedding")(ids_BT)
        if cfg.token_types:
            types = self.param("type_table", drawn("type_table"), (cfg.token_types, cfg.d_model))
            x_BTC = x_BTC + jnp.take(types, types_BT, axis=0, mode="clip")
        if cfg.match_embedding:
            takes_part_BT = mask_BT & (ids_BT >= cfg.first_text_id)
            flags_BT3 = match_flags(ids_BT, types_BT, takes_part_BT, cfg.vocab_size)
            match_3C = self.param("match_table", drawn("match_table"), (3, cfg.d_model))
            x_BTC = x_BTC + flags_BT3.astype(x_BTC.dtype) @ match_3C
        positions = AddPositions(cfg, cfg.source_positions, name="positions")
        x_BTC = positions(x_BTC, position_ids_BT=source_position_ids(cfg, ids_BT))
        return LayerNorm(cfg, name="embedding_norm")(x_BTC) if cfg.embedding_norm else x_BTC

    def _head(self, x_BC: jax.Array, seed: jax.Array | None) -> jax.Array:
        cfg = self.cfg
        as_longformer = cfg.head == "longformer"
        x_BC = drop(x_BC, cfg.dropout, at_site(seed, 3)) if as_longformer else x_BC
        widths = (cfg.d_model,) if as_longformer else (cfg.head_width,) * cfg.head_layers
        for i, width in enumerate(widths):
            x_BC = Dense(width, name=f"head_{i}")(x_BC)
            x_BC = jnp.tanh(x_BC) if as_longformer else nn.gelu(x_BC)
            x_BC = drop(x_BC, cfg.dropout, at_site(seed, 2 + i))
        labels_BN = Dense(cfg.n_labels, name="head_out")(x_BC)
        return labels_BN[:, -1] - labels_BN[:, 0] if cfg.n_labels == 2 else labels_BN[:, 0]
