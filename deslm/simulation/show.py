"""Tables on the terminal: means over the seeds, with the spread that the seeds show."""

import numpy as np

from consensus.simulator.scenario import Scenario
from deslm.simulation.play import Table

HEAD = (
    "tasks",
    "coverage",
    "wrong",
    "rightness",
    "plurality",
    "seat",
    "audited",
    "tau",
    "base_rate",
    "gini",
    "nakamoto",
)
GROUP = ("gain", "net", "worst", "fees", "wagers", "slashed", "seats", "beta")


def show_means(scenario: Scenario, table: Table) -> None:
    """One network: its figures, then one row a group."""
    from rich.console import Console
    from rich.table import Table as Grid

    console = Console()
    grid = Grid(title=f"{scenario.name}: {scenario.rounds} rounds, {len(table.seeds)} seeds")
    for name in ("figure", "mean", "spread"):
        grid.add_column(name, justify="left" if name == "figure" else "right")
    for name in HEAD:
        grid.add_row(name, *_mean_and_spread(table, 0, name))
    console.print(grid)
    grid = Grid(title="groups, a node; amounts in pots of a task")
    grid.add_column("group")
    for name in GROUP:
        grid.add_column(name, justify="right", overflow="fold")
    for group in scenario.groups:
        grid.add_row(group, *(f"{table.mean(0, f'{name}.{group}'):.3g}" for name in GROUP))
    console.print(grid)


def show_points(scenario: Scenario, table: Table, most: int = 40) -> None:
    """A sweep: one row a setting."""
    from rich.console import Console
    from rich.table import Table as Grid

    shown = ("coverage", "wrong", *(f"gain.{group}" for group in scenario.groups))
    grid = Grid(title=f"{scenario.name}: {len(table.points)} settings, {len(table.seeds)} seeds, gains in pots a node")
    for name in (*table.points[0], *shown):
        grid.add_column(name, justify="right", overflow="fold")
    for index, point in enumerate(table.points[:most]):
        varied = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in point.values()]
        grid.add_row(*varied, *(f"{table.mean(index, name):.3g}" for name in shown))
    if len(table.points) > most:
        grid.caption = f"the first {most} of {len(table.points)}; the others are in the results"
    Console().print(grid)


def _mean_and_spread(table: Table, setting: int, name: str) -> tuple[str, str]:
    values = table.figures_SEF[setting, :, table.names.index(name)]
    return f"{values.mean():.4g}", f"± {values.std():.2g}" if np.size(values) > 1 else ""
