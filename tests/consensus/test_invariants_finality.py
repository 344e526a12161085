"""I8 and R12: with less than a third of the stake Byzantine, two conflicting blocks are never both final.

Exhaustive for up to seven nodes: every node is Byzantine (signs both blocks), or honest and signs the one or the other.
An honest node that signs neither only makes finality harder. Stakes are all multisets of small integers, which covers
every way in which a few nodes can be near a third.
"""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from consensus.rules.finality import is_final

ROLES = 3  # 0 Byzantine, 1 honest for block A, 2 honest for block B


def every_assignment(nodes: int) -> np.ndarray:
    """[3^n, n]: each node's role in every combination."""
    codes = np.arange(ROLES**nodes)[:, None]
    return codes // ROLES ** np.arange(nodes)[None, :] % ROLES


def conflicting_finals(stake: np.ndarray, role: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Byzantine stake, whether both blocks are final) for every assignment."""
    total = np.asarray(stake.sum())
    byzantine = (stake * (role == 0)).sum(axis=1)
    signed_A, signed_B = (byzantine + (stake * (role == block)).sum(axis=1) for block in (1, 2))
    return byzantine, np.asarray(is_final(signed_A, total)).astype(bool) & is_final(signed_B, total).astype(bool)


@pytest.mark.parametrize("nodes", range(1, 8))
def test_below_a_third_no_two_blocks_are_final(nodes: int) -> None:
    role = every_assignment(nodes)
    seen_conflict = False
    for stake in combinations_with_replacement(range(1, 5), nodes):
        byzantine, conflict = conflicting_finals(np.asarray(stake), role)
        assert not np.any(conflict & (3 * byzantine <= sum(stake))), f"stakes {stake}"
        seen_conflict |= bool(np.any(conflict))
    assert seen_conflict, "above a third a conflict is possible: a test that never sees one proves nothing"


@pytest.mark.parametrize(
    ("signed", "total", "final"),
    [(2, 3, False), (3, 3, True), (66, 100, False), (67, 100, True), (0, 0, False), (0, 1, False)],
)
def test_strictly_more_than_two_thirds(signed: int, total: int, final: bool) -> None:
    assert bool(is_final(np.asarray(signed), np.asarray(total))) is final


def test_the_whole_supply_does_not_overflow() -> None:
    total = 10**15
    assert bool(is_final(np.asarray(total), np.asarray(total)))
    assert not bool(is_final(np.asarray(2 * (total // 3)), np.asarray(total)))
