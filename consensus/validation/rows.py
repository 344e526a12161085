"""One line of the validation table."""

from math import inf, isnan
from typing import NamedTuple


class Row(NamedTuple):
    """A number, or a vector of numbers, that somebody else vouches for, and ours."""

    name: str  # what it is: "Condorcet's jury"
    given: str  # the input
    rule: str  # which of our code computed ours
    source: str  # who vouches for `published`
    published: tuple[float, ...]
    ours: tuple[float, ...]
    tolerance: float  # largest deviation of any number of the vector
    is_relative: bool = False  # the tolerance is a share of the published number

    def compute_deviation(self) -> float:
        """The largest deviation of ours from the published numbers, relative if the tolerance is; infinite for NaN.

        Raises ValueError if the vectors differ in length.

        >>> Row("", "", "", "", (4.0, 2.0), (5.0, 2.0), 0.1, is_relative=True).compute_deviation()
        0.25
        """
        off = [abs(our - theirs) for our, theirs in zip(self.ours, self.published, strict=True)]
        if self.is_relative:
            off = [distance / abs(theirs) for distance, theirs in zip(off, self.published, strict=True)]
        return max(inf if isnan(distance) else distance for distance in off)

    def is_within(self) -> bool:
        """The verdict: no number is further off than the tolerance."""
        return self.compute_deviation() <= self.tolerance
