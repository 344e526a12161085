"""The attention of other libraries on the same numbers, for `benchmarks.attention`: every door checks its result there.

Each maker returns {run name: function without arguments}, "fwd" returning the output [B,T,H,D] as a torch tensor.
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

Runs = dict[str, Callable[[], Any]]


def missing_peers() -> str | None:
    """What to install before the peers can run; None where they can."""
    absent = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(absent)} not installed: `make setup EXTRAS=parity`" if absent else None


def sgemm(size: int, device: str) -> Callable[[], Any]:
    """A product of two square matrices."""
    import torch

    x = torch.from_numpy(np.random.default_rng(1).normal(size=(size, size)).astype(np.float32)).to(device)
    return _synchronised(lambda: x @ x, device)


def longformer(arrays: tuple[np.ndarray, ...], window: int, idx_BG: np.ndarray, device: str) -> Runs:
    """Hugging Face's LongformerSelfAttention without its projections: they hand on q, k and v as they are."""
    import torch
    from transformers import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    batch, length, heads, width = arrays[0].shape
    q, k, v, weight = (torch.from_numpy(x.reshape(batch, length, -1).copy()).to(device) for x in arrays)
    for x in (q, k, v):
        x.requires_grad_()

    class Given(torch.nn.Module):
        """Takes a projection's place: its answer is known."""

        def __init__(self, answer: Any) -> None:
            super().__init__()
            self.answer = answer

        def forward(self, x: Any) -> Any:
            # The queries are scaled in place by the caller.
            return x.clone() if self.answer is None else self.answer.transpose(0, 1)

    config = LongformerConfig(
        hidden_size=heads * width, num_attention_heads=heads, attention_window=[2 * window], num_hidden_layers=1
    )
    layer = LongformerSelfAttention(config, 0).eval().to(device)
    layer.query = layer.query_global = Given(None)
    layer.key = layer.key_global = Given(k)
    layer.value = layer.value_global = Given(v)
    mask = torch.zeros(batch, length, device=device)
    mask[torch.arange(batch, device=device)[:, None], torch.from_numpy(idx_BG.copy()).long().to(device)] = 10_000.0

    def attend() -> Any:
        return layer(
            q, attention_mask=mask, is_index_masked=mask < 0, is_index_global_attn=mask > 0, is_global_attn=True
        )[0]

    def forward() -> Any:
        with torch.no_grad():
            return attend().reshape(batch, length, heads, width)

    def both() -> Any:
        q.grad = k.grad = v.grad = None
        (attend() * weight).sum().backward()
        return q.grad, k.grad, v.grad

    return {"fwd": _synchronised(forward, device), "f+b": _synchronised(both, device)}


def flex(arrays: tuple[np.ndarray, ...], window: int, idx_BG: np.ndarray, device: str) -> Runs:
    """torch's FlexAttention, compiled; forward only, as its CPU backward raises."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    batch, length = arrays[0].shape[:2]
    q, k, v = (torch.from_numpy(x.swapaxes(1, 2).copy()).to(device) for x in arrays[:3])
    is_global = torch.zeros(batch, length, dtype=torch.bool, device=device)
    is_global[torch.arange(batch, device=device)[:, None], torch.from_numpy(idx_BG.copy()).long().to(device)] = True

    def allowed(b: Any, h: Any, i: Any, j: Any) -> Any:
        return ((i - j).abs() <= window) | is_global[b, i] | is_global[b, j]

    mask = create_block_mask(allowed, batch, None, length, length, device=device)
    compiled = torch.compile(flex_attention)

    def forward() -> Any:
        with torch.no_grad():
            return compiled(q, k, v, block_mask=mask).transpose(1, 2)

    return {"fwd": _synchronised(forward, device)}


def _synchronised(run: Callable[[], Any], device: str) -> Callable[[], Any]:
    import torch

    def finished() -> Any:
        result = run()
        if device != "cpu":
            torch.cuda.synchronize()
        return result

    return finished
