"""What the whole protocol adds to a direct call of a trained model, on the same prompts, by turns.

A finished demo's network (its cast, keys and trained models) around a new ledger. For each prompt one generator is
called directly; then the network is asked and stepped, block after block without a pause, until it has decided. Both
take one question at a time, and neither has seen it before. Wall seconds on one core, where all the models and nodes
take their turns: on machines of their own they would work side by side, and wait for blocks and messages instead.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.quantiles import quantile
from consensus.engine.local import LocalEngine
from consensus.ledger.events import Settled
from consensus.node.asker import Asker, Question
from consensus.node.auditor import Auditor, CanaryAuthor
from consensus.node.driver import Driver
from deslm.compiler import configure
from deslm.demo.network import TIP_MICRO, Roles, make_demo_genesis, make_nodes

CANARY_EVERY = 5


class Turn(NamedTuple):
    """Seconds that one prompt took."""

    direct: float  # one generator, called alone
    direct_cpu: float
    whole: float  # from asking to the decision
    whole_cpu: float
    generators: float  # of it, in calls of generators
    discriminators: float  # of it, in calls of discriminators
    accepted: bool

    @property
    def rest(self) -> float:
        """Everything that is no model: signing, checking, executing, writing."""
        return self.whole - self.generators - self.discriminators


class Timed:
    """A role whose calls are timed."""

    def __init__(self, role: Any) -> None:
        self._role, self.seconds, self.calls = role, 0.0, 0

    def answer(self, questions: Sequence[str]) -> Any:
        """As the role's."""
        return self._time(self._role.answer, questions)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """As the role's."""
        return self._time(self._role.judge, pairs)

    def _time(self, call: Callable[[Any], Any], items: Any) -> Any:
        start = time.perf_counter()
        said = call(items)
        self.seconds, self.calls = self.seconds + time.perf_counter() - start, self.calls + 1
        return said


def measure_calls(run: Path, folder: Path, prompts: int, warm: int) -> dict[str, Any]:
    """Quantiles over `prompts` prompts of the run, after `warm` others; the new ledger goes into `folder`.

    Raises UserError if `run` holds no finished run, ValueError if it asked fewer questions.
    """
    if prompts < 1:
        raise ValueError(f"{prompts} prompts cannot be measured: choose 1 or more")
    configure(run)
    from deslm.demo.recall import recall
    from deslm_jax.roles import GeneratorRole

    company = recall(run)
    lines = (run / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    if len(rows) < prompts + warm:
        raise ValueError(f"{run} asked {len(rows)} questions: choose at most {len(rows) - warm} prompts")
    asked = [(row["question"], row["truth"]) for row in rows[: prompts + warm]]
    names = sorted(company.roles.generators)
    bare = GeneratorRole.from_bundle(run / "models" / names[0])
    fresh = {name: Timed(GeneratorRole.from_bundle(run / "models" / name)) for name in names}
    judges = {name: Timed(role) for name, role in company.roles.discriminators.items()}
    with open_network(folder, company, Roles(fresh, judges), asked) as driver:
        turns = [take_turn(bare, driver, fresh, judges, question) for question, _ in asked]
    return summarise(turns[warm:]) | {"generators": len(fresh), "discriminators": len(judges)}


@contextmanager
def open_network(folder: Path, company: Any, roles: Roles, asked: Sequence[tuple[str, str]]) -> Iterator[Driver]:
    """The run's cast around a new ledger, and an asker that puts one question at a time; closes the ledger."""
    truths = dict(asked)
    genesis, sequencer = make_demo_genesis(0, company.cast, company.keys), company.keys["sequencer"]
    questions = [
        Question(question, TIP_MICRO, 0, (truth,) if i % CANARY_EVERY == 0 else None)
        for i, (question, truth) in enumerate(asked)
    ]
    asker = Asker(company.keys["author"], questions, in_flight=1)
    staff = [
        asker,
        CanaryAuthor(company.keys["opener"], [asker]),
        Auditor(company.keys["auditor"], lambda prompt: (truths[prompt],)),
    ]
    nodes = make_nodes(company.cast, company.keys, roles, company.guesses)
    with LocalEngine.create(folder, genesis, sequencer) as engine:
        yield Driver(engine, [*nodes, *staff])


def take_turn(bare: Any, driver: Driver, generators: dict[str, Timed], judges: dict[str, Timed], question: str) -> Turn:
    """One prompt, directly and then through the network."""
    start, start_cpu = time.perf_counter(), time.process_time()
    bare.answer([question])
    middle, middle_cpu = time.perf_counter(), time.process_time()
    spent = lambda roles: sum(role.seconds for role in roles.values())
    before = spent(generators), spent(judges)
    while True:
        decided = [row for row in driver.step().events if isinstance(row, Settled) and row.prompt == question]
        if decided:
            end, end_cpu = time.perf_counter(), time.process_time()
            return Turn(
                direct=middle - start,
                direct_cpu=middle_cpu - start_cpu,
                whole=end - middle,
                whole_cpu=end_cpu - middle_cpu,
                generators=spent(generators) - before[0],
                discriminators=spent(judges) - before[1],
                accepted=decided[0].accepted >= 0,
            )


def summarise(turns: Sequence[Turn]) -> dict[str, Any]:
    """p50 and p99 in milliseconds of every part, and of what the whole adds to the direct call of the same prompt."""
    parts = {
        "direct call": [turn.direct for turn in turns],
        "whole protocol": [turn.whole for turn in turns],
        "added": [turn.whole - turn.direct for turn in turns],
        "of it generators": [turn.generators for turn in turns],
        "of it discriminators": [turn.discriminators for turn in turns],
        "of it no model": [turn.rest for turn in turns],
        "direct call, CPU": [turn.direct_cpu for turn in turns],
        "whole protocol, CPU": [turn.whole_cpu for turn in turns],
    }
    figures: dict[str, Any] = {"prompts": len(turns), "accepted": sum(turn.accepted for turn in turns)}
    for name, seconds in parts.items():
        figures[f"{name}, ms p50"] = round(quantile(seconds, 0.5) * 1e3, 2)
        figures[f"{name}, ms p99"] = round(quantile(seconds, 0.99) * 1e3, 2)
    return figures
