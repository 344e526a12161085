"""The notebook of the attack library runs at a tiny size, and is committed with its pictures."""

from pathlib import Path

import pytest

from consensus.simulator import run
from tests.notebooks.cells import count_pictures, run_cells

TINY = {"SEEDS": 2, "ROUNDS": 16, "IS_STUDY": False, "LIMITS": (0.0, 0.5)}
PANELS = [3, 3, 3, 3, 1]


@pytest.fixture
def notebook(repository_root: Path) -> Path:
    return repository_root / "notebooks" / "attacks.ipynb"


def test_every_cell_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setitem(run.COMPILER_OPTIONS, "xla_backend_optimization_level", 0)
    assert run_cells(notebook, TINY, monkeypatch) == PANELS
    assert "colluding cartel" in capsys.readouterr().out


def test_it_is_committed_with_its_pictures(notebook: Path) -> None:
    assert count_pictures(notebook) == len(PANELS)
    assert notebook.stat().st_size < 400_000
