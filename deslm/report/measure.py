"""Calibration from a list of statements, in plain Python."""

from collections.abc import Iterable

from .data import Bin, Reliability


def reliability(label: str, statements: Iterable[tuple[float, bool]], *, bins: int = 10) -> Reliability:
    """Return the reliability diagram of (stated probability, came true) pairs over bins of equal width.

    The expected calibration error is the mean over statements of |mean stated - observed| of their bin (Guo et al.
    2017); empty bins are left out.

    >>> reliability("confidences", [(.75, True), (.75, False)], bins=2)
    Reliability(label='confidences', bins=(Bin(stated=0.75, observed=0.5, size=2),), ece=0.25)
    """
    members: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for stated, is_true in statements:
        if not 0 <= stated <= 1:
            raise ValueError(f"{label}: {stated} is not a probability")
        members[min(int(stated * bins), bins - 1)].append((stated, is_true))
    filled = tuple(
        Bin(sum(stated for stated, _ in pairs) / len(pairs), sum(true for _, true in pairs) / len(pairs), len(pairs))
        for pairs in members
        if pairs
    )
    total = sum(each.size for each in filled)
    ece = sum(each.size * abs(each.stated - each.observed) for each in filled) / total if total else 0.0
    return Reliability(label, filled, ece)
