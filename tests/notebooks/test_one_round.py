"""The notebook of one round runs at a tiny size, and is committed with its pictures."""

from pathlib import Path

import pytest

from tests.notebooks.cells import count_pictures, run_cells

PANELS = [2, 3, 2, 1]  # axes of each picture


@pytest.fixture
def notebook(repository_root: Path) -> Path:
    return repository_root / "notebooks" / "one_round.ipynb"


def test_every_cell_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert run_cells(notebook, {"TASKS": 10}, monkeypatch) == PANELS
    printed = capsys.readouterr().out
    assert "10 tasks settled" in printed and "to the micro-token" in printed


def test_it_is_committed_with_its_pictures(notebook: Path) -> None:
    assert count_pictures(notebook) == len(PANELS)
    assert notebook.stat().st_size < 300_000
