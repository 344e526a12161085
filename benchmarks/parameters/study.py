"""The parts of the study, each plain data for JSON: the hypercube, one parameter at a time, and the laws compared.

Points are chosen on the selection seeds and reported on others: figures of a winner on the seeds that made it win are
too good.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.economy.years import compute_half_life
from benchmarks.parameters import figures as read
from benchmarks.parameters.networks import LARGE_POTS, SMALL_POTS, Size, play, split_legal
from benchmarks.parameters.pareto import clear_dominators, dominators, find_front, rank_correlations
from benchmarks.parameters.space import Point, make_law, sample, step_alone
from consensus.simulator.scenario import PRESETS
from consensus.state import Params

FORMER: Point = {"reputation floor": 1 / 16, "reputation prior": 8}  # what this study changed in the law
OTHER_SHARES: Point = {"share of generators": 0.32, "share of discriminators": 0.03}  # level for weaker models
OBJECTIVES = ("wrong", "abstained", "cost", "attacker", "gini", "purse")
BETTER_HIGH = ("purse",)
NETWORKS = ("cast", "idle", "honest")
MODELS = ("trained", "generators .65", "generators .80", "verifiers .90", "verifiers .97")
FIRST_REPORTING_SEED = 1_000


class Scale(NamedTuple):
    """How much a preset is studied."""

    tasks: int
    in_flight: int
    points: int  # of the hypercube
    steps: int  # of one parameter
    seeds: int  # of selection
    reporting_seeds: int


SCALES = {"demo": Scale(400, 8, 128, 4, 4, 32), "reference": Scale(1_000, 2, 96, 4, 4, 12)}
TINY = Scale(4, 2, 4, 2, 2, 2)


def measure_laws(
    laws: Sequence[Params], size: Size, only: Sequence[str] = NETWORKS, parallel: str = "jit"
) -> list[dict[str, Any]]:
    """Every figure of every law as [mean, standard error] over the seeds."""
    played = play(laws, size, only, parallel)
    figures = read.measure(played)
    out = [{name: _mean_and_error(values[p]) for name, values in figures.items()} for p in range(len(laws))]
    ratios = {"fairness gross": read.compute_fairness(figures, "gross"), "fairness": read.compute_fairness(figures)}
    if "unequal" in played:
        for role in ("G", "D"):
            ratios[f"small by large {role}"] = read.compute_bias_of_size(figures, role, SMALL_POTS / LARGE_POTS)
    others = [name for name in MODELS if name in played]
    ratios |= {f"fairness, {name}": read.compute_fairness(figures, network=name) for name in others}
    covered = read.compute_covered_effort(figures, played)
    for p, law in enumerate(laws):
        out[p] |= {name: [float(ratio.value[p]), float(ratio.error[p])] for name, ratio in ratios.items()}
        out[p] |= {f"covered effort {role}": [float(price_P[p]), 0.0] for role, price_P in covered.items()}
        coverage = 1 - out[p]["abstained overall"][0] / 100
        out[p]["half-life"] = [compute_half_life(law, coverage), 0.0]
    return out


def list_broken_lines(row: Mapping[str, Sequence[float]]) -> list[str]:
    """The lines that a setting's means do not keep."""
    honest = {role: min(row[f"gain {net}: {role} honest"][0] for net in NETWORKS) for role in ("G", "D")}
    gains = {name: row[name][0] for name in row if name.startswith("gain ") and read.is_attacker(name)}
    lines = {
        "every attacker below 0": max(gains.values()) < 0,
        "and below honest nodes": all(gain < honest[name.split(": ")[1][0]] for name, gain in gains.items()),
        "honest nodes gain": min(honest.values()) > 0,
        "roles within 20 %": 1 / read.MOST_UNFAIR <= row["fairness"][0] <= read.MOST_UNFAIR,
        "the purse does not shrink": row["purse"][0] >= 0,
        "supply exact": row["supply error"][0] == 0,
    }
    return [line for line, is_kept in lines.items() if not is_kept]


def study_hypercube(name: str, scale: Scale, parallel: str = "jit") -> dict[str, Any]:
    """The legal points of a Latin hypercube on selection seeds: figures, broken lines, and rank correlations."""
    law = PRESETS[name]()
    sampled = sample(scale.points, seed=0)
    laws = [make_law(law, point) for point in sampled]
    legal, refused = split_legal(laws)
    rows = measure_laws([laws[i] for i in legal], selecting(scale), parallel=parallel)
    points = [sampled[i] for i in legal]
    correlate = lambda figure: rank_correlations(points, np.array([_reach(row, figure) for row in rows]))
    return {
        "refused": refused,
        "points": points,
        "rows": rows,
        "broken": [list_broken_lines(row) for row in rows],
        "correlations": {figure: correlate(figure) for figure in (*OBJECTIVES, "fairness", "laziest")},
    }


