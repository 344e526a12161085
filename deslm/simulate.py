"""`deslm simulate [SCENARIO.toml]`: one simulated network, some seeds, its figures on the terminal and in a folder."""

import argparse
from pathlib import Path

from deslm import compiler
from deslm.simulation.options import add_common_arguments, read_plain
from deslm.simulation.play import play
from deslm.simulation.show import show_means
from deslm.simulation.write import write_results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_common_arguments(parser, "runs/simulate")


def run(args: argparse.Namespace) -> int:
    """Play the scenario, print the means over its seeds, and write every run's figures."""
    from consensus.simulator.design import stack_points

    compiler.configure(Path(args.out))  # before the first import of jax; a program is compiled once a folder
    plain = read_plain(args)
    plain.pop("vary", None)
    scenario, batch = stack_points(plain, [{}])
    table = play(scenario, batch, [{}], args)
    show_means(scenario, table)
    write_results(Path(args.out), plain, scenario, table)
    return 0
