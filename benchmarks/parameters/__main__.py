"""The parameter study behind docs/PARAMETERS.md: a hypercube over the law, its Pareto front, what each parameter moves.

    python -m benchmarks.parameters --out study.json          # both presets, all parts: about 12 CPU-minutes
    python -m benchmarks.parameters --law demo --part laws --out study.json
    python -m benchmarks.parameters --tables study.json       # the tables of docs/PARAMETERS.md
    python -m benchmarks.parameters --picture front.svg --tables study.json
    python -m benchmarks.parameters --tiny --out small.json   # a few tasks of each part, to see that it runs

Parts: `hypercube` (20 parameters at once) and `front` (the preset and the former defaults among those points), on
seeds 0 and up; `alone` (one parameter at a time) and `laws` (the preset, the former defaults, points of the front), on
seeds 1000 and up. The file is written after every part, and the same command goes on where it stopped.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.kept import check_target, read_figures, write_figures
from benchmarks.parameters.study import SCALES, TINY, study_alone, study_front, study_hypercube, study_laws
from benchmarks.parameters.tables import write_tables

PARTS = ("hypercube", "front", "alone", "laws")
FRONT_POINTS = 3  # of the hypercube's front, played again on reporting seeds


def run(law: str, parts: list[str], kept: dict[str, Any], out: Path, is_tiny: bool) -> None:
    """Play the parts that the file does not hold yet.

    Raises ValueError if what it holds was played at another scale, or a part needs one that is missing.
    """
    have = kept.setdefault(law, {})
    scale = TINY if is_tiny else SCALES[law]
    if have and kept.get("scales", {}).get(law, scale._asdict()) != scale._asdict():
        raise ValueError(f"{out} holds parts played at another scale (--tiny): name another file")
    parallel = "numpy" if is_tiny else "jit"
    kept.setdefault("scales", {})[law] = scale._asdict()
    for part in parts:
        if part in have:
            continue
        if part == "front" and "hypercube" not in have:
            raise ValueError("the front is drawn among the points of the hypercube: play --part hypercube first")
        begun = time.process_time()
        if part == "hypercube":
            have[part] = study_hypercube(law, scale, parallel)
        elif part == "front":
            have[part] = study_front(law, scale, have["hypercube"], parallel)
        elif part == "alone":
            have[part] = study_alone(law, scale, parallel)
        else:
            have[part] = study_laws(law, scale, pick_front(have), parallel)
        print(f"{law}, {part}: {time.process_time() - begun:.0f} CPU-s", file=sys.stderr, flush=True)
        write_figures(out, kept)


def pick_front(have: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Points of the front to play on other seeds: those that break fewest lines, then with fewest wrong accepts."""
    if "front" not in have:
        return {}
    cube = have["hypercube"]
    front = sorted(have["front"]["front"], key=lambda p: (len(cube["broken"][p]), cube["rows"][p]["wrong"][0]))
    return {f"front {p}": cube["points"][p] for p in front[:FRONT_POINTS]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--law", choices=(*SCALES, "both"), default="both")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    parser.add_argument("--tables", type=Path, help="print the tables of this JSON and play nothing")
    parser.add_argument("--picture", type=Path, help="draw the front of that JSON (needs matplotlib)")
    parser.add_argument("--tiny", action="store_true", help="a few tasks of each part, on NumPy")
    arguments = parser.parse_args()
    for path in (arguments.out, arguments.picture):
        check_target(parser, path)
    if arguments.out is None and arguments.tables is None:
        parser.error("name a file for the figures with --out, or with --tables one to print")
    try:
        if arguments.tables:
            show(read_figures(arguments.tables, tuple(SCALES)), arguments.picture)
            return
        kept = read_figures(arguments.out, tuple(SCALES)) if arguments.out.exists() else {}
        for law in SCALES if arguments.law == "both" else (arguments.law,):
            run(law, [arguments.part] if arguments.part else list(PARTS), kept, arguments.out, arguments.tiny)
    except ValueError as error:
        parser.error(str(error))


def show(kept: dict[str, Any], picture: Path | None) -> None:
    """Print the tables, and draw the front."""
    if picture:
        from benchmarks.parameters.picture import draw

        draw(kept, picture)
    print(write_tables(kept))


if __name__ == "__main__":
    main()
