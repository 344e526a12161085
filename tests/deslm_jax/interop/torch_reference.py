"""What transformers answers. The only helper of these tests that imports torch."""

from typing import Any, NamedTuple

import numpy as np
import torch
import transformers

from tests.deslm_jax.interop.cases import CASES, TARGET_LEN, Inputs, loud_weights

_CLASSES = {
    "led": (transformers.LEDConfig, transformers.LEDForConditionalGeneration),
    "longformer": (transformers.LongformerConfig, transformers.LongformerForSequenceClassification),
}


class Answers(NamedTuple):
    """All that is compared."""

    logits: np.ndarray  # LED [B,U,V]; Longformer [B,labels]
    loss: float
    gradients: dict[str, np.ndarray]  # of the loss, by the names of the state dict
    greedy_BU: np.ndarray | None  # LED: the tokens that `generate` writes, without the start token
    greedy_global_BU: np.ndarray | None  # the same with the batch's global tokens


def build(name: str) -> Any:
    """The torch model of a case, with loud weights, in evaluation mode."""
    case = CASES[name]
    config_class, model_class = _CLASSES[case.kind]
    return make_loud(model_class(config_class(**case.config)), case.seed)


def make_loud(model: Any, seed: int) -> Any:
    """`model` with loud weights, tied where it was tied."""
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    weights = {key: torch.from_numpy(value) for key, value in loud_weights(shapes, seed).items()}
    weights |= {alias: weights[source] for alias, source in model.all_tied_weights_keys.items()}
    model.load_state_dict(weights)
    return model.eval()


def state_of(model: Any) -> dict[str, np.ndarray]:
    """The state dict as NumPy arrays."""
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def forward(model: Any, inputs: Inputs) -> torch.Tensor:
    """Logits of either model."""
    given = _given(inputs)
    if model.config.model_type == "led":
        given["decoder_input_ids"] = torch.from_numpy(inputs.dec_ids_BU)
    logits: torch.Tensor = model(**given).logits
    return logits


def answers(model: Any, inputs: Inputs) -> Answers:
    """Run the model forward, backward and, if it is an LED, greedily."""
    logits = forward(model, inputs)
    is_led = model.config.model_type == "led"
    if is_led:
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(inputs.labels_BU).flatten())
    else:
        fake = logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(fake, torch.from_numpy(inputs.fake_B).float())
    model.zero_grad()
    loss.backward()
    gradients = {name: value.grad.numpy().copy() for name, value in model.named_parameters() if value.grad is not None}
    nobody = inputs._replace(global_BS=np.zeros_like(inputs.global_BS))
    greedy_BU, greedy_global_BU = (greedy(model, nobody), greedy(model, inputs)) if is_led else (None, None)
    return Answers(logits.detach().numpy(), float(loss.detach()), gradients, greedy_BU, greedy_global_BU)


def greedy(model: Any, inputs: Inputs) -> np.ndarray:
    """Tokens of `generate`, int32 [B,U], padded behind the end."""
    with torch.no_grad():
        ids = model.generate(**_given(inputs), max_new_tokens=TARGET_LEN, num_beams=1, do_sample=False, use_cache=True)
    filled = np.full((len(ids), TARGET_LEN), model.config.pad_token_id, np.int32)
    filled[:, : ids.shape[1] - 1] = ids[:, 1:].numpy()
    return filled


def _given(inputs: Inputs) -> dict[str, torch.Tensor]:
    return {
        "input_ids": torch.from_numpy(inputs.ids_BS),
        "attention_mask": torch.from_numpy(inputs.mask_BS),
        "global_attention_mask": torch.from_numpy(inputs.global_BS),
    }
