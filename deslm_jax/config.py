"""What fixes a model's shape: two frozen dataclasses, hashable, so a jitted function can take one as static argument.

Both models are the same encoder, so nearly every field is shared. The defaults are the tiny models of the demo; a
config is written as the difference from them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

Positions = Literal["learned", "sinusoidal", "rotary"]
FeedForward = Literal["gelu", "gelu_tanh", "gated"]
GlobalTokens = Literal["none", "first", "question"]

_AT_LEAST_ZERO = frozenset({"encoder_layers", "head_layers", "window", "dense_up_to", "pad_id", "bos_id", "eos_id"})


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Fields that both models share. Lengths are in tokens, layers and heads are counts."""

    vocab_size: int  # read it from the tokenizer: `tokenizer.vocab_size`
    d_model: int = 96
    n_heads: int = 4
    d_ff: int = 384
    encoder_layers: int = 2
    max_source_len: int = 64  # longest input of the encoder, and the static length batches are padded to
    window: int = 16  # tokens seen on each side by a token that is not global
    global_tokens: GlobalTokens = (
        "question"  # who is global where the caller passes no global_mask: see `layers.Encoder`
    )
    max_globals: int = 64  # slots for the global tokens of one row where attention is sparse; dense needs none
    global_projections: bool = False  # own query, key and value weights for global rows, as in Longformer
    positions: Positions = "rotary"
    feed_forward: FeedForward = "gelu_tanh"  # the tanh form is cheaper on a CPU; "gelu" is exact
    use_bias: bool = True
    embedding_scale: bool = True  # multiply token embeddings by sqrt(d_model)
    norm_epsilon: float = 1e-6
    dropout: float = 0.1  # after the embedding and after every sub-layer
    attention_dropout: float = 0.0
    dense_up_to: int = 256  # self-attention no longer than this asks for the dense implementation by name: at such
    # lengths T x T is smaller than the bookkeeping of a band, and compiles faster
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int or field.type == "int":
                least = 0 if field.name in _AT_LEAST_ZERO else 1
                if not isinstance(value, int) or isinstance(value, bool) or value < least:
                    raise ValueError(f"{field.name} must be an integer of at least {least}, not {value!r}.")
        for name in ("dropout", "attention_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be in [0, 1), not {getattr(self, name)!r}.")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} must be a multiple of n_heads {self.n_heads}.")
        for name, choices in (("positions", Positions), ("feed_forward", FeedForward), ("global_tokens", GlobalTokens)):
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name} must be one of {', '.join(get_args(choices))}, not {getattr(self, name)!r}.")
        if self.positions == "rotary" and self.head_dim % 2:
            raise ValueError(f"rotary positions need an even head size: d_model / n_heads is {self.head_dim}.")
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"sinusoidal positions need an even d_model, not {self.d_model}.")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.n_heads

    def global_capacity(self, length: int) -> int:
        """Returns how many tokens of a row of `length` may be global."""
        return length if length <= self.dense_up_to else min(self.max_globals, length)

    @property
    def max_question_len(self) -> int:
        """The longest question, its mark included, that can be read without a global mask of one's own."""
        all_global = self.global_tokens == "question" and not self.sees_all(self.max_source_len)
        return self.global_capacity(self.max_source_len) if all_global else self.max_source_len

    def sees_all(self, length: int) -> bool:
        """Returns whether the window alone reaches everything, so that globals change nothing."""
        return self.window >= length - 1 and not self.global_projections

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values only, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the config that `to_dict` wrote. A key that is no field of this class is a ValueError naming it."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{cls.__name__} has no field {unknown[0]!r}; the fields are {', '.join(sorted(known))}.")
        if "vocab_size" not in values:
            raise ValueError(f"{cls.__name__} needs vocab_size, the size of its tokenizer.")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(ModelConfig):
    """Encoder-decoder that answers a prompt."""

    decoder_layers: int = 1
    max_target_len: int = 24  # longest answer, the end token included


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig(ModelConfig):
    """Encoder with a classification head that says how likely an answer is false."""

    max_source_len: int = 96
    token_types: int = 4  # 0 question, 1 answer, 2 and above evidence, one for each record
    match_embedding: bool = True  # tell each token whether it occurs in the other segments: see `discriminator`
    first_text_id: int = 7  # ids below are structure (padding, end, segment marks) and never match
    head_layers: int = 1  # hidden layers of the classification head
    head_width: int = 96

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.token_types < 3:
            raise ValueError(f"token_types must be at least 3 (question, answer, evidence), not {self.token_types}.")
