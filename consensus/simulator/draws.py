"""Random numbers without a state: a hash of (seed, round, stream, node).

A node's draw depends on nothing else, so it is the same on NumPy and JAX, under jit and vmap, on one device or
eight, and whether the arrays are padded, reordered or cut in slices. A key costs a few scalar operations, a draw two
multiplications of 32 bits (about a nanosecond a node on one core; JAX's threefry takes six).

    key = make_key(seed, round, STREAM_ANSWER)        # one scalar key a round and purpose
    is_right_N = draw_q16(key, node_N) < skill_q16_N

Two keys give unrelated draws. Under one key no draw of 32 bits comes twice: the hash is a permutation of the nodes,
which a sample much smaller than 2^32 cannot tell from chance. For simulation only: it keeps no secrets.
"""

from typing import Any, NamedTuple

import numpy as np

from consensus.units import Array, namespace

_ADD_FIRST, _ADD_SECOND = np.uint32(0x9E3779B9), np.uint32(0x7F4A7C15)  # two unrelated starts: 2^32/phi and its tail
_MULTIPLY_1, _MULTIPLY_2 = np.uint32(0x21F0AAAD), np.uint32(0xD35A2D97)  # from C. Wellons' search for low bias


class Key(NamedTuple):
    """64 bits that name one purpose in one round of one run. Scalars, or arrays that broadcast against the nodes."""

    first: Array  # uint32
    second: Array  # uint32


def make_key(seed: Array, round: Array, stream: Array = 0) -> Key:
    """The key of one (seed, round, stream); arrays of one shape or scalars, from which the array module is taken.

    At least one argument must be an array; integers of any width, 0 to 2^63 - 1.

    >>> [hex(word) for word in make_key(np.int64(7), 0)]
    ['0x5b197e82', '0xe6171ab5']
    """
    xp = namespace(next(x for x in (seed, round, stream) if hasattr(x, "__array_namespace__")))
    first, second = xp.asarray(_ADD_FIRST), xp.asarray(_ADD_SECOND)
    for value in (seed, round, stream):
        for word in _words(xp, value):
            first, second = _mix(xp, first ^ word), _mix(xp, xp.add(xp.multiply(second, _MULTIPLY_1), word))
    return Key(first, second)


def draw_uint32(key: Key, node: Array) -> Array:
    """32 random bits (uint32) for each node id, in the shape of `node`; ids are taken modulo 2^32."""
    xp = namespace(node)
    x = xp.add(node.astype(xp.uint32), key.first)
    x = xp.multiply(x ^ (x >> np.uint32(16)), _MULTIPLY_1)
    x = xp.add(x ^ (x >> np.uint32(15)), key.second)
    x = xp.multiply(x ^ (x >> np.uint32(15)), _MULTIPLY_2)
    return x ^ (x >> np.uint32(15))


def draw_q16(key: Key, node: Array) -> Array:
    """A uniform number 0 to 65,535 (int64) for each node id: below p with chance p / 65,536.

    The other half of the same 32 bits is `draw_uint32(key, node) & 65535`, and independent.
    """
    return (draw_uint32(key, node) >> np.uint32(16)).astype(namespace(node).int64)


def draw_bytes(key: Key, row_S: Array) -> Array:
    """16 random bytes for each row [S,16], int64 0 to 255: beacon draws as `rules.settle.open_task` takes them.

    Row r reads the words 4 r to 4 r + 3 of the key, so the key must serve nothing else.
    """
    xp = namespace(row_S)
    word_S4 = draw_uint32(key, (row_S[:, None] << 2) + xp.arange(4, dtype=row_S.dtype)[None, :])
    shift_4 = xp.asarray(np.array([24, 16, 8, 0], dtype=np.uint32))
    byte_S44 = (word_S4[:, :, None] >> shift_4[None, None, :]) & np.uint32(255)
    return xp.reshape(byte_S44, (row_S.shape[0], 16)).astype(xp.int64)


def _words(xp: Any, value: Array) -> tuple[Array, Array]:
    """The low and the high 32 bits of an integer."""
    value = xp.asarray(value)
    low = value.astype(xp.uint32)
    if value.dtype.itemsize < 8:
        return low, xp.zeros_like(low)
    return low, (value >> 32).astype(xp.uint32)


def _mix(xp: Any, x: Array) -> Array:
    """A bijection of 32 bits in which every input bit moves every output bit with a chance near 1/2."""
    x = xp.multiply(x ^ (x >> np.uint32(16)), _MULTIPLY_1)
    x = xp.multiply(x ^ (x >> np.uint32(15)), _MULTIPLY_2)
    return x ^ (x >> np.uint32(15))
