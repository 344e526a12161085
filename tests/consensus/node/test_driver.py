"""Whole networks in one process: batches, memory, restarts, and what honesty costs (nothing)."""

from pathlib import Path

import pytest

from consensus.engine.local import LocalEngine
from consensus.ledger import events as ev
from consensus.ledger.errors import LedgerError
from consensus.ledger.replay import replay
from consensus.node import Asker, Auditor, CanaryAuthor, DiscriminatorNode, Driver, GeneratorNode, Question, run
from consensus.node.base import Node
from consensus.node.view import make_view
from tests.consensus.ledger.network import (
    DISCRIMINATORS,
    GENERATORS,
    TIP,
    Chain,
    Checker,
    Guesser,
    key,
    lively_nodes,
    questions,
    small_genesis,
)


def honest_nodes(count: int, generator: Guesser, checker: Checker) -> list[Node]:
    asker = Asker(key("asker"), questions(count))
    return [
        *(GeneratorNode(key(name), generator) for name in GENERATORS),
        *(DiscriminatorNode(key(name), checker) for name in DISCRIMINATORS),
        asker,
        CanaryAuthor(key("canary"), [asker]),
        Auditor(key("auditor"), lambda prompt: (f"right {prompt}",)),
    ]


def begin(folder: Path) -> LocalEngine:
    folder.mkdir()
    return LocalEngine.create(folder, small_genesis(), key("sequencer"))


def test_an_honest_network_settles_everything_and_slashes_nobody(tmp_path: Path) -> None:
    generator, checker = Guesser(0), Checker(0)
    with begin(tmp_path / "a") as engine:
        blocks = list(run(engine, honest_nodes(20, generator, checker)))
        state = engine.app.state
    events = [event for block in blocks for event in block.events]
    settled = [event for event in events if isinstance(event, ev.Settled)]
    assert len(settled) == 20 and not [event for event in events if isinstance(event, ev.Slashed)]
    right = [event for event in settled if event.accepted_text == f"right {event.prompt}"]
    assert len(right) >= 12 and all(len(line.p_false_q16) for event in settled for line in event.verdicts)
    assert {event.audit for event in settled} >= {"none", "canary"}
    assert not state.open and not state.pending and not state.nodes.locked_micro_N.any()
    assert all(receipt.code == 0 for block in blocks for receipt in block.receipts)


def test_models_are_called_once_a_block_for_all_nodes_and_never_twice_for_a_question(tmp_path: Path) -> None:
    generator, checker = Guesser(0), Checker(0)
    with begin(tmp_path / "a") as engine:
        blocks = list(run(engine, honest_nodes(16, generator, checker)))
    assert generator.calls == 2  # eight in flight: two waves
    assert checker.calls == 2
    assert len(blocks) < 2 * 6 + 4


def test_a_question_asked_again_is_not_answered_again(tmp_path: Path) -> None:
    """Nodes forget a task once it is settled; the driver remembers what the model said."""
    generator, checker = Guesser(0), Checker(0)
    nodes = honest_nodes(0, generator, checker)
    nodes.append(Asker(key("asker"), [Question(f"q{i % 8}", TIP) for i in range(16)]))
    with begin(tmp_path / "a") as engine:
        blocks = list(run(engine, nodes))
    settled = [event for block in blocks for event in block.events if isinstance(event, ev.Settled)]
    assert len(settled) == 16 and all(line.candidate >= 0 for event in settled for line in event.answers)
    assert (generator.calls, checker.calls) == (1, 1)


def test_eight_are_in_flight_at_most(tmp_path: Path) -> None:
    with begin(tmp_path / "a") as engine:
        widths = []
        for _ in run(engine, honest_nodes(20, Guesser(0), Checker(0))):
            widths.append(len(engine.app.state.open))
    assert max(widths) == 8


def test_a_network_restarted_after_every_block_says_the_same(tmp_path: Path) -> None:
    """All nodes and the engine are thrown away and made anew from the ledger between any two blocks."""
    with begin(tmp_path / "a") as engine:
        whole = list(run(engine, lively_nodes(12)))
    begin(tmp_path / "b").close()
    hashes = []
    while True:
        with LocalEngine.open(tmp_path / "b", key("sequencer")) as engine:
            driver = Driver(engine, lively_nodes(12))
            if driver.is_finished():
                break
            hashes.append(driver.step().app_hash)
    assert hashes == [block.app_hash for block in whole]
    assert replay(tmp_path / "b").state_hash == whole[-1].app_hash


