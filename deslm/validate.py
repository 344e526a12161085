"""`deslm validate`: published numbers beside ours, computed now by the rules that run the ledger."""

import argparse
import json
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consensus.validation.rows import Row


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print the table as JSON, with every source")


def run(args: argparse.Namespace) -> int:
    """Print every row; return 0 if all are within tolerance, 1 if one is off."""
    from consensus.validation import validate

    rows = validate()
    off = [row for row in rows if not row.is_within()]
    print(json.dumps([describe(row) for row in rows], indent=2) if args.json else format_table(rows, len(off)))
    return 1 if off else 0


def describe(row: "Row") -> dict[str, Any]:
    """A row as plain values, with its deviation and verdict; null for what is no number, which JSON cannot say."""
    plain = {**row._asdict(), "deviation": row.compute_deviation(), "verdict": "ok" if row.is_within() else "OFF"}
    plain["ours"] = [number if isfinite(number) else None for number in row.ours]
    plain["deviation"] = plain["deviation"] if isfinite(plain["deviation"]) else None
    return plain


def format_table(rows: list["Row"], off: int) -> str:
    """Aligned columns, then the sources, then one sentence."""
    lines = [("what", "input", "computed by", "published", "ours", "off by", "tolerance", "verdict")]
    for row in rows:
        lines.append(
            (
                row.name,
                row.given,
                row.rule,
                _format_numbers(row.published),
                _format_numbers(row.ours),
                _format_distance(row.compute_deviation(), row.is_relative),
                _format_distance(row.tolerance, row.is_relative),
                "ok" if row.is_within() else "OFF",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    sources = [f"  {name}: {source}" for name, source in dict.fromkeys((row.name, row.source) for row in rows)]
    ending = f"all {len(rows)} rows are within tolerance" if not off else f"{off} of {len(rows)} rows are OFF"
    return "\n".join([*shown, "", "sources", *sources, "", ending])


def _format_numbers(numbers: tuple[float, ...]) -> str:
    """Seven digits of a number; four of each in a vector, which is wide enough."""
    if len(numbers) == 1:
        return f"{numbers[0]:.10g}" if numbers[0] > 1e6 else f"{numbers[0]:.7g}"
    return " ".join(f"{number:.4f}" for number in numbers)


def _format_distance(distance: float, is_relative: bool) -> str:
    if distance == 0:
        return "0"
    return f"{100 * distance:.2g} %" if is_relative else f"{distance:.1e}"
