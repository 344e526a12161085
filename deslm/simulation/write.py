"""Results on disk: JSON with the configuration, CSV, the report, and Parquet where pyarrow is installed."""

import csv
import importlib.util
import io
import json
from pathlib import Path
from typing import Any

from consensus.files import write_text, write_whole
from consensus.simulator.scenario import Scenario
from deslm.simulation.play import Table
from deslm.simulation.report import build_page


def write_results(folder: Path, plain: dict[str, Any], scenario: Scenario, table: Table) -> None:
    """Write results.json, results.csv and, with pyarrow, results.parquet; each is there whole or not at all."""
    rows = make_rows(table)
    document = {
        "scenario": plain,
        "static": scenario.static._asdict(),
        "rounds": scenario.rounds,
        "settings": [{**point, "pot_micro": pot} for point, pot in zip(table.points, table.pots_micro, strict=True)],
        "runs": rows,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "results.json", json.dumps(document, indent=1, allow_nan=False) + "\n")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / "results.csv", text.getvalue())
    write_text(folder / "report.html", build_page(plain, scenario, table))
    names = ["results.json", "results.csv", "report.html"]
    if importlib.util.find_spec("pyarrow") is not None:
        _write_parquet(folder / "results.parquet", rows)
        names.append("results.parquet")
    print(f"wrote {', '.join(names)} in {folder}")


def make_rows(table: Table) -> list[dict[str, Any]]:
    """One row a run: what was varied, the seed, the figures."""
    return [
        {**point, "seed": seed, **dict(zip(table.names, table.figures_SEF[s, e].tolist(), strict=True))}
        for s, point in enumerate(table.points)
        for e, seed in enumerate(table.seeds)
    ]


def _write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    write_whole(path, lambda file: pyarrow.parquet.write_table(pyarrow.table(columns), file))
