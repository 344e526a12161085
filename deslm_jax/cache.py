"""What decoding reads at each step: the keys and values of places written before, and of the prompt.

Two kinds, one code. A full cache has a slot for every place. A ring has a slot for each of the first `decoder_globals`
places and `decoder_window` + 1 slots that later places take in turn: its size does not depend on how much is written.
Hypotheses of a beam never move in it: an owner table says whose slot a hypothesis reads, so following a parent copies
integers and no keys.

Positions come last in memory, [X,D,S]: every product is then over contiguous numbers. On a CPU one query over 2,048
keys takes a tenth of the time it takes in [B,S,K,D], which XLA turns round at each step. Rows and key heads are one
axis X: an axis of a single row XLA would strip, and copy the cache at each step to do so.
Shapes: B rows, N hypotheses, H query heads, K key heads, X = B * K, D channels a head, R slots, S keys, N * R in a
cache.
"""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp

from deslm_jax.config import GeneratorConfig

CacheKind = Literal["full", "ring"]
_MASKED = -1e30  # finite, so that a row with nothing to see gives numbers and not NaN


class Columns(NamedTuple):
    """Keys and values of one layer, positions last. In a cache position n * R + r is hypothesis n's slot r."""

    k_XDS: jax.Array
    v_XDS: jax.Array


class Cache(NamedTuple):
    """Places written so far."""

    layers: tuple[Columns, ...]  # one for each decoder layer
    position_R: jax.Array  # int32, the place each slot holds, -1 an empty slot
    owner_BNR: jax.Array | None  # int32, whose slot a hypothesis reads; None: there is one hypothesis


class Place(NamedTuple):
    """Where a step writes and what it may read: the same in every layer."""

    position: jax.Array  # int32 scalar, of the token read
    slot: jax.Array  # int32 scalar
    visible_BNS: jax.Array  # bool, [1,1,S] where there is one hypothesis


def empty_cache(cfg: GeneratorConfig, n_rows: int, length: int, n: int = 1, kind: CacheKind = "full") -> Cache:
    """Returns room for `length` places of `n` hypotheses a row, in the dtype the model computes in.

    A "ring" has decoder_globals + decoder_window + 1 slots where that is fewer; without a decoder_window every place
    stays visible and nothing can be forgotten: ValueError.
    """
    n_slots = length
    if kind == "ring":
        if cfg.decoder_window is None:
            raise ValueError('A "ring" cache needs a config with a decoder_window; use the "full" cache.')
        n_slots = min(length, cfg.decoder_globals + cfg.decoder_window + 1)
    zeros = jnp.zeros((n_rows * cfg.kv_heads, cfg.head_dim, n * n_slots), cfg.dtype)
    owner_1NR = jnp.arange(n, dtype=jnp.int32)[None, :, None]
    owner_BNR = None if n == 1 else jnp.broadcast_to(owner_1NR, (n_rows, n, n_slots))
    return Cache((Columns(zeros, zeros),) * cfg.decoder_layers, jnp.full((n_slots,), -1, jnp.int32), owner_BNR)


def claim(cache: Cache, cfg: GeneratorConfig, position: jax.Array) -> tuple[Cache, Place]:
    """Returns (`cache` with a slot given to `position`, in which every hypothesis writes its own; that place)."""
    n_slots, n_globals = cache.position_R.shape[0], cfg.decoder_globals
    ring = max(n_slots - n_globals, 1)
    slot = jnp.where(position < n_slots, position, n_globals + (position - n_globals) % ring)
    position_R = jax.lax.dynamic_update_index_in_dim(cache.position_R, position, slot, axis=0)
    visible_R = position_R >= 0
    if cfg.decoder_window is not None:
        visible_R &= (position_R >= position - cfg.decoder_window) | (position_R < n_globals)
    if cache.owner_BNR is None:
        return cache._replace(position_R=position_R), Place(position, slot, visible_R[None, None])
    rows, n, _ = cache.owner_BNR.shape
    index_N = jnp.arange(n, dtype=jnp.int32)
    own_BN1 = jnp.broadcast_to(index_N[None, :, None], (rows, n, 1))
    owner_BNR = jax.lax.dynamic_update_slice_in_dim(cache.owner_BNR, own_BN1, slot, axis=2)
    visible_BNNR = (owner_BNR[:, :, None] == index_N[None, None, :, None]) & visible_R[None, None, None]
    visible_BNS = jnp.reshape(visible_BNNR, (rows, n, n * n_slots))
    return cache._replace(position_R=position_R, owner_BNR=owner_BNR), Place(position, slot, visible_BNS)


