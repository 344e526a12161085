"""I5: given the seats, nothing depends on the order of nodes, of seats, or of candidates.

Every step of recorded histories is played again with nodes, seats or candidates renumbered; the result must be the old
one renumbered. Drawing seats (`open_task`) is the one place where order counts, and is left out.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from consensus.state import Network, Nodes, Outcome, Params, Payments, Round
from tests.consensus import bridge
from tests.consensus.histories import History, make_world
from tests.consensus.twin import STEPS, RecordingTwin, call_rule

INDEX_ARGUMENTS = ("payer", "proposer", "node", "sender", "receiver", "offender", "finder", "challenger")
SEEDS = range(3)


@pytest.fixture(scope="module")
def recorded() -> list[tuple[Params, Any]]:
    """Steps of three histories, as (params, (rule, network, nodes, arguments, results))."""
    steps = []
    for seed in SEEDS:
        twin = RecordingTwin(make_world(random.Random(seed), 9))
        history = History(twin, seed, 5, 7)
        for _ in range(20):
            history.play_block()
        steps += [(twin.params, step) for step in twin.recorded if step[0] != "open_task"]
    return steps


def renumber(index: np.ndarray, new_from_old: np.ndarray) -> np.ndarray:
    """Indices under a new numbering; -1 stays."""
    return np.where(index >= 0, new_from_old[index], -1)


def move_nodes(value: Any, old_from_new: np.ndarray) -> Any:
    """A state or a payment with its rows in another order."""
    new_from_old = np.argsort(old_from_new)
    if isinstance(value, Round):
        return value._replace(
            generator_G=renumber(value.generator_G, new_from_old),
            discriminator_D=renumber(value.discriminator_D, new_from_old),
        )
    if isinstance(value, Nodes | Payments):
        return type(value)(*(leaf[old_from_new] for leaf in value))
    return value


def move_arguments(arguments: dict[str, Any], old_from_new: np.ndarray) -> dict[str, Any]:
    """A rule's arguments for nodes in another order."""
    moved = {}
    for name, value in arguments.items():
        if name in INDEX_ARGUMENTS:
            moved[name] = renumber(value, np.argsort(old_from_new))
        else:
            moved[name] = value[old_from_new] if name.endswith("_N") else move_nodes(value, old_from_new)
    return moved


def test_permuting_nodes_permutes_the_result(recorded: list[tuple[Params, Any]]) -> None:
    rng = np.random.default_rng(0)
    for params, (name, network, nodes, arguments, results) in recorded:
        order = rng.permutation(len(nodes.liquid_micro_N))
        got = call_rule(STEPS[name], params, network, move_nodes(nodes, order), move_arguments(arguments, order))
        for mine, theirs in zip(got, results, strict=True):
            if isinstance(theirs, Network | Nodes | Outcome | Payments):
                bridge.assert_same(mine, move_nodes(theirs, order))
            else:
                np.testing.assert_array_equal(mine, theirs[order], err_msg=name)


def permute_seats(round: Round, order_G: np.ndarray, order_D: np.ndarray) -> Round:
    """The same round with its seats in another order."""
    return round._replace(
        **{name: getattr(round, name)[order_G] for name in Round._fields if name.endswith("_G")},
        **{name: getattr(round, name)[order_D] for name in Round._fields if name.endswith(("_D", "_DC"))},
    )


def reorder_outcome(outcome: Outcome, order_G: np.ndarray, order_D: np.ndarray) -> Outcome:
    """The same outcome with its seats in another order."""
    return outcome._replace(
        generator_evidence_q12_G=outcome.generator_evidence_q12_G[order_G],
        discriminator_evidence_q12_DC=outcome.discriminator_evidence_q12_DC[order_D],
    )


def relabel_candidates(round: Round, order_C: np.ndarray) -> Round:
    """The same round with candidate order_C[j] called j."""
    return round._replace(
        answer_G=renumber(round.answer_G, np.argsort(order_C)),
        verdict_q16_DC=round.verdict_q16_DC[:, order_C],
        evidence_DC=round.evidence_DC[:, order_C],
    )


def relabel_outcome(outcome: Outcome, order_C: np.ndarray) -> Outcome:
    """The same outcome with candidate order_C[j] called j."""
    new_from_old = np.argsort(order_C)
    return outcome._replace(
        accepted=renumber(outcome.accepted, new_from_old),
        drawn=renumber(outcome.drawn, new_from_old),
        score_q12_C=outcome.score_q12_C[order_C],
        generator_score_q12_C=outcome.generator_score_q12_C[order_C],
        discriminator_score_q12_C=outcome.discriminator_score_q12_C[order_C],
        discriminator_evidence_q12_DC=outcome.discriminator_evidence_q12_DC[:, order_C],
    )


def assert_unmoved(
    recorded: list[tuple[Params, Any]], change: Callable[[Round], tuple[Round, Callable[[Outcome], Outcome], Any]]
) -> None:
    """Settle and audit changed rounds; state and payments must stay, the outcome changes as `change` says.

    The candidate that verdicts are scored on is drawn by seat number, so it is compared only through its audit.
    """
    compared = 0
    for params, (name, network, nodes, arguments, results) in recorded:
        if name not in ("settle_task", "settle_audit"):
            continue
        round, change_outcome, order_C = change(arguments["round"])
        changed = {**arguments, "round": round}
        if name == "settle_audit":
            changed |= {"outcome": change_outcome(arguments["outcome"]), "truth_C": arguments["truth_C"][order_C]}
        for mine, theirs in zip(call_rule(STEPS[name], params, network, nodes, changed), results, strict=True):
            expected = change_outcome(theirs) if isinstance(theirs, Outcome) else theirs
            if isinstance(theirs, Outcome):
                mine = mine._replace(drawn=expected.drawn)
            bridge.assert_same(mine, expected)
        compared += 1
    assert compared > 50


def test_permuting_seats_changes_nothing(recorded: list[tuple[Params, Any]]) -> None:
    rng = np.random.default_rng(1)

    def change(round: Round) -> tuple[Round, Callable[[Outcome], Outcome], Any]:
        order_G, order_D = rng.permutation(len(round.generator_G)), rng.permutation(len(round.discriminator_D))
        everything = np.arange(len(round.generator_G))
        return permute_seats(round, order_G, order_D), lambda out: reorder_outcome(out, order_G, order_D), everything

    assert_unmoved(recorded, change)


def test_renumbering_candidates_renumbers_the_outcome(recorded: list[tuple[Params, Any]]) -> None:
    rng = np.random.default_rng(2)

    def change(round: Round) -> tuple[Round, Callable[[Outcome], Outcome], Any]:
        order_C = rng.permutation(len(round.generator_G))
        return relabel_candidates(round, order_C), lambda out: relabel_outcome(out, order_C), order_C

    assert_unmoved(recorded, change)
