"""What fixes a model's shape: two frozen dataclasses, hashable, so a jitted function can take one as static argument.

Both models are the same encoder, so nearly every field is shared. The defaults are the tiny models of the demo; a
config is written as the difference from them. `presets` has larger ones, LED's and Longformer's among them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args, get_origin

Positions = Literal["learned", "sinusoidal", "rotary"]
PositionIds = Literal["index", "nonpad"]
FeedForward = Literal["gelu", "gelu_tanh", "gated"]
GlobalTokens = Literal["none", "first", "question"]
Norm = Literal["pre", "post"]
Dtype = Literal["float32", "bfloat16"]
Remat = Literal["none", "full", "dots"]
Head = Literal["mlp", "longformer"]

_AT_LEAST_ZERO = frozenset({"encoder_layers", "head_layers", "token_types", "dense_up_to", "decoder_window"}) | {
    "decoder_globals",
    "pad_id",
    "bos_id",
    "eos_id",
    "decoder_start_id",
    "forced_bos_id",
    "forced_eos_id",
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Fields that both models share. Lengths are in tokens, layers and heads are counts."""

    vocab_size: int  # read it from the tokenizer: `tokenizer.vocab_size`
    d_model: int = 96
    n_heads: int = 4
    n_kv_heads: int | None = None  # key heads, each shared by n_heads / n_kv_heads query heads; None: one each
    d_ff: int = 384
    encoder_layers: int = 2
    max_source_len: int = 64  # longest input of the encoder, and the static length batches are padded to
    window: int | tuple[int, ...] = 16  # tokens seen on each side by a token that is not global; one for each layer
    global_tokens: GlobalTokens = "question"  # who is global without a global_mask: see `encoder.Encoder`
    max_globals: int = 64  # slots for the global tokens of one row where attention is sparse; dense needs none
    global_projections: bool = False  # own query, key and value weights for global rows, as in Longformer
    positions: Positions = "rotary"
    position_ids: PositionIds = "index"  # of the encoder's input; "nonpad" counts ids that are not padding, from
    # pad_id + 1 on, padding at pad_id (Longformer)
    norm: Norm = "pre"  # before each sub-layer, or "post": after its residual sum
    embedding_norm: bool = False  # layer norm of the embedded sequence, positions included
    final_norm: bool = True  # layer norm behind the last block; post-norm models have none
    feed_forward: FeedForward = "gelu_tanh"  # the tanh form is cheaper on a CPU; "gelu" is exact
    use_bias: bool = True
    embedding_scale: bool = True  # multiply token embeddings by sqrt(d_model)
    norm_epsilon: float = 1e-6
    dropout: float = 0.1  # after the embedding and after every sub-layer
    attention_dropout: float = 0.0  # on the weights of self-attention
    dense_up_to: int = 256  # self-attention no longer than this asks for the dense implementation by name: at such
    # lengths T x T is smaller than the bookkeeping of a band, and compiles faster
    dtype: Dtype = "float32"  # of activations; weights, norms, softmax, logits and heads stay float32
    remat: Remat = "none"  # what a block keeps for its backward: all, nothing ("full"), its products and
    # sparse attention ("dots")
    scan_layers: bool = False  # compile equal neighbouring blocks once, as a scan; weights are kept by layer regardless
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self) -> None:
        if isinstance(self.window, list):  # from JSON
            object.__setattr__(self, "window", tuple(self.window))
        for field in fields(self):
            _check_field(field.name, field.type, getattr(self, field.name))
        for name in ("dropout", "attention_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be in [0, 1), not {getattr(self, name)!r}.")
        for name in ("pad_id", "bos_id", "eos_id"):
            self._require_token(name)
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} must be a multiple of n_heads {self.n_heads}.")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads {self.n_heads} must be a multiple of n_kv_heads {self.n_kv_heads}.")
        if len(self.windows) != self.encoder_layers:
            raise ValueError(f"window has {len(self.windows)} entries for {self.encoder_layers} encoder_layers.")
        if self.positions == "rotary" and self.head_dim % 2:
            raise ValueError(f"rotary positions need an even head size: d_model / n_heads is {self.head_dim}.")
        if self.positions == "rotary" and self.position_ids == "nonpad":
            raise ValueError('position_ids "nonpad" needs learned or sinusoidal positions, not rotary ones.')
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"sinusoidal positions need an even d_model, not {self.d_model}.")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Number of key and value heads."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def windows(self) -> tuple[int, ...]:
        """The window of each encoder layer."""
        return self.window if isinstance(self.window, tuple) else (self.window,) * self.encoder_layers

    @property
    def source_positions(self) -> int:
        """Rows of the encoder's position table."""
        return self.max_source_len + (self.pad_id + 1 if self.position_ids == "nonpad" else 0)

    def global_capacity(self, length: int) -> int:
        """Returns how many tokens of a row of `length` may be global."""
        return length if length <= self.dense_up_to else min(self.max_globals, length)

    @property
    def max_question_len(self) -> int:
        """The longest question, its mark included, that can be read without a global mask of one's own."""
        all_global = self.global_tokens == "question" and not self.sees_all(self.max_source_len)
        return self.global_capacity(self.max_source_len) if all_global else self.max_source_len

    def sees_all(self, length: int) -> bool:
        """Returns whether the windows alone reach everything, so that globals change nothing."""
        return min(self.windows, default=0) >= length - 1 and not self.global_projections

    def _require_token(self, name: str) -> None:
        token = getattr(self, name)
        if token is not None and token >= self.vocab_size:
            raise ValueError(f"{name} {token} is not in the vocabulary of {self.vocab_size}.")

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values only, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the config that `to_dict` wrote; what an older version did not write yet takes its default.

        A key that is no field of this class is a ValueError naming it.
        """
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
    decoder_window: int | None = None  # earlier tokens a place of the answer sees; None: all of them
    decoder_globals: int = 0  # with a decoder_window: so many first places are seen by all later ones
    tied_embeddings: bool = True  # score tokens by the embedding table; else by a table of their own
    logits_bias: bool = False  # a number added to each token's score (LED's final_logits_bias)
    decoder_start_id: int | None = None  # what the decoder reads first; None: bos_id
    forced_bos_id: int | None = None  # `generate` writes this first, whatever the logits
    forced_eos_id: int | None = None  # `generate` ends an answer that runs out of room with this

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("decoder_start_id", "forced_bos_id", "forced_eos_id"):
            self._require_token(name)

    @property
    def start_id(self) -> int:
        """The token that the decoder reads first."""
        return self.bos_id if self.decoder_start_id is None else self.decoder_start_id


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig(ModelConfig):
    """Encoder with a classification head that says how likely an answer is false."""

    max_source_len: int = 96
    token_types: int = 4  # 0 question, 1 answer, 2 and above evidence, one for each record; 0: no type embedding
    match_embedding: bool = True  # tell each token whether it occurs in the other segments: see `discriminator`
    first_text_id: int = 7  # ids below are structure (padding, end, segment marks) and never match
    head: Head = "mlp"  # hidden layers of GELU; "longformer": one of tanh, as wide as the model
    head_layers: int = 1  # hidden layers of the "mlp" head
    head_width: int = 96
    n_labels: int = 1  # outputs of the head: the logit, or with 2 those of "true" and "false", whose difference it is

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.match_embedding and self.token_types < 3:
            raise ValueError(
                f"token_types must be at least 3 (question, answer, evidence) for match_embedding, "
                f"not {self.token_types}."
            )
        if self.n_labels > 2:
            raise ValueError(f"n_labels must be 1 or 2, not {self.n_labels}.")


def _check_field(name: str, kind: Any, value: Any) -> None:
    """Raises ValueError unless `value` is of the field's annotated kind, and not too small."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}.")
    elif name == "window":
        _check_window(value)
    elif kind is int or kind == int | None:
        least = 0 if name in _AT_LEAST_ZERO else 1
        left_out = value is None and kind is not int
        if not left_out and not _is_count(value, least):
            raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}.")
    elif kind is bool and not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}.")
    elif kind is float and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{name} must be a number, not {value!r}.")


def _check_window(value: Any) -> None:
    sides = value if isinstance(value, tuple) else (value,)
    if not all(_is_count(side, 0) for side in sides):
        raise ValueError(f"window must be an integer of at least 0, or one for each encoder layer, not {value!r}.")


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