def columns_of(k_BSKD: jax.Array, v_BSKD: jax.Array) -> Columns:
    """Returns a sequence's keys and values as decoding steps read them."""
    rows, length, heads, width = k_BSKD.shape
    turn = lambda x_BSKD: jnp.reshape(jnp.transpose(x_BSKD, (0, 2, 3, 1)), (rows * heads, width, length))
    return Columns(turn(k_BSKD), turn(v_BSKD))


def put(columns: Columns, k_BNKD: jax.Array, v_BNKD: jax.Array, slot: jax.Array) -> Columns:
    """Returns the layer's columns with each hypothesis's new key and value in `slot`."""
    n = k_BNKD.shape[1]

    def write(all_XDS: jax.Array, new_XDN: jax.Array) -> jax.Array:
        split_XDNR = jnp.reshape(all_XDS, (*all_XDS.shape[:2], n, -1))
        new_XDN1 = new_XDN[..., None].astype(all_XDS.dtype)
        return jnp.reshape(jax.lax.dynamic_update_slice_in_dim(split_XDNR, new_XDN1, slot, axis=3), all_XDS.shape)

    return Columns(*map(write, columns, columns_of(k_BNKD, v_BNKD)))


def follow(cache: Cache, parent_BN: jax.Array) -> Cache:
    """Returns the cache as the children read it: hypothesis n continues hypothesis `parent_BN[b, n]`."""
    if cache.owner_BNR is None:
        return cache
    return cache._replace(owner_BNR=jnp.take_along_axis(cache.owner_BNR, parent_BN[..., None], axis=1))


def attend_columns(q_BNHD: jax.Array, columns: Columns, visible_BNS: jax.Array) -> jax.Array:
    """Returns softmax attention of the queries over the columns, [B,N,H,D]; `visible_BNS` bool, broadcast.

    Query head h uses key head h*K//H. Scores and softmax are float32.
    """
    rows, n, heads, width = q_BNHD.shape
    key_heads = columns.k_XDS.shape[0] // rows
    shared = heads // key_heads  # query heads C that share a key head: rows Q = C * N of one product
    q_BNKCD = jnp.reshape(q_BNHD * width**-0.5, (rows, n, key_heads, shared, width))
    q_XQD = jnp.reshape(jnp.transpose(q_BNKCD, (0, 2, 3, 1, 4)), (rows * key_heads, shared * n, width))
    scores_XQS = jnp.einsum("XQD,XDS->XQS", q_XQD, columns.k_XDS, preferred_element_type=jnp.float32)
    visible_BQS = jnp.tile(visible_BNS, (1, shared, 1)) if visible_BNS.shape[1] > 1 else visible_BNS
    scores_BKQS = jnp.reshape(scores_XQS, (rows, key_heads, *scores_XQS.shape[1:]))
    scores_BKQS = jnp.where(visible_BQS[:, None], scores_BKQS, _MASKED)
    weights_BKQS = jnp.exp(scores_BKQS - jnp.max(scores_BKQS, axis=-1, keepdims=True))
    total_XQ1 = jnp.reshape(jnp.sum(weights_BKQS, axis=-1), (*scores_XQS.shape[:2], 1))
    weights_XQS = jnp.reshape(weights_BKQS, scores_XQS.shape).astype(q_BNHD.dtype)
    mixed_XQD = jnp.einsum("XQS,XDS->XQD", weights_XQS, columns.v_XDS, preferred_element_type=jnp.float32)
    # Divided last: D numbers a query and not S, which saves a pass over the weights.
    mixed_XQD = (mixed_XQD / total_XQ1).astype(q_BNHD.dtype)
    mixed_BKCND = jnp.reshape(mixed_XQD, (rows, key_heads, shared, n, width))
    return jnp.reshape(jnp.transpose(mixed_BKCND, (0, 3, 1, 2, 4)), q_BNHD.shape)
