"""Curves and calibration from lists of outcomes, in plain Python: what a run needs to fill its `ReportData`."""

from collections.abc import Iterable

from .data import Bin, Point, Reliability


def coverage_curve(answers: Iterable[tuple[float, bool]], asked: int, *, most_points: int = 200) -> tuple[Point, ...]:
    """Return accuracy against coverage as a threshold on the score falls.

    Args:
      answers: (score, right) of every answered question; a higher score is accepted earlier. Equal scores are accepted
        together, since no threshold can part them.
      asked: questions asked, answered or not.
      most_points: about how many points to keep; the first and the last always stay.

    Raises:
      ValueError: if more questions are answered than were asked.

    >>> coverage_curve([(.9, True), (.5, False)], asked=4)
    (Point(coverage=0.25, accuracy=1.0), Point(coverage=0.5, accuracy=0.5))
    """
    ranked = sorted(answers, key=lambda answer: -answer[0])
    if len(ranked) > asked:
        raise ValueError(f"{len(ranked)} answers to {asked} questions; count each question once")
    points, right = [], 0
    for count, (score, is_right) in enumerate(ranked, start=1):
        right += is_right
        if count == len(ranked) or ranked[count][0] != score:
            points.append(Point(count / asked, right / count))
    stride = -(-len(points) // most_points) if points else 1
    return tuple(point for index, point in enumerate(points) if index % stride == 0 or index == len(points) - 1)


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
