"""Scaling: bytes are a real ledger's, seconds those of the stated network, and committees keep a task's cost flat."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scaling
from benchmarks.economy import crowds
from benchmarks.economy.crowds import LEARNED, enrol, expect_candidates, make_crowd, teach, watch
from benchmarks.economy.gossip import NetworkModel, Windows, measure_timing
from benchmarks.economy.messages import count_task, measure_sizes, weigh_ledger
from benchmarks.ledger import play
from consensus import presets
from consensus.simulator.run import simulate
from consensus.simulator.world import start

EXACT = NetworkModel(neighbours=2, delay_sigma=0.0, call_sigma=0.0)
ONCE = Windows(1, 1, 1, 1, 1)


@pytest.fixture(autouse=True)
def in_plain_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "simulate", partial(simulate, backend="numpy"))


def test_encoders_agree_with_a_real_ledger(tmp_path: Path) -> None:
    play(tmp_path, tasks=6, in_flight=3)
    kinds, rest = weigh_ledger(tmp_path)
    sizes = measure_sizes(prompt="What is the answer to question 3", answer="answer 3")
    for name in ("task", "answer_commit", "answer_reveal", "verdict_commit", "canary_reveal"):
        assert abs(kinds[name][1] - getattr(sizes, name)) <= 8, f"{name}: chain id, nonce and heights are shorter here"
    one_verdict = sizes.verdict_reveal + sizes.verdict
    assert abs(kinds["verdict_reveal"][1] - one_verdict) <= 12
    assert kinds["answer_commit"][0] == kinds["answer_reveal"][0] and kinds["task"][0] == 6
    assert 0 < rest - sizes.header < 200, "lengths of transactions"

    distinct = [kinds[name][0] / 6 for name in ("answer_commit", "verdict_commit")]
    canaries = kinds["canary_reveal"][0] / 6
    cost = count_task(sizes, *distinct, candidates=1, canary_share=canaries, audit_share=0.0)
    carried = sum(count * size for count, size in kinds.values()) / 6
    others = sum(kinds[name][0] * kinds[name][1] for name in kinds if name in ("audit_truth",)) / 6
    assert cost.bytes == pytest.approx(carried - others, rel=0.04)


def test_a_committee_is_flat_and_everyone_is_not() -> None:
    sizes = measure_sizes()
    seated = count_task(sizes, 4.9, 14.5, 2.0, 0.05, 0.03)
    costs = [count_task(sizes, n, n, expect_candidates(n), 0.05, 0.03) for n in (10, 100, 10_000)]
    assert costs[2].messages / costs[1].messages == pytest.approx(100, rel=0.01)
    assert costs[2].bytes > 1_000 * seated.bytes and costs[0].messages == pytest.approx(41.08)
    assert 3 <= expect_candidates(10) < 4 < expect_candidates(10_000) == pytest.approx(13)


def test_three_nodes_in_a_ring_by_hand() -> None:
    timing = measure_timing(EXACT, ONCE, 3, block_bytes=250_000, message_bytes=0, seed=1)
    queue = 1.5  # of two neighbours the mean one waits for half of the other
    block = EXACT.delay_median_s + EXACT.check_s + queue * 0.1
    message = EXACT.delay_median_s + EXACT.check_s
    assert timing.block_s == pytest.approx(block) and timing.hop_s == pytest.approx(message)
    assert timing.shortest_block_s == pytest.approx(1.0 + block + message)
    assert timing.settle_s == pytest.approx(5 * timing.shortest_block_s)
    patient = measure_timing(EXACT, Windows(4, 1, 4, 1, 1), 3, 250_000, 0, seed=1)
    assert patient.shortest_block_s == pytest.approx(max((1.0 + block + message) / 4, block + message))


def test_more_nodes_take_a_little_longer_and_larger_blocks_much() -> None:
    settle = lambda nodes, size: measure_timing(NetworkModel(), ONCE, nodes, size, 300, seed=3).settle_s
    assert settle(30, 1e5) < settle(1_000, 1e5) < 2 * settle(30, 1e5)
    assert settle(300, 1e7) > 10 * settle(300, 1e5)


def test_a_crowd_is_counted_and_knows_what_the_school_taught() -> None:
    law = presets.reference()
    school = teach(law, 6)
    static, setting = make_crowd(law, 60)
    first = enrol(start(static, setting), setting, school, make_crowd(law, crowds.SCHOOL_NODES)[1])
    honest, dishonest = setting.conduct.group_N == 1, setting.conduct.group_N == 2
    assert dishonest.sum() == 6
    learned = np.concatenate([getattr(first.nodes, name)[honest] for name in LEARNED])
    taught = [getattr(school, name) for name in LEARNED]
    assert {tuple(row) for row in learned} <= {tuple(row) for leaf in taught for row in leaf}
    (crowd,) = watch(law, 60, [5], 4, school)
    assert 3 < crowd.generators <= 5 and 10 < crowd.discriminators <= 15
    assert crowd.seats == 20 and 1 <= crowd.candidates <= 5 and 0 <= crowd.coverage <= 1


def test_the_study_writes_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "scaling.json"
    monkeypatch.setattr(scaling, "SCHOOL_ROUNDS", 4)
    monkeypatch.setattr(scaling, "COMPILER_OPTIONS", {})
    given = ["--nodes", "8", "40", "--seeds", "2", "--rounds", "4", "--tasks", "2", "--json", str(out)]
    monkeypatch.setattr("sys.argv", ["scaling", *given])
    scaling.main()
    printed = capsys.readouterr().out
    small, large = json.loads(out.read_text())["rows"]
    assert small["votes"]["all"] == small["votes"]["committee"] < large["votes"]["all"]
    assert small["traffic"]["all nodes"] < large["traffic"]["all nodes"]
    assert large["everyone"]["messages"] == pytest.approx(1 + 4 * 40 + 0.08, abs=0.001)
    assert "everyone answers, 4 4 4 4 2" in printed and "| 40 |" in printed
    monkeypatch.setattr("sys.argv", ["scaling", "--tables", str(out)])
    scaling.main()
    assert capsys.readouterr().out == printed
    monkeypatch.setattr("sys.argv", ["scaling", "--nodes", "1"])
    with pytest.raises(SystemExit):
        scaling.main()
