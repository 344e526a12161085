"""The notebook of the attack library runs at a tiny size, and is committed with its pictures."""

import json
from pathlib import Path

import matplotlib
import pytest

from consensus.simulator import run

TINY = {"SEEDS": 2, "ROUNDS": 16, "IS_STUDY": False, "LIMITS": (0.0, 0.5)}
PANELS = [3, 3, 3, 3, 1]


def test_every_cell_runs(repository_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.setitem(run.COMPILER_OPTIONS, "xla_backend_optimization_level", 0)
    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: (shown.append(len(plt.gcf().axes)), plt.close("all")))
    notebook = json.loads((repository_root / "notebooks" / "attacks.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for source in cells:
        exec(compile(source, "attacks.ipynb", "exec"), names)
        if "LIMITS" in names and names["LIMITS"] != TINY["LIMITS"]:
            assert names.keys() >= TINY.keys()
            names |= TINY
    assert shown == PANELS
    assert "colluding cartel" in capsys.readouterr().out


def test_it_is_committed_with_its_pictures(repository_root: Path) -> None:
    path = repository_root / "notebooks" / "attacks.ipynb"
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == len(PANELS)
    assert path.stat().st_size < 400_000
