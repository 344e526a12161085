"""`deslm profile RUN --out profile.json`: what a finished run's models can do, as numbers for the simulator."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run and the file to write."""
    parser.add_argument("run", metavar="RUN", type=Path, help="folder of a finished demo: runs/demo")
    parser.add_argument("--out", type=Path, default=Path("profile.json"), help="file to write (default: profile.json)")


def run(args: argparse.Namespace) -> int:
    """Measure, write, and say what was found; 0."""
    from consensus.simulator.measuring import measure
    from consensus.simulator.profiles import write_profile

    from .demo.observe import observe, see

    profile = measure(see(observe(args.run)))
    write_profile(profile, args.out)
    for line in profile.models:
        print(
            f"{line.role} {line.name}: {line.accuracy:.3f} right of {line.opinions}, says {line.mean:.3f}, "
            f"Brier {line.brier:.3f}"
        )
    for name, role in (("generators", profile.generators), ("verifiers", profile.verifiers)):
        print(f"{name}: {role.models} models, {role.own:.2f} of what their errors do not share is a node's own")
    for kind in profile.kinds:
        print(
            f"{kind.name}: {kind.accuracy:.3f} right, two wrong answers coincide {kind.coincidence:.2f}, evidence "
            f"{kind.evidence:.2f}"
        )
        for name, sight in (("generators", kind.generators), ("verifiers", kind.verifiers)):
            print(
                f"  {name}: separation {sight.separation:.2f}, temperature {sight.temperature:.2f}, bias "
                f"{sight.bias:+.2f}, errors of two models correlate {sight.shared:.2f}, blind to {sight.trapped:.2f} "
                f"of traps and {sight.blind:.3f} of other wrong answers"
            )
    print(f'{args.out}: kappa {profile.kappa:.2f}; simulate with the line profile = "{args.out}" in a scenario')
    return 0
