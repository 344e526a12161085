"""What the reference models are asked: small LED and Longformer configs, loud weights, and one batch.

With transformers' own initialisation (standard deviation .02) a model without encoder attention differs by 1.6e-5 from
one with it, so a comparison would prove nothing. Here matrices are fifteen times larger, norms and biases are jittered
by .2. Only tables stay small, so that the epsilon of the norm behind them matters. Weights are drawn from their names
(`RandomState`, frozen by NumPy's policy), so the golden files need not hold them.
"""

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

SOURCE_LEN, TARGET_LEN, VOCABULARY = 37, 11, 61
PAD, BOS, EOS = 1, 0, 2


_LED = {
    "vocab_size": VOCABULARY,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "max_encoder_position_embeddings": 48,
    "max_decoder_position_embeddings": 16,
    "attention_window": [4, 16],  # uneven; the wider one pads 37 to 48
    "dropout": 0.0,
}
_LONGFORMER = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 48 + PAD + 1,
    "attention_window": [4, 16],
    "type_vocab_size": 1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "sep_token_id": EOS,
    "layer_norm_eps": 1e-5,
}
_EVEN = {"encoder_layers": 1, "attention_window": 6, "tie_word_embeddings": False}
_ONE_LABEL = {
    "id2label": {0: "fake"},
    "num_hidden_layers": 1,
    "attention_window": 6,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


class Case(NamedTuple):
    """One reference model."""

    kind: str  # "led" or "longformer"
    config: dict[str, Any]  # what its class of config is given
    seed: int  # of the weights, chosen so that every fault of `faults` weighs several times the tolerance


CASES = {
    "led": Case("led", _LED, 2),
    "led_untied": Case("led", _LED | _EVEN, 2),
    "longformer_one_label": Case("longformer", _LONGFORMER | _ONE_LABEL, 4),
    "longformer_two_labels": Case("longformer", _LONGFORMER | {"id2label": {0: "true", 1: "fake"}}, 1),
}


class Inputs(NamedTuple):
    """Four rows of length 37 with targets of 11. Global: nobody; the first; six with neighbours, both edges and one
    inside a hole; one in the middle."""

    ids_BS: np.ndarray  # int64, padding inside and at the end
    mask_BS: np.ndarray  # int64, 0 at padding and, in the third row, at a hole of real tokens
    global_BS: np.ndarray  # int64
    dec_ids_BU: np.ndarray  # int64
    labels_BU: np.ndarray  # int64
    fake_B: np.ndarray  # int64, 0 or 1


def make_inputs(length: int = SOURCE_LEN, seed: int = 7) -> Inputs:
    """The same batch every time; `length` at least 24."""
    draw = np.random.RandomState(seed)
    ids_BS = draw.randint(4, VOCABULARY, (4, length))
    mask_BS = np.ones_like(ids_BS)
    ids_BS[1, -7:], mask_BS[1, -7:] = PAD, 0
    mask_BS[2, 11:15] = 0  # real tokens that may not be seen: positions count them all the same
    ids_BS[3, 5:8], mask_BS[3, 5:8] = PAD, 0
    global_BS = np.zeros_like(ids_BS)
    global_BS[1, 0] = 1
    global_BS[2, [0, 1, 12, 18, 19, -1]] = 1
    global_BS[3, 20] = 1
    dec_ids_BU = draw.randint(4, VOCABULARY, (4, TARGET_LEN))
    dec_ids_BU[:, 0] = EOS
    labels_BU = draw.randint(4, VOCABULARY, (4, TARGET_LEN))
    return Inputs(ids_BS, mask_BS, global_BS, dec_ids_BU, labels_BU, np.array([0, 1, 1, 0]))


def loud_weights(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """A float32 array for every name of a state dict, drawn from the name; tied aliases are the caller's to leave out.

    Untied, the three names of LED's input table get the same numbers: this project has one table there.
    """
    weights = {}
    for name, shape in shapes.items():
        source = name.replace("encoder.embed_tokens", "shared").replace("decoder.embed_tokens", "shared")
        noise = np.random.RandomState(zlib.crc32(f"{seed} {source}".encode())).standard_normal(shape).astype(np.float32)
        is_scale = len(shape) == 1 and name.endswith("weight")  # the only vectors called weight are those of norms
        is_small = any(part in name for part in ("embed", "shared", "final_logits_bias")) and len(shape) == 2
        scale = 0.1 if "decoder.embed_positions" in name else 0.01 if is_small else 0.2 if len(shape) == 1 else 0.3
        weights[name] = np.float32(is_scale) + np.float32(scale) * noise
    return weights
