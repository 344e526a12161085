"""The notebook runs at a tiny size, and what it asserts (blocks cover the mask, gradients are the mask) holds there."""

from pathlib import Path

import pytest

from tests.notebooks.cells import count_pictures, run_cells

TINY = {
    "LENGTH": 24,
    "WINDOW": 3,
    "GLOBALS": (0, 9, 10, 20),
    "BLOCK": 4,
    "LENGTHS": (160, 320),
    "DENSE_UP_TO": 160,
    "PROBE_LENGTH": 130,
}


@pytest.fixture
def notebook(repository_root: Path) -> Path:
    return repository_root / "notebooks" / "attention_patterns.ipynb"


def test_every_cell_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert run_cells(notebook, TINY, monkeypatch) == [4, 1, 2, 2]
    printed = capsys.readouterr().out
    assert "the gradients are the mask" in printed and "memory grows" in printed


def test_it_is_committed_with_its_pictures(notebook: Path) -> None:
    assert count_pictures(notebook) == 4
    assert notebook.stat().st_size < 400_000
