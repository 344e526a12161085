"""I7 and I12 over whole histories: many tasks in flight, and the rules and the oracle stay equal to the bit."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.consensus.digest import compute_digest
from tests.consensus.histories import History, make_world
from tests.consensus.strategies import params
from tests.consensus.twin import Twin, assert_sound

SHAPES = [(2, 3), (3, 4), (5, 7), (5, 15)]
COVERED = {
    *(f"reason {code}" for code in range(6)),
    "opened",
    "opened without seats",
    "audited",
    "jailed",
    "equivocation",
    "upheld",
    "overturned by audit",
    "overturned by challenge",
    "truth never came",
}


def play(seed: int, blocks: int, changes: dict | None = None, seats: tuple[int, int] | None = None) -> History:
    """A history of `blocks` blocks; I1, I2 and I3 are checked after each."""
    rng = random.Random(seed)
    twin = Twin(make_world(rng, rng.choice([4, 8, 8, 12]), changes))
    history = History(twin, seed, *(seats or rng.choice(SHAPES)))
    burned = 0
    for _ in range(blocks):
        history.play_block()
        assert_sound(twin.world)
        assert twin.world["network"]["burned_micro"] >= burned, "I3: burned tokens came back"
        burned = twin.world["network"]["burned_micro"]
    return history


def test_histories_agree_and_cover_everything_that_can_happen() -> None:
    happened: Counter[str] = Counter()
    for seed in range(16):
        happened.update(play(seed, blocks=25).tally)
    assert not COVERED - set(happened), f"the histories no longer show: {COVERED - set(happened)}"


@settings(max_examples=15)
@given(st.integers(0, 2**32), params(5, 15))
def test_histories_agree_under_any_parameters(seed: int, changes: dict) -> None:
    play(seed, blocks=10, changes=changes)


def test_the_same_history_gives_the_same_digest() -> None:
    digests = [compute_digest(twin.network, twin.nodes) for twin in (play(5, 12).twin, play(5, 12).twin)]
    assert digests[0] == digests[1]
    assert digests[0] != compute_digest(*(lambda twin: (twin.network, twin.nodes))(play(6, 12).twin))


@pytest.mark.slow
@settings(max_examples=300)
@given(st.integers(0, 2**32), params(5, 15))
def test_long_histories_agree_under_any_parameters(seed: int, changes: dict) -> None:
    play(seed, blocks=40, changes=changes)
