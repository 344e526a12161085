"""The study's figures as Markdown: what docs/PARAMETERS.md shows."""

from collections.abc import Mapping
from typing import Any

from benchmarks.parameters.space import DIALS
from benchmarks.parameters.study import MODELS, OBJECTIVES

TITLES = {
    "wrong": "wrong accepts, of 100 tasks",
    "abstained": "abstained, of 100 taught questions",
    "cost": "cost of a right answer, pots",
    "attacker": "best attacker, pots a node in 100 tasks",
    "gini": "Gini of stakes at the end",
    "purse": "purse, pots in 100 tasks (worst network)",
    "purse left": "least free purse, of 160 pots",
    "untaught wrong": "wrong, of 100 untaught questions",
    "laziest": "lazy discriminator, pots in 100 tasks",
    "gross honest: G honest": "honest generator before effort",
    "gross honest: D honest": "honest discriminator before effort",
    "fairness gross": "discriminators' return by generators', before effort",
    "fairness": "the same after effort",
    **{f"fairness, {models}": f"the same, {models} models" for models in MODELS},
    "small by large G": "return of 150 pots by that of 2,400, generators",
    "small by large D": "the same, discriminators",
    "covered effort G": "effort a task at which a generator earns nothing, pots",
    "covered effort D": "the same, discriminator",
    "worst honest": "worst honest node, of its stake",
    "half-life": "half-life of the reserve, tasks asked",
}
WEAK = 0.2  # rank correlations below are left out


def write_tables(kept: Mapping[str, Any]) -> str:
    """All tables of the parts that the file holds."""
    laws = [law for law in ("demo", "reference") if law in kept]
    parts = []
    for law in laws:
        if "laws" in kept[law]:
            parts.append(_compare(law, kept[law]["laws"]))
    for law in laws:
        if "front" in kept[law]:
            parts.append(_tell_front(law, kept[law]["hypercube"], kept[law]["front"]))
    if laws and all("hypercube" in kept[law] for law in laws):
        parts.append(_correlate({law: kept[law]["hypercube"]["correlations"] for law in laws}))
    for law in laws:
        if "alone" in kept[law]:
            parts.append(_move_alone(law, kept[law]["alone"]))
    return "\n\n".join(parts) + "\n"


def _compare(law: str, compared: Mapping[str, Any]) -> str:
    lines = [f"| {law} | {' | '.join(compared)} |", "|---|" + "---|" * len(compared)]
    for figure, title in TITLES.items():
        cells = [_tell(*one["row"][figure]) if figure in one["row"] else "" for one in compared.values()]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    broken = [", ".join(one["broken"]) or "none" for one in compared.values()]
    return "\n".join([*lines, f"| lines not kept | {' | '.join(broken)} |"])


def _tell_front(law: str, cube: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    broken = [line for lines in cube["broken"] for line in lines]
    counts = {line: broken.count(line) for line in sorted(set(broken))}
    fine = [p for p, lines in enumerate(cube["broken"]) if not lines]
    text = [
        f"{law}: {len(cube['rows'])} settings played, {sum(cube['refused'].values())} refused: {cube['refused']}.",
        f"Lines not kept: {counts}; {len(fine)} settings keep all: {fine}.",
        f"On the front: {len(found['front'])}, the preset {'too' if found['chosen is on it'] else 'not'}. Better in"
        f" everything: {found['above']}; of those that keep all lines {found['above and in line']}, by more than noise"
        f" {found['clearly above and in line']}.",
        "",
        "| point | " + " | ".join(TITLES[name] for name in OBJECTIVES) + " | fairness | lines not kept |",
        "|---|" + "---|" * (len(OBJECTIVES) + 2),
    ]
    rows = {name: (found[name], found["broken"][name]) for name in ("chosen", "former")}
    rows |= {str(p): (cube["rows"][p], cube["broken"][p]) for p in found["front"] if p in fine}
    for title, (row, lines) in rows.items():
        cells = [_tell(*row[name]) for name in (*OBJECTIVES, "fairness")]
        text.append(f"| {title} | {' | '.join(cells)} | {', '.join(lines) or 'none'} |")
    return "\n".join(text)


def _correlate(correlations: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    figures = list(next(iter(correlations.values())))
    lines = [
        f"| rank correlation, {', '.join(correlations)} | {' | '.join(figures)} |",
        "|---|" + "---|" * len(figures),
    ]
    for dial in DIALS:
        cells = []
        for figure in figures:
            values = [correlations[law][figure][dial.name] for law in correlations]
            shown = max(abs(value) for value in values) >= WEAK
            cells.append(", ".join(f"{value:+.2f}" for value in values) if shown else "")
        lines.append(f"| {dial.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _move_alone(law: str, alone: Mapping[str, Any]) -> str:
    """A line a parameter: every figure at its lowest and highest legal value, and where lines break on the way."""
    shown = (*OBJECTIVES, "fairness", "laziest")
    lines = [f"| {law} | from, to | {' | '.join(shown)} | lines not kept at |", "|---|---|" + "---|" * (len(shown) + 1)]
    refused = [next(iter(point.items())) for point in alone["refused"]]
    for dial in DIALS:
        rows = [
            (point[dial.name], row, broken)
            for point, row, broken in zip(alone["points"], alone["rows"], alone["broken"], strict=True)
            if dial.name in point
        ]
        ends = rows[0], rows[-1]
        cells = [" to ".join(_tell(row[figure][0], 0.0) for _, row, _ in ends) for figure in shown]
        where = [f"{value:.3g} ({', '.join(broken)})" for value, _, broken in rows if broken]
        where += [f"{value:.3g} (refused)" for name, value in refused if name == dial.name]
        values = ", ".join(f"{value:.3g}" for value, _, _ in ends)
        lines.append(f"| {dial.name} | {values} | {' | '.join(cells)} | {'; '.join(where) or 'none'} |")
    return "\n".join(lines)


def _tell(value: float, error: float) -> str:
    short = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return f"{short} ± {error:.1g}" if error else short