def test_two_runs_are_the_same(tmp_path: Path) -> None:
    ends = []
    for name in "ab":
        with begin(tmp_path / name) as engine:
            *_, end = run(engine, lively_nodes(8))
            ends.append(end)
    assert ends[0] == ends[1]


def test_an_asker_that_cannot_pay_stops_with_a_sentence(tmp_path: Path) -> None:
    asker = Asker(key("asker"), [Question("q", 10**12)])
    with (
        begin(tmp_path / "a") as engine,
        pytest.raises(LedgerError, match="a question was refused: the account cannot"),
    ):
        list(run(engine, [asker]))


def test_without_nodes_every_task_abstains(tmp_path: Path) -> None:
    with begin(tmp_path / "a") as engine:
        blocks = list(run(engine, [Asker(key("asker"), [Question("q", TIP)])]))
    (settled,) = [event for block in blocks for event in block.events if isinstance(event, ev.Settled)]
    assert settled.accepted == -1 and settled.reason == "no answer was revealed"


class Choosy:
    """A model that refuses every batch with a question too long for it, as roles of real models do."""

    def __init__(self, method: str, model: Guesser | Checker) -> None:
        self._model = getattr(model, method)
        setattr(self, method, self._say)

    def _say(self, questions: list) -> list:
        if any("too long" in question or "too long" in question[0] for question in questions):
            raise ValueError("this model reads at most 64 tokens")
        return self._model(questions)


@pytest.mark.parametrize("method", ["answer", "judge"])
def test_a_question_no_model_reads_slashes_nobody_and_stops_nothing(tmp_path: Path, method: str) -> None:
    models = {"answer": Guesser(0), "judge": Checker(0)}
    models[method] = Choosy(method, models[method])
    nodes = honest_nodes(5, models["answer"], models["judge"])
    (asker,) = [node for node in nodes if isinstance(node, Asker)]
    asker.questions = [*asker.questions, Question("too long " * 40, TIP)]
    with begin(tmp_path / "a") as engine:
        blocks = list(run(engine, nodes))
    settled = [event for block in blocks for event in block.events if isinstance(event, ev.Settled)]
    (unread,) = [event for event in settled if event.prompt.startswith("too long")]
    assert len(settled) == 6 and unread.accepted == -1
    assert [event for event in settled if event.accepted >= 0]
    assert not [event for block in blocks for event in block.events if isinstance(event, ev.Slashed)]


def test_an_asker_resumes_where_the_ledger_says() -> None:
    chain = Chain()
    asker = Asker(key("asker"), questions(5), in_flight=2)
    for expected in ((1, 2), ()):
        actions = asker.on_block(make_view(chain.app.genesis, chain.app.state))
        nonces = tuple(chain.app.admission.admit(action.transaction).nonce for action in actions)
        assert nonces == expected
        chain.block(*(action.transaction for action in actions))
    for _ in range(4):
        chain.block()
    again = Asker(key("asker"), questions(5), in_flight=2)
    actions = again.on_block(make_view(chain.app.genesis, chain.app.state))
    assert [chain.app.admission.admit(action.transaction).body.prompt for action in actions] == ["q2", "q3"]


def test_canaries_look_like_any_task_until_they_are_opened() -> None:
    chain = Chain()
    twins = [Question("same", TIP), Question("same", TIP, truths=("x",)), Question("same", TIP, truths=("x",))]
    asker = Asker(key("asker"), twins)
    actions = asker.on_block(make_view(chain.app.genesis, chain.app.state))
    chain.block(*(action.transaction for action in actions))
    tasks = list(chain.app.state.open.values())
    assert len({task.truth_commitment for task in tasks}) == 3
    assert all(len(task.truth_commitment) == 32 for task in tasks)
    author = CanaryAuthor(key("canary"), [asker])
    for _ in range(4):
        assert author.on_block(make_view(chain.app.genesis, chain.app.state)) == []
        chain.block()
    openings = author.on_block(make_view(chain.app.genesis, chain.app.state))
    result = chain.block(*(action.transaction for action in openings))
    assert len(openings) == 2 and all(receipt.code == 0 for receipt in result.receipts)
    kinds = [event.audit for event in result.events if isinstance(event, ev.Settled)]
    assert sorted(kinds) in (["canary", "canary", "none"], ["canary", "canary", "random"])


def test_an_auditor_that_does_not_know_says_nothing() -> None:
    auditor = Auditor(key("auditor"), lambda prompt: None)
    chain = Chain()
    view = make_view(chain.app.genesis, chain.app.state)
    assert auditor.on_block(view) == []
