"""Which tensor of theirs is which weight of ours: one table for each model, read in both directions.

torch keeps a linear layer as [out, in], we as [in, out]; query, key and value are three tensors there and one here.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from deslm_jax.config import DiscriminatorConfig, GeneratorConfig

Layout = Literal["same", "linear", "row"]  # as it is; transposed; [V] here and [1,V] there


class Match(NamedTuple):
    """One weight of ours and the tensors it is made of."""

    ours: str  # path in the parameter tree, joined by "/"
    theirs: tuple[str, ...]  # laid side by side along our last axis
    layout: Layout


def led_matches(cfg: GeneratorConfig) -> list[Match]:
    """Returns the table of an LED model; names as in LEDForConditionalGeneration."""
    found = [
        Match("embedding/token_table", ("led.shared.weight",), "same"),
        Match("source_positions/position_table", ("led.encoder.embed_positions.weight",), "same"),
        Match("target_positions/position_table", ("led.decoder.embed_positions.weight",), "same"),
        *_norm("source_norm", "led.encoder.layernorm_embedding"),
        *_norm("target_norm", "led.decoder.layernorm_embedding"),
    ]
    for i in range(cfg.encoder_layers):
        ours, theirs = f"encoder/block_{i}", f"led.encoder.layers.{i}"
        found += _longformer_attention(f"{ours}/attention", f"{theirs}.self_attn.longformer_self_attn")
        found += _linear(f"{ours}/attention/out", f"{theirs}.self_attn.output")
        found += _led_rest(ours, theirs)
    for i in range(cfg.decoder_layers):
        ours, theirs = f"decoder_{i}", f"led.decoder.layers.{i}"
        own, across = f"{theirs}.self_attn", f"{theirs}.encoder_attn"
        found += _linear(f"{ours}/attention/query_key_value", *(f"{own}.{x}_proj" for x in "qkv"))
        found += _linear(f"{ours}/attention/out", f"{own}.out_proj")
        found += _linear(f"{ours}/cross_attention/query", f"{across}.q_proj")
        found += _linear(f"{ours}/cross_attention/key_value", f"{across}.k_proj", f"{across}.v_proj")
        found += _linear(f"{ours}/cross_attention/out", f"{across}.out_proj")
        found += _norm(f"{ours}/cross_norm", f"{theirs}.encoder_attn_layer_norm")
        found += _led_rest(ours, theirs)
    if not cfg.tied_embeddings:
        found.append(Match("output_table", ("lm_head.weight",), "same"))
    if cfg.logits_bias:
        found.append(Match("logits_bias", ("final_logits_bias",), "row"))
    return found


def longformer_matches(cfg: DiscriminatorConfig) -> list[Match]:
    """Returns the table of a Longformer model; names as in LongformerForSequenceClassification."""
    inputs = "longformer.embeddings"
    found = [
        Match("embedding/token_table", (f"{inputs}.word_embeddings.weight",), "same"),
        Match("positions/position_table", (f"{inputs}.position_embeddings.weight",), "same"),
        *_norm("embedding_norm", f"{inputs}.LayerNorm"),
    ]
    if cfg.token_types:
        found.append(Match("type_table", (f"{inputs}.token_type_embeddings.weight",), "same"))
    for i in range(cfg.encoder_layers):
        ours, theirs = f"encoder/block_{i}", f"longformer.encoder.layer.{i}"
        found += _longformer_attention(f"{ours}/attention", f"{theirs}.attention.self")
        found += _linear(f"{ours}/attention/out", f"{theirs}.attention.output.dense")
        found += _norm(f"{ours}/attention_norm", f"{theirs}.attention.output.LayerNorm")
        found += _linear(f"{ours}/feed_forward/up", f"{theirs}.intermediate.dense")
        found += _linear(f"{ours}/feed_forward/down", f"{theirs}.output.dense")
        found += _norm(f"{ours}/feed_forward_norm", f"{theirs}.output.LayerNorm")
    return [*found, *_linear("head_0", "classifier.dense"), *_linear("head_out", "classifier.out_proj")]


def _longformer_attention(ours: str, theirs: str) -> Iterator[Match]:
    yield from _linear(f"{ours}/query_key_value", *(f"{theirs}.{x}" for x in ("query", "key", "value")))
    yield from _linear(f"{ours}/global_query", f"{theirs}.query_global")
    yield from _linear(f"{ours}/global_key_value", f"{theirs}.key_global", f"{theirs}.value_global")


def _led_rest(ours: str, theirs: str) -> Iterator[Match]:
    """What an encoder layer and a decoder layer have alike."""
    yield from _norm(f"{ours}/attention_norm", f"{theirs}.self_attn_layer_norm")
    yield from _linear(f"{ours}/feed_forward/up", f"{theirs}.fc1")
    yield from _linear(f"{ours}/feed_forward/down", f"{theirs}.fc2")
    yield from _norm(f"{ours}/feed_forward_norm", f"{theirs}.final_layer_norm")


def _linear(ours: str, *theirs: str) -> Iterator[Match]:
    yield Match(f"{ours}/kernel", tuple(f"{name}.weight" for name in theirs), "linear")
    yield Match(f"{ours}/bias", tuple(f"{name}.bias" for name in theirs), "same")


def _norm(ours: str, theirs: str) -> Iterator[Match]:
    yield Match(f"{ours}/scale", (f"{theirs}.weight",), "same")
    yield Match(f"{ours}/bias", (f"{theirs}.bias",), "same")
