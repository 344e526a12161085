"""The picture of docs/PARAMETERS.md: wrong accepts against abstention, every setting a point, the front a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.parameters.pareto import find_front


def draw(kept: Mapping[str, Any], out: Path) -> None:
    """Write the picture of the studied presets side by side; the ending of `out` names the format."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.fonttype"] = "none"  # text as text: smaller, and readable by machines
    laws = [law for law in ("demo", "reference") if "front" in kept.get(law, {})]
    figure, axes = plt.subplots(1, len(laws), figsize=(4.6 * len(laws), 3.8), squeeze=False, layout="constrained")
    for axis, law in zip(axes[0], laws, strict=True):
        _draw_law(axis, law, kept[law])
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
    plt.close(figure)


def _draw_law(axis: Any, law: str, study: Mapping[str, Any]) -> None:
    cube, found = study["hypercube"], study["front"]
    at = lambda row: (row["abstained"][0], row["wrong"][0])
    keeps = [not lines for lines in cube["broken"]]
    for is_kept, colour, label in ((False, "#c9ced6", "breaks a line"), (True, "#2f6db3", "keeps every line")):
        points = [at(row) for row, kept in zip(cube["rows"], keeps, strict=True) if kept == is_kept]
        if points:
            axis.scatter(*zip(*points, strict=True), s=18, color=colour, label=label)
    for title, marker, colour in (("former", "X", "#8a5a00"), ("chosen", "*", "#c0392b")):
        axis.scatter(*at(found[title]), s=130, marker=marker, color=colour, zorder=3, label=title)
    low_P2 = np.unique([at(row) for row in [*cube["rows"], found["chosen"], found["former"]]], axis=0)
    axis.step(
        *low_P2[find_front(low_P2)].T, where="post", color="#8894a3", linewidth=1, label="front of these two figures"
    )
    axis.set(xlabel="abstained, of 100 taught questions", ylabel="wrong accepts, of 100 tasks", title=law)
    axis.legend(fontsize=7, frameon=False)
