"""`deslm sweep [SCENARIO.toml]`: many settings of a simulated network, with a report that opens in any browser.

What varies stands in the scenario's [vary] table or in `--vary`; finished batches stay in the output folder, so an
interrupted sweep goes on where it stopped when the same command is given again.
"""

import argparse
from pathlib import Path

from deslm import compiler
from deslm.simulation.options import add_common_arguments, parse_value, read_plain
from deslm.simulation.play import check_size, play
from deslm.simulation.show import show_points
from deslm.simulation.write import write_results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_common_arguments(parser, "runs/sweep")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="PATH=VALUES",
        help="what varies, instead of the scenario's: law.theta0_q16=0.7,0.8,0.9 or law.theta0_q16=0.7..0.97",
    )
    parser.add_argument(
        "--design", choices=("grid", "random", "latin"), help="which points: grid unless said otherwise"
    )
    parser.add_argument("--points", type=int, help="how many, for random and latin: 32")


def run(args: argparse.Namespace) -> int:
    """Play all points with all seeds, print the best and worst, write results and report."""
    from consensus.simulator.design import design, read_axes, stack_points

    compiler.configure(Path(args.out))  # before the first import of jax; a program is compiled once a folder
    plain = read_plain(args)
    vary = plain.pop("vary", {})
    if args.vary:
        axes = [parse_axis(text) for text in args.vary]
        vary = dict(axes)
        if len(vary) < len(axes):
            raise ValueError("--vary names a path twice: give all its values in one --vary")
    kind = args.design or plain.pop("design", "grid")
    points = plain.get("points", 32) if args.points is None else args.points
    plain.pop("design", None), plain.pop("points", None)
    chosen = design(read_axes(vary), kind, points)
    check_size(*stack_points(plain, chosen[:1]), len(chosen), args)  # at once, not after all points were made
    scenario, batch = stack_points(plain, chosen)
    table = play(scenario, batch, chosen, args)
    show_points(scenario, table)
    write_results(Path(args.out), {**plain, "vary": vary, "design": kind}, scenario, table)
    return 0


def parse_axis(text: str) -> tuple[str, object]:
    """A path and its list of values or range, from PATH=a,b,c or PATH=low..high."""
    path, equals, values = text.partition("=")
    if not equals or not values:
        raise ValueError(f"--vary {text}: write PATH=value,value or PATH=low..high")
    low, dots, high = values.partition("..")
    if dots:
        return path, {"low": parse_value(low), "high": parse_value(high)}
    return path, [parse_value(value) for value in values.split(",")]