def study_front(name: str, scale: Scale, cube: Mapping[str, Any], parallel: str = "jit") -> dict[str, Any]:
    """The preset and the former defaults among the hypercube's points, on the same seeds.

    `front`: points that no other dominates, the preset among the candidates; `above`: points that dominate the preset;
    `clearly above`: by more than noise. The last two for points that keep every line.
    """
    law = PRESETS[name]()
    chosen, former = measure_laws([law, make_law(law, FORMER)], selecting(scale), parallel=parallel)
    low_PM, error_PM = stack_objectives([*cube["rows"], chosen])
    keeps_P = np.array([not broken for broken in cube["broken"]], dtype=bool)
    above_P = dominators(low_PM[:-1], low_PM[-1])
    clear_P = clear_dominators(low_PM[:-1], error_PM[:-1], low_PM[-1], error_PM[-1])
    is_front_P = find_front(low_PM)
    return {
        "chosen": chosen,
        "former": former,
        "broken": {"chosen": list_broken_lines(chosen), "former": list_broken_lines(former)},
        "front": np.flatnonzero(is_front_P[:-1]).tolist(),
        "chosen is on it": bool(is_front_P[-1]),
        "above": np.flatnonzero(above_P).tolist(),
        "above and in line": np.flatnonzero(above_P & keeps_P).tolist(),
        "clearly above and in line": np.flatnonzero(clear_P & keeps_P).tolist(),
    }


def study_alone(name: str, scale: Scale, parallel: str = "jit") -> dict[str, Any]:
    """Each parameter moved alone from the preset, over its range, on reporting seeds; refused points are named."""
    law = PRESETS[name]()
    points = step_alone(scale.steps)
    laws = [make_law(law, point) for point in points]
    legal, _ = split_legal(laws)
    size = Size(scale.tasks, scale.in_flight, reporting(scale.seeds))
    rows = measure_laws([laws[i] for i in legal], size, parallel=parallel)
    return {
        "points": [points[i] for i in legal],
        "rows": rows,
        "broken": [list_broken_lines(row) for row in rows],
        "refused": [points[i] for i in range(len(points)) if i not in legal],
    }


def study_laws(name: str, scale: Scale, extra: Mapping[str, Point], parallel: str = "jit") -> dict[str, Any]:
    """The preset, the former defaults and other shares in every network, extra points in three; reporting seeds."""
    law = PRESETS[name]()
    size = Size(scale.tasks, scale.in_flight, reporting(scale.reporting_seeds))
    out = {}
    both = {"chosen": law, "former": make_law(law, FORMER), "shares 32, 3": make_law(law, OTHER_SHARES)}
    others = {title: make_law(law, point) for title, point in extra.items()}
    for laws, only in ((both, (*NETWORKS, "unequal", *MODELS)), (others, NETWORKS)):
        rows = measure_laws(list(laws.values()), size, only, parallel) if laws else []
        for title, row in zip(laws, rows, strict=True):
            out[title] = {"row": row, "broken": list_broken_lines(row)}
    return out


def selecting(scale: Scale) -> Size:
    """What the hypercube plays: seeds from 0."""
    return Size(scale.tasks, scale.in_flight, range(scale.seeds))


def reporting(seeds: int) -> range:
    """Seeds that no choice was made on."""
    return range(FIRST_REPORTING_SEED, FIRST_REPORTING_SEED + seeds)


def stack_objectives(rows: Sequence[Mapping[str, Sequence[float]]]) -> tuple[np.ndarray, np.ndarray]:
    """(means, errors) of the objectives [P, M], turned so that all are better low."""
    sign_M = np.array([-1.0 if name in BETTER_HIGH else 1.0 for name in OBJECTIVES])
    pair_PM2 = np.array([[row[name] for name in OBJECTIVES] for row in rows])
    return pair_PM2[..., 0] * sign_M, pair_PM2[..., 1]


def _reach(row: Mapping[str, Sequence[float]], figure: str) -> float:
    """A figure as correlations take it: unfairness in either direction is unfair."""
    return abs(float(np.log(max(row[figure][0], 1e-3)))) if figure == "fairness" else row[figure][0]


def _mean_and_error(sample_S: np.ndarray) -> list[float]:
    error = sample_S.std(ddof=1) / np.sqrt(len(sample_S)) if len(sample_S) > 1 else 0.0
    return [float(sample_S.mean()), float(error)]
