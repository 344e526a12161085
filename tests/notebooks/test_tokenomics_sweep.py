"""The notebook of the tokenomics runs at a tiny size, and is committed with its pictures."""

from functools import partial
from pathlib import Path

import pytest

from benchmarks.economy import settling, sweeps
from benchmarks.economy.days import compiled
from consensus.simulator import run
from consensus.simulator.sweep import sweep
from tests.notebooks.cells import count_pictures, run_cells

TINY = {"SEEDS": 2, "ROUNDS": 6, "LEARNING": 4, "YEARS": 0.1, "BLOCKS_A_DAY": 24}
PANELS = [6, 2, 2, 4, 1, 6, 2]  # colour bars count


@pytest.fixture
def notebook(repository_root: Path) -> Path:
    return repository_root / "notebooks" / "tokenomics_sweep.ipynb"


def test_every_cell_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setitem(run.COMPILER_OPTIONS, "xla_backend_optimization_level", 0)  # taken back after the test
    for module in (sweeps, settling):  # in plain loops: so few rounds cost less than compiling them, to the same bits
        monkeypatch.setattr(module, "sweep", partial(sweep, parallel="numpy"))
    assert run_cells(notebook, TINY, monkeypatch) == PANELS
    printed = capsys.readouterr().out
    assert "abstains" in printed and "large discriminators" in printed
    compiled.cache_clear()


def test_it_is_committed_with_its_pictures(notebook: Path) -> None:
    assert count_pictures(notebook) == len(PANELS)
    assert notebook.stat().st_size < 400_000
