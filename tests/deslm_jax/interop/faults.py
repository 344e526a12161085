"""The mistakes that ports of these models make; each must make the comparison fail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from deslm_jax import DiscriminatorConfig
from deslm_jax.tree import flatten, unflatten
from tests.deslm_jax.interop.cases import Inputs
from tests.deslm_jax.interop.comparison import Model


class Trial(NamedTuple):
    """What is compared with the reference."""

    model: Model
    inputs: Inputs


def _with_config(**change: Any) -> Callable[[Trial], Trial]:
    return lambda trial: trial._replace(model=trial.model._replace(config=replace(trial.model.config, **change)))


def _with_windows(change: Callable[[int], int]) -> Callable[[Trial], Trial]:
    return lambda trial: _with_config(window=tuple(map(change, trial.model.config.windows)))(trial)


def _with_weights(change: Callable[[dict[str, np.ndarray]], None]) -> Callable[[Trial], Trial]:
    def fault(trial: Trial) -> Trial:
        flat = dict(flatten(jax.tree.map(np.array, trial.model.params)))
        change(flat)
        return trial._replace(model=trial.model._replace(params=unflatten(flat)))

    return fault


def _no_encoder_attention(flat: dict[str, np.ndarray]) -> None:
    for name in flat:
        if name.startswith("encoder/") and "/attention/out/" in name:
            flat[name][...] = 0


def _global_keys_are_keys(flat: dict[str, np.ndarray]) -> None:
    for name in flat:
        if "global_key_value" in name:
            own = flat[name.replace("global_key_value", "query_key_value")]
            width = own.shape[-1] // 3
            flat[name][..., :width] = own[..., width : 2 * width]


def _output_is_input_table(flat: dict[str, np.ndarray]) -> None:
    flat["output_table"] = flat["embedding/token_table"]


def _no_globals(trial: Trial) -> Trial:
    return trial._replace(inputs=trial.inputs._replace(global_BS=np.zeros_like(trial.inputs.global_BS)))


def _first_is_always_global(trial: Trial) -> Trial:
    marked = trial.inputs.global_BS.copy()
    marked[:, 0] = 1
    return trial._replace(inputs=trial.inputs._replace(global_BS=marked))


def _holes_are_seen(trial: Trial) -> Trial:
    return trial._replace(inputs=trial.inputs._replace(mask_BS=np.ones_like(trial.inputs.mask_BS)))


def _positions_from_the_mask(trial: Trial) -> Trial:
    """Padding in a hole's stead: the model then counts positions without the hole, as if from the mask."""
    ids = np.where(trial.inputs.mask_BS == 0, trial.model.config.pad_id, trial.inputs.ids_BS)
    return trial._replace(inputs=trial.inputs._replace(ids_BS=ids))


def _labels_swapped(flat: dict[str, np.ndarray]) -> None:
    for name in ("head_out/kernel", "head_out/bias"):
        flat[name] = flat[name][..., ::-1].copy()


def _positions_shifted(flat: dict[str, np.ndarray]) -> None:
    flat["source_positions/position_table"] = np.roll(flat["source_positions/position_table"], -2, axis=0)


def _no_logits_bias(flat: dict[str, np.ndarray]) -> None:
    flat["logits_bias"][...] = 0


_Fault = Callable[[Trial], Trial]
# These change weights or inputs: the compiled model serves on.
IN_ALL: dict[str, _Fault] = {
    "no encoder attention": _with_weights(_no_encoder_attention),
    "no globals": _no_globals,
    "first token always global": _first_is_always_global,
    "key_global := key": _with_weights(_global_keys_are_keys),
    "mask holes are seen": _holes_are_seen,
}
IN_LED: dict[str, _Fault] = {
    "positions start at 2, as in BART": _with_weights(_positions_shifted),
    "no bias of logits": _with_weights(_no_logits_bias),
}
IN_UNTIED_LED: dict[str, _Fault] = {"output tied to input": _with_weights(_output_is_input_table)}
IN_LONGFORMER: dict[str, _Fault] = {"positions from the mask": _positions_from_the_mask}
IN_TWO_LABELS: dict[str, _Fault] = {"labels swapped": _with_weights(_labels_swapped)}

# These change the config, so each compiles a model.
IN_CONFIG: dict[str, _Fault] = {
    "half the window": _with_windows(lambda window: window // 2),
    "LayerNorm epsilon 1e-6": _with_config(norm_epsilon=1e-6),
    "GELU by tanh": _with_config(feed_forward="gelu_tanh"),
}
IN_LED_CONFIG: dict[str, _Fault] = {
    "one token less on each side": _with_windows(lambda window: window - 1),
    "norm before instead of after": _with_config(norm="pre"),
    "embeddings scaled by sqrt(d)": _with_config(embedding_scale=True),
}
IN_LONGFORMER_CONFIG: dict[str, _Fault] = {
    "positions by index": _with_config(position_ids="index", max_source_len=50),
    "a GELU head": _with_config(head="mlp", head_width=24),
}


def cheap_faults(config: Any) -> dict[str, _Fault]:
    """The faults of weights and inputs that a model of this config can have."""
    if isinstance(config, DiscriminatorConfig):
        return IN_ALL | IN_LONGFORMER | (IN_TWO_LABELS if config.n_labels == 2 else {})
    return IN_ALL | IN_LED | ({} if config.tied_embeddings else IN_UNTIED_LED)
