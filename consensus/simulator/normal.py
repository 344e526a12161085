"""Gaussian draws in integers: a published table of quantiles, so that every machine draws the same bits.

`normal.json` holds 1,025 quantiles of the standard normal distribution in Q12, made by
`python -m consensus.simulator.normal > consensus/simulator/normal.json`; the two ends, which would be infinite, are
those of 1/2^17 (4.17 deviations).
"""

import json
from functools import cache
from importlib.resources import files
from statistics import NormalDist

import numpy as np

from consensus.simulator.draws import Key, draw_uint32
from consensus.units import Array, namespace


@cache
def get_table() -> np.ndarray:
    """The published quantiles [1025]."""
    table = np.array(
        json.loads(files("consensus.simulator").joinpath("normal.json").read_text("ascii")), dtype=np.int64
    )
    table.setflags(write=False)
    return table


def draw_normal_q12(key: Key, node: Array) -> Array:
    """A standard normal number in Q12 for each node id, within 4.17 deviations."""
    position = draw_uint32(key, node).astype(namespace(node).int64)
    return _interpolate(position, 22)


def quantile_q12(probability_q16: Array) -> Array:
    """The number in Q12 that a standard normal one is below with this probability, 0 to 65,536.

    >>> int(quantile_q12(np.int64(32768)))
    0
    """
    return _interpolate(probability_q16, 6)


def square_root_q16(x_q16: Array) -> Array:
    """floor(sqrt(x) in Q16) for 0 <= x <= 1 in Q16, bit after bit.

    >>> int(square_root_q16(np.int64(16384)))
    32768
    """
    xp = namespace(x_q16)
    root = xp.zeros_like(x_q16)
    for bit in range(16, -1, -1):
        tried = root + (1 << bit)
        root = xp.where(tried * tried <= x_q16 << 16, tried, root)
    return root


def _interpolate(position: Array, bits: int) -> Array:
    """Between table entries 2^bits apart; the last interval is closed."""
    xp = namespace(position)
    table = xp.asarray(get_table())
    index = xp.minimum(position >> bits, 1023)
    low = table[index]
    return low + (((table[index + 1] - low) * (position - (index << bits))) >> bits)


def make_table() -> list[int]:
    """The quantiles at i/1024."""
    normal = NormalDist()
    edge = normal.inv_cdf(2.0**-17)
    inner = [normal.inv_cdf(i / 1024) for i in range(1, 1024)]
    return [round(4096 * z) for z in (edge, *inner, -edge)]


if __name__ == "__main__":
    print(json.dumps(make_table()))
