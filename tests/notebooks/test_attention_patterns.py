"""The notebook runs at a tiny size, and what it asserts (blocks cover the mask, gradients are the mask) holds there."""

import json
from pathlib import Path

import matplotlib
import pytest

TINY = {
    "LENGTH": 24,
    "WINDOW": 3,
    "GLOBALS": (0, 9, 10, 20),
    "BLOCK": 4,
    "LENGTHS": (160, 320),
    "DENSE_UP_TO": 160,
    "PROBE_LENGTH": 130,
}


def test_every_cell_runs(repository_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: (shown.append(len(plt.gcf().axes)), plt.close("all")))
    notebook = json.loads((repository_root / "notebooks" / "attention_patterns.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for source in cells:
        exec(compile(source, "attention_patterns.ipynb", "exec"), names)
        if "PROBE_LENGTH" in names and names["PROBE_LENGTH"] != TINY["PROBE_LENGTH"]:
            assert names.keys() >= TINY.keys()
            names |= TINY
    assert shown == [4, 1, 2, 2]
    printed = capsys.readouterr().out
    assert "the gradients are the mask" in printed and "memory grows" in printed


def test_it_is_committed_with_its_pictures(repository_root: Path) -> None:
    path = repository_root / "notebooks" / "attention_patterns.ipynb"
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert path.stat().st_size < 400_000
