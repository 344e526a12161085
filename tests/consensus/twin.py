"""One world played twice: by the rules on int64 arrays and by the oracle on Python ints, compared after every step."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from consensus.rules import challenge, settle, slash, stake
from consensus.state import Network, Nodes, Outcome, Params, Payments, Round
from tests.consensus import bridge, oracle

STEPS: dict[str, Callable[..., Any]] = {
    rule.__name__: rule
    for rule in (
        settle.open_task,
        settle.settle_task,
        settle.settle_audit,
        settle.unlock_wagers,
        settle.end_block,
        challenge.release_escrow,
        challenge.open_challenge,
        challenge.overturn,
        challenge.uphold,
        slash.slash,
        slash.slash_equivocation,
        slash.equivocation_penalty,
        stake.bond,
        stake.unbond,
        stake.transfer,
    )
}
TUPLES = {"round": Round, "outcome": Outcome}
Recorded = tuple[str, Network, Nodes, dict[str, Any], tuple]  # rule, state before it, arguments, results


def to_array(name: str, value: Any) -> Any:
    """An oracle's argument as the rules take it."""
    return bridge.from_dict(TUPLES[name], value) if name in TUPLES else bridge.read_only(value)


def rule_arguments(plain: dict[str, Any]) -> dict[str, Any]:
    """A step's plain arguments as the rules take them."""
    return {name: to_array(name, value) for name, value in plain.items()}


def call_rule(
    rule: Callable[..., Any], params: Params, network: Network, nodes: Nodes, arguments: dict[str, Any]
) -> tuple:
    """Call a rule by keyword with what it takes of the state; its result as a tuple."""
    state = {"params": params, "network": network, "nodes": nodes}
    taken = {name: value for name, value in state.items() if name in inspect.signature(rule).parameters}
    result = rule(**taken, **arguments)
    return result if type(result) is tuple else (result,)


def play_oracle(world: dict[str, Any], name: str, plain: dict[str, Any]) -> list[Any]:
    """Run the oracle in place; what it returned besides the world, as a list of plain values."""
    returned = getattr(oracle, name)(world, **copy.deepcopy(plain))
    if returned is None:
        return []
    return list(returned) if isinstance(returned, tuple) else [returned]


class Twin:
    """Holds both sides. `step` plays one rule on both and fails on the first leaf that differs."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = copy.deepcopy(world)
        self.params = bridge.from_dict(Params, world["params"])
        self.network, self.nodes = bridge.world_to_state(world)
        self.results: tuple = ()

    def step(self, name: str, **plain: Any) -> Any:
        """Play rule `name`; returns the oracle's plain result (None, one value, or a tuple).

        Goes on from the oracle's state: it is the same, and its arrays are read-only.
        """
        expected = play_oracle(self.world, name, plain)
        before = [leaf.tobytes() for leaf in (*self.params, *self.network, *self.nodes)]
        self.results = call_rule(STEPS[name], self.params, self.network, self.nodes, rule_arguments(plain))
        # Read-only arrays do not stop `numpy.add.at`.
        after = [leaf.tobytes() for leaf in (*self.params, *self.network, *self.nodes)]
        assert before == after, f"{name} changed its input in place"
        network, nodes = bridge.world_to_state(self.world)
        extras = []
        for result in self.results:
            if isinstance(result, Network):
                bridge.assert_same(result, network)
                self.network = network
            elif isinstance(result, Nodes):
                bridge.assert_same(result, nodes)
                self.nodes = nodes
            else:
                extras.append(result)
        # A rule that does not return the network must not have moved it on the other side either.
        bridge.assert_same(self.network, network)
        bridge.assert_same(self.nodes, nodes)
        assert len(extras) == len(expected), f"{name} returned {len(extras)} further values, the oracle {len(expected)}"
        for mine, theirs in zip(extras, expected, strict=True):
            if isinstance(mine, Round | Outcome | Payments):
                bridge.assert_same(mine, bridge.from_dict(type(mine), theirs))
            else:
                assert np.asarray(mine).tolist() == theirs, f"{name}: {np.asarray(mine).tolist()} != {theirs}"
        if not expected:
            return None
        return expected[0] if len(expected) == 1 else tuple(expected)


class RecordingTwin(Twin):
    """A twin that also keeps the state before every step, and what NumPy made of it."""

    def __init__(self, world: dict[str, Any]) -> None:
        super().__init__(world)
        self.recorded: list[Recorded] = []

    def step(self, name: str, **plain: Any) -> Any:
        before = (name, self.network, self.nodes, rule_arguments(plain))
        result = super().step(name, **plain)
        self.recorded.append((*before, self.results))
        return result


def compute_supply(world: dict[str, Any]) -> int:
    """The left side of I1."""
    held = ("liquid_micro", "bonded_micro", "unbonding_micro", "escrow_micro")
    pools = ("treasury", "reserve", "burned", "purse", "task_escrow", "challenge_bonds")
    in_nodes = sum(node[name] for node in world["nodes"] for name in held)
    return in_nodes + sum(world["network"][f"{name}_micro"] for name in pools)


def assert_sound(world: dict[str, Any], supply: int = 10**15) -> None:
    """I1 and I2, and that locks and reserves stay within what they are part of."""
    assert compute_supply(world) == supply, "I1: supply is not conserved"
    for i, node in enumerate(world["nodes"]):
        for name, value in node.items():
            assert min(value if isinstance(value, list) else [value]) >= 0, f"I2: node {i} has {name} {value}"
        assert node["locked_micro"] <= node["bonded_micro"], f"node {i} has more locked than bonded"
    for name, value in world["network"].items():
        assert value >= 0 or name == "integral_q12", f"I2: the network has {name} {value}"
    assert world["network"]["purse_reserved_micro"] <= world["network"]["purse_micro"], "the house cannot pay"
