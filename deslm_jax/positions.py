"""Where a token stands: learned or sinusoidal vectors added to the embedding, or rotations of queries and keys.

Learned and sinusoidal positions are absolute. Rotary ones (Su et al. 2021) make a score depend on the distance of two
tokens alone, so a name is read the same wherever a template puts it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from deslm_jax.config import ModelConfig
from deslm_jax.initial import drawn

_LONGEST_WAVE = 10_000.0


def sinusoids(n_positions: int, width: int) -> np.ndarray:
    """Returns the sine and cosine table of Vaswani et al. 2017, sines first; float32 [n_positions, width]."""
    wave = np.arange(n_positions)[:, None] * _LONGEST_WAVE ** (-np.arange(width // 2) / (width / 2))
    return np.concatenate([np.sin(wave), np.cos(wave)], axis=1).astype(np.float32)


def rotate(x_BTHD: jax.Array, positions: jax.Array | np.ndarray) -> jax.Array:
    """Returns `x_BTHD` turned by its position, feature i with feature i + D/2; `positions` int32, [T] or [B,T]."""
    half = x_BTHD.shape[-1] // 2
    wavelengths = (_LONGEST_WAVE ** (-np.arange(half) / half)).astype(np.float32)
    # Positions known while tracing make a small table; else XLA computes a cosine for every element of a fused loop.
    xp = np if isinstance(positions, np.ndarray) else jnp
    angle = positions.astype(np.float32)[..., None] * xp.expand_dims(wavelengths, tuple(range(positions.ndim)))
    angle = xp.reshape(angle, (1,) * (3 - angle.ndim) + angle.shape)[:, :, None, :]
    cos, sin = xp.cos(angle).astype(x_BTHD.dtype), xp.sin(angle).astype(x_BTHD.dtype)
    a, b = x_BTHD[..., :half], x_BTHD[..., half:]
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def nonpad_positions(ids_BT: jax.Array, pad_id: int) -> jax.Array:
    """Returns RoBERTa's and Longformer's position ids, int32 [B,T]: pad_id + 1, + 2 ... over the ids that are not
    padding, pad_id at those that are. The mask has no part in it.

    >>> nonpad_positions(jnp.array([[9, 1, 9, 9, 1]]), pad_id=1).tolist()
    [[2, 1, 3, 4, 1]]
    """
    counts_BT = (ids_BT != pad_id).astype(jnp.int32)
    return jnp.cumsum(counts_BT, axis=1) * counts_BT + pad_id


def source_position_ids(cfg: ModelConfig, ids_BT: jax.Array) -> jax.Array | None:
    """Returns the position ids of an encoder's input, int32 [B,T], or None where position i is simply i."""
    return nonpad_positions(ids_BT, cfg.pad_id) if cfg.position_ids == "nonpad" else None


class AddPositions(nn.Module):
    """Adds absolute positions to an embedding; does nothing for rotary ones, which act inside attention."""

    cfg: ModelConfig
    n_positions: int  # rows of the table

    @nn.compact
    def __call__(
        self, x_BTC: jax.Array, start: jax.Array | int = 0, position_ids_BT: jax.Array | None = None
    ) -> jax.Array:
        """Returns `x_BTC` with positions start ... start + T - 1 added, or those of `position_ids_BT`.

        `start` may be traced (cached decoding). A position id beyond the table gives NaN.
        """
        if self.cfg.positions == "rotary":
            return x_BTC
        if self.cfg.positions == "learned":
            shape = (self.n_positions, x_BTC.shape[-1])
            table_PC = self.param("position_table", drawn("position_table"), shape)
        else:
            table_PC = jnp.asarray(sinusoids(self.n_positions, x_BTC.shape[-1]))
        if position_ids_BT is not None:
            return x_BTC + jnp.take(table_PC, position_ids_BT, axis=0, mode="fill", fill_value=jnp.nan)
        rows_TC = jax.lax.dynamic_slice_in_dim(table_PC, start, x_BTC.shape[1])
        return x_BTC + rows_TC[None].astype(x_BTC.dtype)
