"""Our side of the comparison, and how close is close enough."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from deslm_jax import Discriminator, DiscriminatorConfig, Generator
from deslm_jax.interop import from_hf_led, from_hf_longformer, to_hf_led, to_hf_longformer
from tests.deslm_jax.interop.cases import PAD, Inputs

LOGITS, GRADIENTS = 1e-4, 1e-3  # largest difference, relative to the largest magnitude


class Model(NamedTuple):
    """A model of ours made from a state dict."""

    config: Any
    params: Any


def load(kind: str, hf_config: dict[str, Any], state: dict[str, np.ndarray]) -> Model:
    """Ours from theirs."""
    return Model(*(from_hf_led if kind == "led" else from_hf_longformer)(hf_config, state))


class Answers(NamedTuple):
    """What a model of ours gives for a batch."""

    logits: jax.Array  # float32: generator [B,U,V], discriminator [B]
    loss: jax.Array  # that of `torch_reference.answers`
    gradients: Any  # of the loss, a parameter tree


def _logits(config: Any, params: Any, inputs: Inputs) -> jax.Array:
    ids_BS, dec_ids_BU = inputs.ids_BS.astype(jnp.int32), inputs.dec_ids_BU.astype(jnp.int32)
    masks = inputs.mask_BS.astype(bool), inputs.global_BS.astype(bool)
    if isinstance(config, DiscriminatorConfig):
        return Discriminator(config).apply({"params": params}, ids_BS, *masks)
    return Generator(config).apply({"params": params}, ids_BS, dec_ids_BU, *masks)


logits_of = jax.jit(_logits, static_argnums=0)


@partial(jax.jit, static_argnums=0)
def answers_of(config: Any, params: Any, inputs: Inputs) -> Answers:
    """Logits, loss and gradients, compiled as one."""

    def loss(params: Any) -> tuple[jax.Array, jax.Array]:
        logits = _logits(config, params, inputs)
        if isinstance(config, DiscriminatorConfig):
            return jnp.mean(jax.nn.softplus(logits) - logits * inputs.fake_B.astype(jnp.float32)), logits
        labels_BU1 = inputs.labels_BU[..., None].astype(jnp.int32)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels_BU1, axis=-1)), logits

    (value, logits), gradients = jax.value_and_grad(loss, has_aux=True)(params)
    return Answers(logits, value, gradients)


def their_logits(logits: np.ndarray) -> np.ndarray:
    """Their logits as ours: of two labels the difference, of one its own."""
    if logits.ndim == 3:
        return logits
    return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]


def logit_difference(logits: jax.Array, theirs: np.ndarray) -> float:
    """Largest difference of our logits from theirs, relative to their largest magnitude; to be below `LOGITS`."""
    wanted = their_logits(theirs)
    return float(np.abs(np.asarray(logits) - wanted).max() / np.abs(wanted).max())


def gradient_differences(config: Any, gradients: Any, theirs: dict[str, np.ndarray]) -> dict[str, float]:
    """For each tensor the largest difference relative to its largest magnitude; to be below `GRADIENTS`.

    Key biases have no gradient but rounding (softmax does not see a constant), so a magnitude counts as no smaller
    than a thousandth of the largest of all. torch gives the padding's rows of embeddings none: they are left out.
    """
    to_hf = to_hf_longformer if isinstance(config, DiscriminatorConfig) else to_hf_led
    ours = to_hf(config, gradients)[1]
    theirs = dict(theirs)
    aliases = [name for name in theirs if ".embed_tokens." in name]
    if aliases:  # untied there, one table here
        theirs["led.shared.weight"] = sum(theirs.pop(name) for name in aliases)
    least = 1e-3 * max(np.abs(value).max() for value in theirs.values())
    found = {}
    for name, wanted in theirs.items():
        is_padded = "shared" in name or "word_embeddings" in name or "longformer.embeddings.position" in name
        kept = np.arange(len(wanted)) != PAD if is_padded else slice(None)
        difference = np.abs(ours[name][kept] - wanted[kept]).max()
        found[name] = float(difference / max(np.abs(wanted[kept]).max(), least))
    return found
