"""The semantics of the attention as loops over float64 NumPy, gradients by hand. Imports no package code."""

from typing import NamedTuple

import numpy as np


class Problem(NamedTuple):
    """One call: NumPy arrays and plain numbers, named as in `sparse_attention`."""

    q: np.ndarray  # [B,T,H,D]
    k: np.ndarray  # [B,S,K,D]
    v: np.ndarray  # [B,S,K,D]
    window: tuple[int | None, int | None]
    causal: bool = False
    global_idx: np.ndarray | None = None
    q_global: np.ndarray | None = None
    k_global: np.ndarray | None = None
    v_global: np.ndarray | None = None
    segment_ids: np.ndarray | None = None
    kv_len: np.ndarray | None = None
    scale: float | None = None
    keep: np.ndarray | None = None  # [B,H,T,S] what dropout multiplies each probability by


def draw_mask(p: Problem) -> tuple[np.ndarray, list[dict[int, int]]]:
    """(allowed [B,T,S], for each example {global position: its first slot}), pair by pair."""
    batch, rows, keys = p.q.shape[0], p.q.shape[1], p.k.shape[1]
    left, right = p.window
    allowed = np.zeros((batch, rows, keys), bool)
    slots: list[dict[int, int]] = []
    for b in range(batch):

        def is_valid(j: int, b: int = b) -> bool:
            in_segment = p.segment_ids is None or p.segment_ids[b, j] >= 0
            return bool(in_segment and (p.kv_len is None or j < p.kv_len[b]))

        slot: dict[int, int] = {}
        for g, position in enumerate([] if p.global_idx is None else p.global_idx[b].tolist()):
            if position >= 0 and is_valid(position):
                slot.setdefault(position, g)
        slots.append(slot)
        for i in range(rows):
            for j in range(keys):
                near = (left is None or i - j <= left) and (right is None or j - i <= right)
                meets = near or i in slot or j in slot
                same = p.segment_ids is None or p.segment_ids[b, i] == p.segment_ids[b, j]
                allowed[b, i, j] = is_valid(j) and same and (not p.causal or j <= i) and meets
    return allowed, slots


def attend(p: Problem) -> tuple[np.ndarray, np.ndarray]:
    """(out [B,T,H,D], lse [B,T,H]) in float64."""
    out, lse, _ = _run(p, None, None)
    return out, lse


def gradients(p: Problem, d_out: np.ndarray, d_lse: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients of sum(out * d_out) + sum(lse * d_lse over finite rows), by argument name."""
    return _run(p, d_out, d_lse)[2]


def _run(
    p: Problem, d_out: np.ndarray | None, d_lse: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    allowed, slots = draw_mask(p)
    named = {name: getattr(p, name) for name in ("q", "k", "v", "q_global", "k_global", "v_global")}
    wide = {name: np.asarray(x, np.float64) for name, x in named.items() if x is not None}
    grad = {name: np.zeros_like(x) for name, x in wide.items()}
    out, lse = np.zeros(p.q.shape), np.full(p.q.shape[:3], -np.inf)
    scale = p.q.shape[3] ** -0.5 if p.scale is None else p.scale
    group = p.q.shape[2] // p.k.shape[2]
    for b, i, h in np.ndindex(*p.q.shape[:3]):
        see = np.flatnonzero(allowed[b, i])
        if see.size == 0:
            continue
        apart = "q_global" in wide and i in slots[b]
        q_name, k_name, v_name = ("q_global", "k_global", "v_global") if apart else ("q", "k", "v")
        at = (b, slots[b][i] if apart else i, h)
        query, key, value = wide[q_name][at], wide[k_name][b, see, h // group], wide[v_name][b, see, h // group]
        logit = key @ query * scale
        top = logit.max()
        lse[b, i, h] = top + np.log(np.exp(logit - top).sum())
        probability = np.exp(logit - lse[b, i, h])
        keep = np.ones(see.size) if p.keep is None else p.keep[b, h, i, see]
        out[b, i, h] = (probability * keep) @ value
        if d_out is None or d_lse is None:
            continue
        d_value = np.outer(probability * keep, d_out[b, i, h])
        d_probability = keep * (value @ d_out[b, i, h])
        d_logit = probability * (d_probability - probability @ d_probability + d_lse[b, i, h]) * scale
        grad[q_name][at] += d_logit @ key
        grad[k_name][b, see, h // group] += np.outer(d_logit, query)
        grad[v_name][b, see, h // group] += d_value
    return out, lse, grad
