"""R12: Byzantine fault tolerance needs strictly more than two thirds of the bonded power."""

from consensus.units import Array


def is_final(signed_micro: Array, total_micro: Array) -> Array:
    """True if 3 x signed > 2 x total: exactly two thirds are not enough.

    >>> is_final(2, 3), is_final(67, 100)
    (False, True)
    """
    return 3 * signed_micro > 2 * total_micro
