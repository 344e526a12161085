"""Frozen rounds (`tests/consensus/vectors/README.md`): rules and oracle still give these bits."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.consensus import bridge
from tests.consensus.digest import compute_digest
from tests.consensus.twin import Twin

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))
REASONS = range(6)


def load(path: Path) -> dict[str, Any]:
    """A vector as plain values."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_frozen_round_gives_the_frozen_bits(path: Path) -> None:
    vector = load(path)
    twin = Twin({"params": vector["params"], **vector["pre"]})
    for number, step in enumerate(vector["round"]):
        returned = twin.step(step["step"], **step["arguments"])
        listed = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
        assert listed == step["returned"], f"step {number}, {step['step']}: what it returns has changed"
        digest = compute_digest(twin.network, twin.nodes)
        assert digest == step["digest"], f"step {number}, {step['step']}: the state after it has changed"
    network, nodes = bridge.world_to_state(vector["post"])
    bridge.assert_same(twin.network, network)
    bridge.assert_same(twin.nodes, nodes)
    assert compute_digest(twin.network, twin.nodes) == vector["digest"]


def test_the_vectors_cover_every_decision() -> None:
    steps = [step for path in VECTORS for step in load(path)["round"]]
    reasons = {step["returned"][0]["reason"] for step in steps if step["step"] == "settle_task"}
    assert reasons == set(REASONS)
    assert len({step["step"] for step in steps}) == 15
