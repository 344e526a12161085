"""Every comparison rule on the same synthetic votes, beside the law's own: how often each is right.

    python -m benchmarks.aggregation                      # five kinds of pool, 40 seeds: about 20 CPU-seconds
    python -m benchmarks.aggregation --sweep colluders    # one kind, from no strength to half
    python -m benchmarks.aggregation --out scores.json    # the figures as JSON too

Cells are accuracy in per cent and its standard error over seeds. A seed draws other skills, weights and votes; all
rules see the same. "law, voices learned" and "log-odds, skills measured" have seen the truth of 200 audited tasks
beforehand, no other rule has any.
"""

import argparse
import json
from pathlib import Path

from consensus.aggregation import POOLS, RULES, compare
from consensus.aggregation.comparison import AUDITED, MEASURED, Score

STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def measure(sweep: str | None, seeds: int, **size: int) -> dict[str, list[Score]]:
    """Scores by the name of their column: every kind of pool, or one kind at every strength."""
    run = lambda pool, **dial: compare((*RULES, AUDITED, MEASURED), [pool], range(seeds), jit=True, **size, **dial)
    if sweep is None:
        return {pool: run(pool) for pool in POOLS}
    return {f"{strength:.1f}": run(sweep, strength=strength) for strength in STRENGTHS}


def format_table(columns: dict[str, list[Score]], corner: str) -> str:
    """A Markdown table, one row a rule."""
    lines = [f"| {corner} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for row in zip(*columns.values(), strict=True):
        cells = [f"{100 * one.accuracy:.1f} ± {100 * one.error:.1f}" for one in row]
        lines.append(f"| {row[0].rule} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", choices=[name for name in POOLS if name != "independent"])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--nodes", type=int, default=15)
    parser.add_argument("--candidates", type=int, default=4)
    parser.add_argument("--out", type=Path, help="write the scores here as JSON")
    chosen = parser.parse_args(arguments)
    size = {"tasks": chosen.tasks, "nodes": chosen.nodes, "candidates": chosen.candidates}
    columns = measure(chosen.sweep, chosen.seeds, **size)
    corner = f"strength of {chosen.sweep}: {POOLS[chosen.sweep].meaning}" if chosen.sweep else "rule"
    print(format_table(columns, corner))
    if chosen.out:
        scores = {column: [one._asdict() for one in scores] for column, scores in columns.items()}
        chosen.out.write_text(json.dumps({"seeds": chosen.seeds, **size, "scores": scores}, indent=2))


if __name__ == "__main__":
    main()
