"""summary.json: the run in figures, computed from the ledger's events and the models' own answers."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from consensus.ledger.equality import Equality, canonical
from consensus.units import MICRO
from train.facts import is_held_out_subject

from .cast import Member
from .history import History, Task
from .scoring import Pick, Score, Vote, keep_best_ranked, pick_plurality, score_accepted

NodeAnswers = Mapping[str, Mapping[str, Vote]]  # honest generator node -> question -> what its model answers


def normalise(text: str) -> str:
    """The demo's equality of answers, that of the ledger's text class."""
    return canonical(Equality.TEXT, text)


class Rivals(NamedTuple):
    """Each decision-maker's picks on the questions about taught subjects, and which it keeps at equal coverage."""

    truths: list[str]
    texts: list[str]  # the questions
    picks: dict[str, list[Pick]]  # "consensus", "majority", "best_node", "all_nodes_majority"
    kept: dict[str, list[int]]
    best_node: str  # the honest node with the best accuracy over all these questions

    def score(self, kind: str) -> Score:
        """How one of them did."""
        return score_accepted(self.picks[kind], self.kept[kind], self.truths, normalise)


def compare(history: History, answers: NodeAnswers, cheats: Container[bytes]) -> Rivals:
    """Return the network beside its rivals.

    `all_nodes_majority` counts one vote of every honest node, seated or not, and of a cheat where it sat.
    """
    tasks = [task for task in history.tasks if task.question.taught]
    truths = [task.question.truth for task in tasks]
    nodes = {name: [votes[task.question.text] for task in tasks] for name, votes in answers.items()}
    right = {
        name: sum(normalise(vote.text) == normalise(truth) for vote, truth in zip(votes, truths, strict=True))
        for name, votes in nodes.items()
    }
    accepted = [index for index, task in enumerate(tasks) if task.settled.accepted >= 0]

    def strength(name: str) -> tuple[int, int]:
        """Most right answers; among equals the one that does best at the network's coverage."""
        picks = [Pick(vote.text, (vote.confidence,)) for vote in nodes[name]]
        return right[name], -score_accepted(
            picks, keep_best_ranked(picks, len(accepted)), truths, normalise
        ).wrong_accepted

    best = max(sorted(right), key=strength)
    picks = {
        "consensus": [pick_of_network(task) for task in tasks],
        "majority": [pick_plurality(seat_votes(task), normalise) for task in tasks],
        "best_node": [Pick(vote.text, (vote.confidence,)) for vote in nodes[best]],
        "all_nodes_majority": [
            pick_plurality([row[index] for row in nodes.values()] + cheat_votes(task, cheats), normalise)
            for index, task in enumerate(tasks)
        ],
    }
    kept = {kind: keep_best_ranked(row, len(accepted)) for kind, row in picks.items()}
    kept["consensus"] = accepted
    return Rivals(truths, [task.question.text for task in tasks], picks, kept, best)


def pick_of_network(task: Task) -> Pick:
    """The candidate with the best score, ranked by what decided: accepted first, then its margin over the threshold."""
    settled = task.settled
    if not settled.candidates:
        return Pick(None, (0.0, 0.0))
    best = max(range(len(settled.candidates)), key=lambda j: settled.score_q12[j])
    chosen = settled.accepted if settled.accepted >= 0 else best
    return Pick(settled.candidates[chosen], (float(settled.accepted >= 0), settled.margin_q12 - settled.tau_q12))


def seat_votes(task: Task) -> list[Vote]:
    """One vote a revealed generator seat, as the network saw them."""
    return [
        Vote(line.text, line.confidence_q16 / 65536)
        for line in task.settled.answers
        if line.candidate >= 0
        for _ in range(line.seats)
    ]


def cheat_votes(task: Task, cheats: Container[bytes]) -> list[Vote]:
    """What the nodes with the keys `cheats` revealed in a task, one vote each."""
    lines = [line for line in task.settled.answers if line.candidate >= 0 and line.key in cheats]
    return [Vote(line.text, line.confidence_q16 / 65536) for line in lines]


def count_outcomes(tasks: Sequence[Task]) -> dict[str, int]:
    """How these questions ended."""
    accepted = [task for task in tasks if task.settled.accepted >= 0]
    right = sum(normalise(task.settled.accepted_text) == normalise(task.question.truth) for task in accepted)
    return {
        "asked": len(tasks),
        "abstained": len(tasks) - len(accepted),
        "accepted_right": right,
        "accepted_wrong": len(accepted) - right,
    }


def describe_nodes(
    history: History, cast: Sequence[Member], keys: Mapping[str, bytes], before_micro: Mapping[str, int], prior_q8: int
) -> list[dict[str, Any]]:
    """One row a node: what it is, what it owned before and after in tokens, and its reputation."""
    rows = []
    for member in cast:
        line = history.final[keys[member.name]]
        role = 0 if member.role == "generator" else 1
        good, bad = line.good_q8[role], line.bad_q8[role]
        rows.append(
            {
                "name": member.name,
                "role": member.role,
                "behaviour": member.behaviour,
                "model": member.model,
                "stake_before": before_micro[member.name] / MICRO,
                "stake_after": line.stake_micro / MICRO,
                "reputation": good / (good + bad + prior_q8),
                "beta": line.beta_q16[role] / 65536,
            }
        )
    return rows


def build_summary(history: History, rivals: Rivals, nodes: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    """Return the whole summary; `rest` is what the caller measured: hashes, seconds, versions, seeds."""
    audited = sum(task.settled.audit != "none" for task in history.tasks)
    errors = [block.supply_error_micro for block in history.blocks]
    return {
        **{kind: rivals.score(kind)._asdict() for kind in rivals.picks},
        "best_node_name": rivals.best_node,
        "unknown_subjects": count_outcomes([task for task in history.tasks if not task.question.taught]),
        # Subjects that no verifier was trained on: what the figures above owe to checking rather than to memory.
        "held_out_subjects": count_outcomes(
            [task for task in history.tasks if is_held_out_subject(task.question.subject)]
        ),
        "asked": len(history.tasks),
        "audit_rate": audited / len(history.tasks) if history.tasks else 0.0,
        "nodes": nodes,
        "supply_error_micro": max(errors, key=abs, default=0),
        "blocks": len(history.blocks),
        **rest,
    }


def per_question_rows(rivals: Rivals) -> list[dict[str, Any]]:
    """One row a question about a taught subject: what each kept and whether it was right, for paired statistics."""
    rows = []
    for index, (text, truth) in enumerate(zip(rivals.texts, rivals.truths, strict=True)):
        row: dict[str, Any] = {"question": text, "truth": truth}
        for kind, picks in rivals.picks.items():
            answer = picks[index].text or ""
            row[kind] = {
                "answer": answer,
                "accepted": index in rivals.kept[kind],
                "right": normalise(answer) == normalise(truth),
            }
        rows.append(row)
    return rows
