"""What the ledger costs: transactions settled, blocks replayed, bytes a task, and what it adds to a model call.

    python -m benchmarks.ledger --tasks 100 --json ledger.json
    python -m benchmarks.ledger --run runs/demo    # and beside real models: the ones that a finished demo trained

The demo's network (8 generator and 8 discriminator nodes, its genesis and windows, one sequencer, SQLite on disk) with
scripted models that take no time, so that all time is the protocol's: nodes signing, the ledger checking, settling,
hashing and writing. CPU seconds on one pinned core, all nodes and the sequencer in one process, except the last part:
wall seconds of a lone task from asking to its decision, over many tasks, block after block without a pause between.
With `--run` the same is compared with a direct call of a trained model (benchmarks/ledger_call.py).
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.kept import check_target, write_figures
from benchmarks.ledger_call import measure_calls
from benchmarks.quantiles import quantile
from consensus.engine.local import LocalEngine
from consensus.ledger.events import Settled, TaskOpened
from consensus.ledger.keys import SigningKey
from consensus.ledger.replay import replay
from consensus.ledger.store import Store
from consensus.node.asker import Asker, Question
from consensus.node.auditor import Auditor, CanaryAuthor
from consensus.node.base import Node
from consensus.node.driver import Driver
from consensus.units import MICRO
from deslm.demo.cast import choose_cast
from deslm.demo.network import STAFF, Roles, make_demo_genesis, make_nodes
from deslm.errors import UserError

CANARY_EVERY = 5
WARM_PROMPTS = 10


class Script:
    """A model that knows everything at once: the answer to question i is "answer i"."""

    def answer(self, questions: Sequence[str]) -> list[tuple[str, float]]:
        return [(f"answer {question.split()[-1]}", 0.9) for question in questions]

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, tuple[int, ...]]]:
        return [(0.05 if answer.split()[-1] == question.split()[-1] else 0.95, (1,)) for question, answer in pairs]


class Spent(NamedTuple):
    """One live run."""

    engine: float  # CPU seconds in the sequencer: checking, ordering, executing, writing
    total: float  # with the nodes
    latency: list[float]  # wall seconds from asking to the decision, a task
    blocks_a_task: int  # from asking to the decision
    hash: bytes


def make_network(folder: Path, tasks: int, in_flight: int) -> tuple[LocalEngine, list[Node]]:
    """The demo's honest network around a new ledger, and an asker with so many tasks."""
    cast = choose_cast(["model"], ["model"], honest_only=True)
    keys = {name: SigningKey.from_seed(0, name) for name in (*(member.name for member in cast), *STAFF)}
    engine = LocalEngine.create(folder, make_demo_genesis(0, cast, keys), keys["sequencer"])
    script = Script()
    nodes = make_nodes(cast, keys, Roles({"model": script}, {"model": script}), [])
    truths = lambda i: (f"answer {i}",) if i % CANARY_EVERY == 0 else None
    questions = [Question(f"What is the answer to question {i}", MICRO, 0, truths(i)) for i in range(tasks)]
    asker = Asker(keys["author"], questions, in_flight=in_flight)
    audit = lambda prompt: (f"answer {prompt.split()[-1]}",)
    return engine, [*nodes, asker, CanaryAuthor(keys["opener"], [asker]), Auditor(keys["auditor"], audit)]


