"""The whole protocol beside a direct call: every prompt is decided in its turn, and the parts fit into the whole."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import ledger, ledger_call
from benchmarks.ledger import Script
from benchmarks.ledger_call import Timed, Turn, measure_calls, open_network, summarise, take_turn
from consensus.ledger.keys import SigningKey
from deslm.demo.cast import choose_cast
from deslm.demo.network import STAFF, Roles
from deslm.errors import UserError


class Slow(Script):
    """A model that takes ten milliseconds a call."""

    def answer(self, questions: Sequence[str]) -> list[tuple[str, float]]:
        time.sleep(0.01)
        return super().answer(questions)


def test_each_prompt_is_called_once_and_decided_in_its_turn(tmp_path: Path) -> None:
    cast = choose_cast(["model"], ["model"], honest_only=True)
    keys = {name: SigningKey.from_seed(0, name) for name in (*(member.name for member in cast), *STAFF)}
    company = SimpleNamespace(cast=cast, keys=keys, guesses=["answer 1"])
    generators, judges = {"model": Timed(Slow())}, {"model": Timed(Script())}
    asked = [(f"What is the answer to question {i}", f"answer {i}") for i in range(3)]
    with open_network(tmp_path, company, Roles(generators, judges), asked) as driver:
        turns = [take_turn(Slow(), driver, generators, judges, question) for question, _ in asked]
    assert [turn.accepted for turn in turns] == [True] * 3
    assert generators["model"].calls == judges["model"].calls == 3, "one batch a task, for all nodes that share it"
    for turn in turns:
        assert turn.direct >= 0.01 and turn.generators >= 0.01 and turn.rest > 0
        assert turn.whole == pytest.approx(turn.generators + turn.discriminators + turn.rest)
        assert turn.whole > turn.generators > turn.discriminators


def test_quantiles_are_of_each_part_and_of_the_difference() -> None:
    turns = [Turn(0.01, 0.01, 0.1 + i / 1_000, 0.05, 0.02, 0.01, i > 0) for i in range(100)]
    figures = summarise(turns)
    assert (figures["prompts"], figures["accepted"]) == (100, 99)
    assert figures["added, ms p50"] == pytest.approx(140.0)
    assert figures["added, ms p99"] == pytest.approx(189.0)
    assert figures["of it no model, ms p50"] == pytest.approx(120.0)


def test_a_folder_without_a_run_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(ledger_call, "configure", lambda run: None)
    with pytest.raises(UserError, match="holds no finished run"):
        measure_calls(tmp_path, tmp_path, 3, 1)
    with pytest.raises(ValueError, match="choose 1 or more"):
        measure_calls(tmp_path, tmp_path, 0, 1)
    monkeypatch.setattr(ledger.os, "sched_setaffinity", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["ledger", "--run", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        ledger.main()
    assert stopped.value.code == 2 and "holds no finished run" in capsys.readouterr().err
