"""Refuse a `ReportData` that would draw a wrong or broken page, with one sentence that names the fault."""

import math
from collections import Counter
from collections.abc import Iterator

from .data import Node, ReportData, Round


def check_report_data(data: ReportData) -> None:
    """Return if the page can be drawn from `data`.

    Raises:
      ValueError: the first fault found, by round or node: a repeated number or name, an index out of range, a
        probability outside [0, 1], counts that do not add up.
    """
    for fault in _faults(data):
        raise ValueError(f"the report's data are wrong: {fault}")


def _faults(data: ReportData) -> Iterator[str]:
    if sum(score.kind == "consensus" for score in data.scores) != 1:
        yield "there must be exactly one score of kind consensus"
    for score in data.scores:
        if not 0 <= score.wrong_accepted <= score.accepted <= score.asked:
            yield f"the score of {score.label} has more wrong than accepted or more accepted than asked"
    unknown = data.unknown
    if unknown.abstained + unknown.accepted_right + unknown.accepted_wrong != unknown.asked:
        yield "the questions about unknown subjects do not add up"
    for name, count in Counter(node.name for node in data.nodes).items():
        if count > 1:
            yield f"{count} nodes are called {name}"
    for number, count in Counter(played.number for played in data.rounds).items():
        if count > 1:
            yield f"{count} rounds have the number {number}"
    for node in data.nodes:
        yield from (f"node {node.name} {fault}" for fault in _node_faults(node))
    names = {node.name for node in data.nodes}
    for played in data.rounds:
        yield from (f"round {played.number} {fault}" for fault in _round_faults(played, names))


def _node_faults(node: Node) -> Iterator[str]:
    for label, series in (("stake", node.stake), ("reputation", node.reputation)):
        heights = [height for height, _ in series]
        if heights != sorted(set(heights)):
            yield f"has {label} heights that do not rise"
    if not all(0 <= value <= 1 for _, value in node.reputation):
        yield "has a reputation outside [0, 1]"


def _round_faults(played: Round, names: set[str]) -> Iterator[str]:
    mentioned = {seat.node for seat in played.generators} | {seat.node for seat in played.discriminators}
    strangers = (mentioned | {payment.node for payment in played.payments}) - names
    if strangers:
        yield f"names {sorted(strangers)[0]}, which is none of the nodes"
    indices = [played.accepted, played.drawn, *(seat.answer for seat in played.generators)]
    indices += [verdict.candidate for seat in played.discriminators for verdict in seat.verdicts]
    if any(index is not None and not 0 <= index < len(played.candidates) for index in indices):
        yield f"points to a candidate that is not one of its {len(played.candidates)}"
    stated = [seat.confidence for seat in played.generators if seat.confidence is not None]
    stated += [verdict.p_fake for seat in played.discriminators for verdict in seat.verdicts]
    if not all(0 <= probability <= 1 for probability in (*stated, played.difficulty)):
        yield "has a probability outside [0, 1]"
    if not all(math.isfinite(value) for value in (played.margin, played.threshold, played.integral)):
        yield "has a margin or threshold that is not a number"
