"""Options of both commands, and how they change a scenario's plain values."""

import argparse
import tomllib
from typing import Any


def add_common_arguments(parser: argparse.ArgumentParser, out: str) -> None:
    """Declare what both commands take."""
    parser.add_argument("scenario", nargs="?", help="a TOML file (docs/SIMULATOR.md); the demo's network without one")
    parser.add_argument("--rounds", type=int, help="rounds to play, instead of the scenario's")
    parser.add_argument("--seeds", type=int, help="number of seeds, instead of the scenario's")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change one value: law.theta0_q16=0.9, network.load=0.5, groups.honest.stake_pots=300",
    )
    parser.add_argument("--out", default=out, help=f"folder for results ({out})")
    parser.add_argument("--memory-mib", type=int, help="the most memory a batch may take; half of the machine's")
    parser.add_argument("--parallel", choices=("jit", "pmap", "numpy"), default="jit", help="how runs are played (jit)")


def read_plain(args: argparse.Namespace) -> dict[str, Any]:
    """The scenario's plain values with the options applied. Raises ValueError or OSError."""
    from consensus.simulator.scenario import read_scenario, replace_at

    plain = read_scenario(args.scenario)
    for name in ("rounds", "seeds"):
        if getattr(args, name) is not None:
            plain[name] = getattr(args, name)
    for text in args.set:
        path, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: write PATH=VALUE")
        plain = replace_at(plain, path, parse_value(value))
    return plain


def parse_value(text: str) -> Any:
    """A value as TOML writes it; a bare word is a string.

    >>> parse_value("0.9"), parse_value("[6, 60]"), parse_value("inflator")
    (0.9, [6, 60], 'inflator')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
