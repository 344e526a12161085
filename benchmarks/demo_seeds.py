"""The demo's claims over several seeds: is the network really wrong less often than its rivals, and do cheats lose?

    python -m benchmarks.demo_seeds                    # seeds 0, 1, 2, each with an honest-only control
    python -m benchmarks.demo_seeds --seeds 0 --out runs/one

Each seed trains its own models, asks its own questions and plays its own network. The intervals are a paired bootstrap
over questions, pooled over the seeds: every resampled question counts for the network and for its rival alike.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

RIVALS = ("best_node", "majority", "all_nodes_majority")
RESAMPLES = 10_000


def main() -> None:
    """Run the seeds, print the table, write OUT/seeds.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/seeds"))
    parser.add_argument("--no-control", action="store_true", help="leave out the honest-only runs")
    args = parser.parse_args()
    rows = [play(args.out / f"seed-{seed}", seed) for seed in args.seeds]
    controls = [] if args.no_control else [play_control(args.out, seed) for seed in args.seeds]
    result = summarise(rows, [questions(args.out / f"seed-{seed}") for seed in args.seeds], controls)
    (args.out / "seeds.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def play(folder: Path, seed: int, *options: str) -> dict:
    """Return the summary of the demo in `folder`, run if it is not there yet."""
    if not (folder / "summary.json").exists():
        command = [sys.executable, "-m", "deslm.cli", "demo", "--seed", str(seed), "--out", str(folder), *options]
        subprocess.run(command, check=True)
    return json.loads((folder / "summary.json").read_text())


def play_control(out: Path, seed: int) -> dict:
    """Return the summary of the honest-only run with the same seed and models."""
    folder = out / f"honest-{seed}"
    if not (folder / "models").exists():
        shutil.copytree(out / f"seed-{seed}" / "models", folder / "models")
    return play(folder, seed, "--honest-only")


def questions(folder: Path) -> list[dict]:
    """Who accepted what, rightly or not, question by question."""
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]


def summarise(rows: list[dict], asked: list[list[dict]], controls: list[dict]) -> dict:
    """Return medians over seeds, the pooled bootstrap, and the worst honest loss and best dishonest gain."""
    pooled = [row for seed in asked for row in seed]
    result: dict = {
        kind: {
            figure: statistics.median(row[kind][figure] for row in rows)
            for figure in ("accuracy", "coverage", "wrong_accepted")
        }
        for kind in ("consensus", *RIVALS)
    }
    result["pooled_difference_in_wrong_accepted"] = {rival: bootstrap(pooled, rival) for rival in RIVALS}
    result["unknown_subjects"] = [row["unknown_subjects"] for row in rows]
    result["audit_rate"] = [round(row["audit_rate"], 3) for row in rows]
    result["training_cpu_seconds"] = [row["training_cpu_seconds"] for row in rows]
    result["seconds"] = [row["seconds"] for row in rows]
    result["supply_error_micro"] = max(abs(row["supply_error_micro"]) for row in rows + controls)
    result["hashes_agree"] = all(row["state_hash"] == row["replayed_hash"] for row in rows + controls)
    result["gains_of_dishonest"] = {
        name: [gain(node) for row in rows for node in row["nodes"] if node["name"] == name]
        for name in sorted({node["name"] for row in rows for node in row["nodes"] if node["behaviour"] != "honest"})
    }
    if controls:
        result["worst_honest_gain_in_honest_only_runs"] = min(gain(node) for row in controls for node in row["nodes"])
    return result


def bootstrap(pooled: list[dict], rival: str) -> dict:
    """Return rival's wrong accepted minus the network's, with the 95 % interval of the paired bootstrap."""
    wrong = {
        kind: np.array([row[kind]["accepted"] and not row[kind]["right"] for row in pooled], dtype=np.int64)
        for kind in ("consensus", rival)
    }
    difference = wrong[rival] - wrong["consensus"]
    rng = np.random.default_rng(0)
    sums = [int(rng.choice(difference, size=len(difference)).sum()) for _ in range(RESAMPLES)]
    low, high = np.percentile(sums, [2.5, 97.5])
    return {"difference": int(difference.sum()), "interval_95": [float(low), float(high)], "questions": len(pooled)}


def gain(node: dict) -> float:
    """What a node gained, as a share of what it began with."""
    return round((node["stake_after"] - node["stake_before"]) / node["stake_before"], 5)


if __name__ == "__main__":
    main()
