"""Hugging Face's LED with given weights, for `benchmarks.decode`. torch and transformers are imported when called."""

from collections.abc import Callable
from typing import Any

import numpy as np

from deslm_jax import GeneratorConfig
from deslm_jax.interop import to_hf_led


class Peer:
    """The model, and runs of its `generate`; each returns the tokens, int [B,U], without the start token."""

    def __init__(self, model: Any, device: str) -> None:
        self.model, self.device = model, device

    def loops(self, ids_BS: np.ndarray, lengths: tuple[int, ...], beams: int) -> dict[int, Callable[[], np.ndarray]]:
        """Answers of each length from an encoded prompt."""
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        given = self._given(ids_BS)
        with torch.inference_mode():
            encoded = self.model.get_encoder()(**given).last_hidden_state
        # `generate` repeats what it is given for each beam, in place: a fresh holder each time.
        fresh = lambda: given | {"encoder_outputs": BaseModelOutput(last_hidden_state=encoded)}
        return {length: lambda n=length: self._run(fresh(), n, beams) for length in lengths}

    def whole(self, ids_BS: np.ndarray, global_BS: np.ndarray, length: int, beams: int) -> Callable[[], np.ndarray]:
        """Answers to the prompt."""
        import torch

        marks = {"global_attention_mask": torch.from_numpy(global_BS.astype(np.int64)).to(self.device)}
        return lambda: self._run(self._given(ids_BS) | marks, length, beams)

    def _given(self, ids_BS: np.ndarray) -> dict[str, Any]:
        import torch

        ids = torch.from_numpy(ids_BS.astype(np.int64)).to(self.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def _run(self, given: dict[str, Any], length: int, beams: int) -> np.ndarray:
        import torch

        with torch.inference_mode():
            out = self.model.generate(
                **given, max_new_tokens=length, min_new_tokens=length, num_beams=beams, do_sample=False
            )
        return out[:, 1:].cpu().numpy()


def make_peer(cfg: GeneratorConfig, params: Any, device: str) -> Peer:
    """LED with our weights; torch keeps to one thread on a CPU."""
    import torch
    from transformers import LEDConfig, LEDForConditionalGeneration
    from transformers.utils import logging

    logging.set_verbosity_error()
    if device == "cpu":
        torch.set_num_threads(1)
    settings, state = to_hf_led(cfg, params)
    with torch.device("meta"):
        model = LEDForConditionalGeneration(LEDConfig(**settings))
    model.load_state_dict({name: torch.from_numpy(np.array(x)) for name, x in state.items()}, strict=False, assign=True)
    model.tie_weights()
    unset = [name for name, x in [*model.named_parameters(), *model.named_buffers()] if x.is_meta]
    if unset:
        raise RuntimeError(f"The weights of {unset[0]} were not given.")
    return Peer(model.eval().to(device), device)