def play(folder: Path, tasks: int, in_flight: int) -> Spent:
    """Play a network to its end."""
    engine, nodes = make_network(folder, tasks, in_flight)
    in_engine, began = 0.0, time.process_time()
    asked: dict[bytes, tuple[float, int]] = {}
    latency, blocks = [], []
    engine_step, engine_submit = engine.step, engine.submit

    def timed(call: Any) -> Any:
        def run(*arguments: Any) -> Any:
            nonlocal in_engine
            start = time.process_time()
            result = call(*arguments)
            in_engine += time.process_time() - start
            return result

        return run

    engine.step, engine.submit = timed(engine_step), timed(engine_submit)  # type: ignore[method-assign]
    with engine:
        driver = Driver(engine, nodes)
        while not driver.is_finished():
            start = time.perf_counter()  # a task is asked at the start of the step whose block opens it
            result = driver.step()
            for event in result.events:
                if isinstance(event, TaskOpened):
                    asked[event.task_id] = start, event.height
                elif isinstance(event, Settled):
                    when, height = asked.pop(event.task_id)
                    latency.append(time.perf_counter() - when)
                    blocks.append(event.height - height + 1)
        return Spent(in_engine, time.process_time() - began, latency, max(blocks), engine.app_hash)


def read(folder: Path) -> tuple[int, int, int]:
    """Blocks, transactions and bytes of all blocks of a ledger."""
    with Store.open(folder, read_only=True) as store:
        blocks = store.count_blocks()
        return blocks, replay(folder).transactions, sum(len(store.block(height + 1)) for height in range(blocks))


def measure(tasks: int, lone_tasks: int, repeats: int) -> dict[str, Any]:
    """All figures; medians over repeats."""
    live, replayed = [], []
    with tempfile.TemporaryDirectory() as root:
        for turn in range(repeats):
            folder = Path(root) / str(turn)
            folder.mkdir()
            live.append(play(folder, tasks, in_flight=8))
            start = time.process_time()
            if replay(folder).state_hash != live[-1].hash:
                raise SystemExit("the replayed ledger has another state than the live one")
            replayed.append(time.process_time() - start)
        blocks, transactions, size = read(folder)
        folder = Path(root) / "lone"
        folder.mkdir()
        lone = play(folder, lone_tasks, in_flight=1)
    total, engine, again = (statistics.median(x) for x in ([s.total for s in live], [s.engine for s in live], replayed))
    return {
        "tasks": tasks,
        "transactions": transactions,
        "blocks": blocks,
        "transactions settled a CPU-second, nodes and sequencer": round(transactions / total),
        "transactions settled a CPU-second, sequencer alone": round(transactions / engine),
        "transactions a task": round(transactions / tasks, 1),
        "CPU ms a task, nodes and sequencer": round(total / tasks * 1e3, 1),
        "blocks replayed a CPU-second": round(blocks / again),
        "transactions replayed a CPU-second": round(transactions / again),
        "bytes a task": round(size / tasks),
        "lone task, blocks from asking to decision": lone.blocks_a_task,
        "lone task, added ms p50": round(quantile(lone.latency, 0.5) * 1e3, 1),
        "lone task, added ms p99": round(quantile(lone.latency, 0.99) * 1e3, 1),
        "lone task, CPU ms": round(lone.total / lone_tasks * 1e3, 1),
        "lone tasks": lone_tasks,
    }


def main() -> None:
    """Measure, print a line a figure, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--lone-tasks", type=int, default=100, help="tasks asked one after another for the latency")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", type=Path, help="a finished demo, whose models are called directly and by the network")
    parser.add_argument("--prompts", type=int, default=120, help="questions of that run, after ten to warm up")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    check_target(parser, options.json)
    if min(options.tasks, options.lone_tasks, options.repeats) < 1:
        parser.error("choose 1 or more tasks, lone tasks and repeats")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    called: dict[str, Any] = {}
    if options.run:
        try:
            with tempfile.TemporaryDirectory() as folder:
                called = measure_calls(options.run, Path(folder), options.prompts, WARM_PROMPTS)
        except (UserError, ValueError) as error:
            parser.error(str(error))
    figures = measure(options.tasks, options.lone_tasks, options.repeats)
    figures |= {f"with models: {name}": value for name, value in called.items()}
    for name, value in figures.items():
        print(f"{name:<60}{value:>12}", flush=True)
    if options.json:
        write_figures(options.json, figures)


if __name__ == "__main__":
    main()
