"""Running a notebook's code cells without Jupyter, at a size the test chooses, and looking at what was committed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import pytest


def run_cells(path: Path, tiny: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run every code cell, with the `tiny` values in place of the notebook's own from the cell that sets them on.

    Returns how many panels each picture had, in the order in which they were shown.
    """
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: (shown.append(len(plt.gcf().axes)), plt.close("all")))
    names: dict[str, object] = {}
    is_tiny = False
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        exec(compile("".join(cell["source"]), path.name, "exec"), names)
        if not is_tiny and names.keys() >= tiny.keys():
            names |= tiny
            is_tiny = True
    assert is_tiny, f"{path.name} never set {', '.join(tiny)}"
    return shown


def count_pictures(path: Path) -> int:
    """How many pictures the committed notebook holds."""
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)
