"""The ledger's benchmark plays a real network: every task settles, and replay finds the same state."""

from benchmarks.ledger import measure, play
from benchmarks.quantiles import quantile


def test_every_task_settles_and_the_figures_fit_together():
    figures = measure(tasks=4, lone_tasks=2, repeats=1)
    assert abs(figures["transactions a task"] * 4 - figures["transactions"]) < 0.3  # rounded to a tenth
    assert figures["transactions"] > 4 * 10
    assert 1_000 < figures["bytes a task"] < 72_000
    assert figures["lone task, blocks from asking to decision"] == 6
    assert figures["lone task, added ms p50"] <= figures["lone task, added ms p99"]


def test_a_run_measures_each_task_once_and_the_sequencer_within_the_whole(tmp_path):
    spent = play(tmp_path, tasks=3, in_flight=8)
    assert len(spent.latency) == 3
    assert 0 < spent.engine < spent.total


def test_quantiles():
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile(range(100), 0.99) == 99
    assert quantile([5], 0.99) == 5
