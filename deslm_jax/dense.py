"""The layers that treat every position alike: linear, layer norm, feed-forward.

They compute in the dtype of what they are given and keep their weights in float32; a norm is float32 inside.
Shapes: B rows, T positions, C channels (d_model).
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.ad_checkpoint import checkpoint_name

from deslm_jax.config import ModelConfig
from deslm_jax.initial import drawn

PRODUCT = "product"  # what remat "dots" keeps: by name, so that it keeps nothing inside the loops of attention


_LARGE_ROWS, _LARGE_WIDTH = 1024, 256  # from here on a turned copy costs less than it saves


@jax.custom_vjp
def _product_on_cpu(x_NC: jax.Array, kernel_CF: jax.Array) -> jax.Array:
    """`x @ kernel` whose backward turns x before the weights' gradient, not inside the product.

    XLA's CPU backend is up to 1.6 times slower at a product over the first axis of both than at a plain one.
    """
    return x_NC @ kernel_CF


def _product_forward(x_NC: jax.Array, kernel_CF: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return x_NC @ kernel_CF, (x_NC, kernel_CF)


def _product_backward(kept: tuple[jax.Array, jax.Array], d_out_NF: jax.Array) -> tuple[jax.Array, jax.Array]:
    x_NC, kernel_CF = kept
    # The barrier keeps XLA from folding the transpose back into the product.
    return d_out_NF @ kernel_CF.T, jax.lax.optimization_barrier(x_NC.T) @ d_out_NF


_product_on_cpu.defvjp(_product_forward, _product_backward)


def product(x_NC: jax.Array, kernel_CF: jax.Array) -> jax.Array:
    """Returns `x @ kernel`, [N,F]."""
    width_in, width_out = kernel_CF.shape
    is_large = x_NC.shape[0] >= _LARGE_ROWS and _LARGE_WIDTH <= width_in <= width_out
    return _product_on_cpu(x_NC, kernel_CF) if is_large and jax.default_backend() == "cpu" else x_NC @ kernel_CF


class Dense(nn.Module):
    """A linear layer over the last axis. All others are flattened to one: XLA's CPU backward is a fifth faster so."""

    width: int
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns [..., width]."""
        kernel = self.param("kernel", drawn("kernel"), (x.shape[-1], self.width))
        flat = product(jnp.reshape(x, (-1, x.shape[-1])), kernel.astype(x.dtype))
        if self.use_bias:
            flat = flat + self.param("bias", nn.initializers.zeros, (self.width,))[None].astype(x.dtype)
        return jnp.reshape(checkpoint_name(flat, PRODUCT), (*x.shape[:-1], self.width))


class LayerNorm(nn.Module):
    """Layer norm over channels (Ba et al. 2016). Linen's own takes half as long again on a CPU, for E[x^2] - E[x]^2."""

    cfg: ModelConfig

    @nn.compact
    def __call__(self, x_BTC: jax.Array) -> jax.Array:
        """Returns [B,T,C]."""
        width = (x_BTC.shape[-1],)
        wide_BTC = x_BTC.astype(jnp.float32)
        centred_BTC = wide_BTC - jnp.mean(wide_BTC, axis=-1, keepdims=True)
        variance_BT1 = jnp.mean(centred_BTC * centred_BTC, axis=-1, keepdims=True)
        scale_C = self.param("scale", nn.initializers.ones, width)
        out_BTC = centred_BTC * jax.lax.rsqrt(variance_BT1 + self.cfg.norm_epsilon) * scale_C[None, None]
        if self.cfg.use_bias:
            out_BTC = out_BTC + self.param("bias", nn.initializers.zeros, width)[None, None]
        return out_BTC.astype(x_BTC.dtype)


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
