"""The notebook of one round runs at a tiny size, and is committed with its pictures."""

import json
from pathlib import Path

import matplotlib
import pytest

PANELS = [2, 3, 2, 1]  # axes of each picture


def test_every_cell_runs(repository_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: (shown.append(len(plt.gcf().axes)), plt.close("all")))
    notebook = json.loads((repository_root / "notebooks" / "one_round.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for source in cells:
        exec(compile(source, "one_round.ipynb", "exec"), names)
        names["TASKS"] = 10
    assert shown == PANELS
    printed = capsys.readouterr().out
    assert "10 tasks settled" in printed and "to the micro-token" in printed


def test_it_is_committed_with_its_pictures(repository_root: Path) -> None:
    path = repository_root / "notebooks" / "one_round.ipynb"
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == len(PANELS)
    assert path.stat().st_size < 300_000
