"""Every attack of the law's table, played or computed at study size: figures beside their pass lines, and break-evens.

    python -m benchmarks.attacks --out attacks.json                # both presets, about a quarter of an hour of CPU
    python -m benchmarks.attacks --law demo --only cartel,laziness --seeds 32
    python -m benchmarks.attacks --tables attacks.json             # the tables of docs/ATTACKS.md from a finished run

A run is `seeds` networks of `rounds` x 8 tasks for each case. Errors are standard errors over seeds; the same seed asks
the same questions of an attack and of its honest comparison. The file is written after every few attacks, and
the same command goes on where it stopped.
"""

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.kept import check_target, print_tables, read_figures, write_figures
from consensus.ledger.equality import Equality, canonical
from consensus.simulator.attacks.catalogue import list_attacks, measure
from consensus.simulator.attacks.report import Curve, Report, Size
from consensus.simulator.scenario import PRESETS

LAWS = ("demo", "reference")
SIZES = {"demo": (16, 60), "reference": (8, 160)}  # seeds, rounds
BATCHES = (  # what is measured before the file is written again
    ("sybil", "cartel"),
    ("laziness", "inflation", "flagging", "equivocation"),
    ("whale", "reveals", "farming", "whitewashing", "bribery"),
    ("correlation", "canaries", "paraphrase"),
    ("poison", "spam", "ablations"),
)
RESPELLINGS = {  # ways to write one answer that a class ought to fold
    Equality.TEXT: ("Lima", "lima", " LIMA. ", '"Lima"', "Ｌｉｍａ", "the city of Lima", "Lima, Peru"),
    Equality.CHOICE: ("(B) Lima", "b", "B)", "b. Lima", "B: Lima", "option b", "the second"),
    Equality.NUMBER: ("1000", "1,000", "1000.0", "about 1,000 km", "+1000", "10^3", "one thousand"),
    Equality.SPAN: (
        "The Sun-King",
        "sun king",
        "a Sun King!",
        "«sun  king»",
        "Sun-King.",
        "king of the sun",
        "Sunking",
    ),
}


def describe(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    finite = lambda x: x if math.isfinite(x) else None
    return {
        "readings": [
            {**reading._asdict(), "error": finite(reading.error), "verdict": reading.verdict}
            for reading in report.readings
        ],
        "curves": [{**curve._asdict(), "break_even": curve.break_even} for curve in report.curves],
        "note": report.note,
    }


def measure_equality() -> dict[str, float]:
    """The share of respellings that each class folds into its first one."""
    folded = {}
    for kind, (first, *others) in RESPELLINGS.items():
        same = [canonical(kind, other) == canonical(kind, first) for other in others]
        folded[kind.name.lower()] = sum(same) / len(same)
    return folded


def run(law: str, only: list[str], size: Size, keep: dict[str, Any], out: Path | None) -> None:
    """Measure these attacks under one preset into `keep`, but for those that are there already."""
    have = keep.setdefault(law, {})
    for batch in BATCHES:
        names = [name for name in batch if name in only and name not in have]
        if not names:
            continue
        begun = time.process_time()
        progress = lambda done, every, b=batch: print(
            f"\r{law}, {', '.join(b)}: {done}/{every}", end="", file=sys.stderr
        )
        reports = measure(size, names, progress)
        print(f" {time.process_time() - begun:.0f} CPU-s", file=sys.stderr)
        have.update({name: describe(report) for name, report in reports.items()})
        if out is not None:
            write_figures(out, keep)


def write_tables(kept: dict[str, Any]) -> str:
    """The figures as Markdown: a line a reading and a line a curve, the presets side by side."""
    laws = [law for law in LAWS if law in kept]
    names = [name for name in list_attacks() if all(name in kept[law] for law in laws)]
    lines = [f"| attack | measured | line | {' | '.join(laws)} |", "|---|---|---|" + "---|" * len(laws)]
    for name in names:
        for rows in zip(*(kept[law][name]["readings"] for law in laws), strict=True):
            line = f"{rows[0]['sense']} {_short(rows[0]['line'])}"
            row = (_title(name), rows[0]["measure"], line, *(_tell(reading) for reading in rows))
            lines.append(f"| {' | '.join(row)} |")
    lines += ["", f"| attack | curve | line | {' | '.join(f'{law}, x: y; crosses at' for law in laws)} |"]
    lines.append("|---|---|---|" + "---|" * len(laws))
    for name in names:
        for curves in zip(*(kept[law][name]["curves"] for law in laws), strict=True):
            drawn = [Curve(**{key: plain[key] for key in Curve._fields}) for plain in curves]
            title = f"{drawn[0].name}: {drawn[0].y_name} over {drawn[0].x_name}"
            lines.append(f"| {' | '.join((_title(name), title, _short(drawn[0].line), *map(_draw, drawn)))} |")
    notes = [f"- {_title(name)}, {law}: {kept[law][name]['note']}" for name in names for law in laws]
    folded = ", ".join(f"{kind} {share:.2f}" for kind, share in kept["equality"].items())
    lines += ["", *(note for note in notes if not note.endswith(": "))]
    return "\n".join([*lines, "", f"Respellings that the class's equality folds: {folded}.", ""])


def _title(name: str) -> str:
    return list_attacks()[name].name


def _tell(reading: dict[str, Any]) -> str:
    error = f" ± {reading['error']:.2g}" if reading["error"] else ""
    return f"{_short(reading['value'])}{error} **{reading['verdict']}**"


def _draw(curve: Curve) -> str:
    at = "never" if curve.break_even is None else f"{curve.break_even:.2g}"
    step = max(1, len(curve.points) // 10)  # a long curve is thinned out
    return f"{', '.join(f'{x:g}: {_short(y)}' for x, y, _ in curve.points[::step])}; **{at}**"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--law", choices=(*LAWS, "both"), default="both")
    parser.add_argument("--only", help="names of attacks, with commas", default="")
    parser.add_argument("--seeds", type=int, help="runs of each case (16 under demo, 8 under reference)")
    parser.add_argument("--rounds", type=int, help="of 8 tasks (60 under demo, 160 under reference)")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    parser.add_argument("--tables", type=Path, help="print the tables of this JSON and measure nothing")
    arguments = parser.parse_args()
    check_target(parser, arguments.out)
    if arguments.tables:
        print_tables(parser, arguments.tables, tuple(LAWS), write_tables)
        return
    only = arguments.only.split(",") if arguments.only else list(list_attacks())
    unknown = sorted(set(only) - set(list_attacks()))
    if unknown:
        parser.error(f"no attack is named {unknown[0]}: choose among {', '.join(list_attacks())}")
    kept: dict[str, Any] = {"equality": measure_equality(), "sizes": {}}
    if arguments.out and arguments.out.exists():
        try:
            kept = read_figures(arguments.out, tuple(LAWS))
        except ValueError as error:
            parser.error(str(error))
    for law in LAWS if arguments.law == "both" else (arguments.law,):
        seeds, rounds = SIZES[law]
        size = Size(PRESETS[law](), arguments.seeds or seeds, arguments.rounds or rounds, is_study=True)
        played = {"seeds": size.seeds, "rounds": size.rounds}
        if kept["sizes"].setdefault(law, played) != played:
            parser.error(f"{arguments.out} holds {law} at {kept['sizes'][law]}, not {played}: name another file")
        run(law, only, size, kept, arguments.out)
    print(write_tables(kept))


if __name__ == "__main__":
    main()
