"""Sparse attention in linear memory on any XLA backend: band + gathered global columns + dense global rows.

The local rows sweep their window in blocks, and the gathered global keys for the rows whose window misses them, under
one online softmax: nothing to merge. Global rows sweep every key. One custom_vjp covers both, so every
gradient comes from the final softmax statistics and delta = sum(out * d_out) - d_lse; nothing of size T x S is stored.
A sequence that fits one block needs no columns: its tile has every key, and the mask tells which are global.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name

from deslm_jax.attention.heads import for_each_head
from deslm_jax.attention.inputs import AttentionInputs, AttentionOptions, scale_of_examples
from deslm_jax.attention.mask import SparseAttentionSpec
from deslm_jax.attention.parts import Keys, Part, Rows, clear_keys
from deslm_jax.attention.places import Places, add_slots, put_slots, read_places, take_slots
from deslm_jax.attention.plan import Plan, choose_plan
from deslm_jax.attention.sweep import KeyGradients, sweep_backward, sweep_forward

Result = tuple[jax.Array, jax.Array]
ATTENTION = "attention"  # the name of what the backward needs beside its inputs, for `jax.checkpoint` policies
_SILENT = (0.0, np.inf)  # a norm (top, log of the total) that leaves a row no probability


class _RowGradients(NamedTuple):
    """What the backward knows of every row."""

    d_out_BTHD: jax.Array
    norm_BTH2: jax.Array  # top logit and log of the total, `_SILENT` where the row saw nothing
    delta_BTH: jax.Array
    live_BT: jax.Array | None  # boolean; a row that is not live has no gradient and may hold NaN


def attend_blocked(inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions) -> Result:
    """(out [B,T,H,D] in q's dtype, lse [B,T,H] float32 or wider), differentiable in reverse."""
    plan = choose_plan(inputs.q_BTHD.shape[1], inputs.k_BSKD.shape[1], spec)
    return attend_with_plan(inputs, spec, options, plan)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def attend_with_plan(
    inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions, plan: Plan
) -> Result:
    """`attend_blocked` under a given plan, for tests and tuning."""
    return _forward(inputs, spec, options, plan)[0]


def _forward(
    inputs: AttentionInputs, spec: SparseAttentionSpec, options: AttentionOptions, plan: Plan
) -> tuple[Result, tuple[AttentionInputs, jax.Array, jax.Array]]:
    attend = partial(_attend, spec=spec, options=options, plan=plan)
    result = for_each_head(attend, inputs, None) if plan.head_by_head else attend(inputs)
    out, norm = (checkpoint_name(part, ATTENTION) for part in result)
    return (out, norm.sum(axis=-1)), (inputs, out, norm)


def _attend(
    inputs: AttentionInputs, _: None = None, *, spec: SparseAttentionSpec, options: AttentionOptions, plan: Plan
) -> Result:
    """(out, norm) of `sweep_forward`, global rows included."""
    places = read_places(inputs, _one_tile(inputs, plan))
    out, norm = sweep_forward(_local_part(inputs, places, spec, options, plan), options)
    slots = places.slot_position_BG
    if slots is not None and _rows_apart(inputs, spec, plan):
        rows, rows_norm = sweep_forward(_global_part(inputs, places, slots, spec, options, plan), options)
        out = put_slots(out, rows, slots)
        norm = put_slots(norm, rows_norm, slots)
    return out, norm


def _backward(
    spec: SparseAttentionSpec,
    options: AttentionOptions,
    plan: Plan,
    residuals: tuple[AttentionInputs, jax.Array, jax.Array],
    cotangents: Result,
) -> tuple[AttentionInputs]:
    inputs, out, norm = residuals
    known = _row_gradients(inputs, out, norm, *cotangents)
    differentiate = partial(_gradients, spec=spec, options=options, plan=plan)
    return (for_each_head(differentiate, inputs, known) if plan.head_by_head else differentiate(inputs, known),)


def _gradients(
    inputs: AttentionInputs, known: _RowGradients, *, spec: SparseAttentionSpec, options: AttentionOptions, plan: Plan
) -> AttentionInputs:
    """The gradients of the inputs."""
    places = read_places(inputs, _one_tile(inputs, plan))
    dtype = known.norm_BTH2.dtype
    slots = places.slot_position_BG if _rows_apart(inputs, spec, plan) else None
    local = _local_part(inputs, places, spec, options, plan, known, silence_globals=slots is not None)
    dq, keys = sweep_backward(local, options, _no_gradients(inputs.k_BSKD, dtype, local.columns))
    if local.columns is not None:
        assert places.slot_position_BG is not None and keys.column_k_BGKD is not None and keys.column_v_BGKD is not None
        keys = KeyGradients(
            add_slots(keys.k_BSKD, keys.column_k_BGKD, places.slot_position_BG),
            add_slots(keys.v_BSKD, keys.column_v_BGKD, places.slot_position_BG),
        )
    separate = inputs.q_global_BGHD is not None
    dq_global, global_keys = None, _no_gradients(inputs.k_BSKD, dtype, None) if separate else keys
    if slots is not None:
        part = _global_part(inputs, places, slots, spec, options, plan, known)
        dq_global, global_keys = sweep_backward(part, options, global_keys)
    if not separate:
        if slots is not None:
            assert dq_global is not None
            dq = put_slots(dq, dq_global, slots)
        keys = global_keys
    k = inputs.k_BSKD
    gradients = AttentionInputs(dq, keys.k_BSKD.astype(k.dtype), keys.v_BSKD.astype(k.dtype))
    if inputs.q_global_BGHD is not None:
        gradients = gradients._replace(
            q_global_BGHD=jnp.zeros_like(inputs.q_global_BGHD) if dq_global is None else dq_global,
            k_global_BSKD=global_keys.k_BSKD.astype(k.dtype),
            v_global_BSKD=global_keys.v_BSKD.astype(k.dtype),
        )
    return gradients


attend_with_plan.defvjp(_forward, _backward)


def _one_tile(inputs: AttentionInputs, plan: Plan) -> bool:
    """Whether a single tile holds all rows and keys, so that the mask alone can serve the globals."""
    return plan.rows == inputs.q_BTHD.shape[1] and plan.keys == inputs.k_BSKD.shape[1]


def _rows_apart(inputs: AttentionInputs, spec: SparseAttentionSpec, plan: Plan) -> bool:
    """Whether global rows need a sweep of their own."""
    return inputs.q_global_BGHD is not None or not (spec.sees_everything or _one_tile(inputs, plan))


def _local_part(
    inputs: AttentionInputs,
    places: Places,
    spec: SparseAttentionSpec,
    options: AttentionOptions,
    plan: Plan,
    known: _RowGradients | None = None,
    silence_globals: bool = False,
) -> Part:
    n_rows, n_keys = inputs.q_BTHD.shape[1], inputs.k_BSKD.shape[1]
    is_global = places.is_global_BT if _one_tile(inputs, plan) and not spec.sees_everything else None
    rows = Rows(
        inputs.q_BTHD,
        jnp.arange(n_rows, dtype=jnp.int32)[None],
        places.row_segment_BT,
        places.row_valid_BT,
        is_global,
        scale_of_examples(inputs, options)[:, None],
        _seeds(inputs),
    )
    if known is not None:
        if silence_globals:
            assert places.is_global_BT is not None
            known = known._replace(norm_BTH2=_silence(known.norm_BTH2, places.is_global_BT))
        rows = _with_gradients(rows, known, inputs)
    keys = Keys(
        inputs.k_BSKD,
        inputs.v_BSKD,
        jnp.arange(n_keys, dtype=jnp.int32)[None],
        places.key_segment_BS,
        places.key_valid_BS,
        is_global,
    )
    slots = places.slot_position_BG
    columns = None
    if slots is not None and not (spec.sees_everything or _one_tile(inputs, plan)):
        columns = clear_keys(
            Keys(
                take_slots(inputs.k_BSKD, slots),
                take_slots(inputs.v_BSKD, slots),
                slots,
                take_slots(places.key_segment_BS, slots),
                slots >= 0,
                None,
                jnp.ones((1, slots.shape[1]), bool),
            )
        )
    return Part(rows, keys, columns, spec, plan, follows=True)


def _global_part(
    inputs: AttentionInputs,
    places: Places,
    slots_BG: jax.Array,
    spec: SparseAttentionSpec,
    options: AttentionOptions,
    plan: Plan,
    known: _RowGradients | None = None,
) -> Part:
    n_keys = inputs.k_BSKD.shape[1]
    q, k, v = inputs.q_global_BGHD, inputs.k_global_BSKD, inputs.v_global_BSKD
    if q is None or k is None or v is None:
        q, k, v = take_slots(inputs.q_BTHD, slots_BG), inputs.k_BSKD, inputs.v_BSKD
    used = slots_BG >= 0
    segment, scale = take_slots(places.row_segment_BT, slots_BG), scale_of_examples(inputs, options)[:, None]
    rows = Rows(q, slots_BG, segment, used, None, scale, _seeds(inputs))
    if known is not None:
        taken = take_slots(known, slots_BG)
        taken = taken._replace(
            norm_BTH2=_silence(taken.norm_BTH2, ~used),
            delta_BTH=jnp.where(used[:, :, None], taken.delta_BTH, 0),
            live_BT=used if taken.live_BT is None else used & taken.live_BT,
        )
        rows = _with_gradients(rows, taken, inputs)
    keys = Keys(k, v, jnp.arange(n_keys, dtype=jnp.int32)[None], places.key_segment_BS, places.key_valid_BS, None)
    everywhere = SparseAttentionSpec((None, None), spec.causal)
    return Part(rows, keys, None, everywhere, plan.for_rows(slots_BG.shape[1], n_keys), follows=False)


def _row_gradients(
    inputs: AttentionInputs, out: jax.Array, norm: jax.Array, d_out: jax.Array, d_lse: jax.Array
) -> _RowGradients:
    # As a product: XLA's CPU back end takes four times as long for a multiplication and a sum.
    delta = jnp.einsum("bthd,bthd->bth", out, d_out, preferred_element_type=norm.dtype) - d_lse
    norm = jnp.where(norm == -jnp.inf, jnp.inf, norm)
    live = None if inputs.segment_ids_BT is None else inputs.segment_ids_BT >= 0
    if inputs.kv_len_B is not None:
        # Rows beyond kv_len are computed, but a caller may leave NaN there and ignore them: no cotangent, no gradient.
        asked = ((d_out != 0).any(axis=-1) | (d_lse != 0)).any(axis=-1)
        live = asked if live is None else live & asked
    if live is not None:
        norm, delta = _silence(norm, ~live), jnp.where(live[:, :, None], delta, 0)
    return _RowGradients(d_out, norm, delta, live)


def _silence(norm_BTH2: jax.Array, where_BT: jax.Array) -> jax.Array:
    """Make exp(logit - top - log_total) 0 in the rows where asked."""
    silent = jnp.concatenate([jnp.full((1, 1, 1, 1), number, norm_BTH2.dtype) for number in _SILENT], axis=-1)
    return jnp.where(where_BT[:, :, None, None], silent, norm_BTH2)


def _with_gradients(rows: Rows, known: _RowGradients, inputs: AttentionInputs) -> Rows:
    return rows._replace(
        used_BT=known.live_BT,
        d_out_BTHD=known.d_out_BTHD,
        norm_BTH2=known.norm_BTH2,
        delta_BTH=known.delta_BTH,
    )


def _seeds(inputs: AttentionInputs) -> jax.Array | None:
    return None if inputs.dropout_seeds_BH2 is None else inputs.dropout_seeds_BH2[:, None]


def _no_gradients(k_BSKD: jax.Array, dtype: jnp.dtype, columns: Keys | None) -> KeyGradients:
    zeros = jnp.zeros(k_BSKD.shape, dtype)
    if columns is None:
        return KeyGradients(zeros, zeros)
    column_zeros = jnp.zeros(columns.k_BSKD.shape, dtype)
    return KeyGradients(zeros, zeros, column_zeros, column_zeros)
