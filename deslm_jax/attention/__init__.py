"""Sliding-window attention with global tokens: one operation, one spec, a dense oracle and fast implementations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deslm_jax.attention.door import dense_attention, sparse_attention
    from deslm_jax.attention.mask import SparseAttentionSpec, allowed_mask, global_idx_from_mask

_HOME = {
    "SparseAttentionSpec": "mask",
    "allowed_mask": "mask",
    "dense_attention": "door",
    "global_idx_from_mask": "mask",
    "sparse_attention": "door",
}
__all__ = ["SparseAttentionSpec", "allowed_mask", "dense_attention", "global_idx_from_mask", "sparse_attention"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
