"""The attack library: every row of the law's attack table, played or computed, beside its pass line.

    from consensus import presets
    from consensus.simulator.attacks import Size, measure
    reports = measure(Size(presets.demo(), seeds=8, rounds=40), ["cartel", "laziness"])
    for reading in reports["cartel"].readings:
        print(reading.measure, reading.value, reading.error, reading.verdict)

One file an attack. An attack that is played names its networks (`cases`, built by `cast.make_setting` from policies of
`consensus.simulator.policies`) and judges what came out; the others ask the rules directly. Rules that the law refuses
are in `ablations` alone.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "Attack": "report",
    "Case": "cast",
    "Curve": "report",
    "Played": "playing",
    "Reading": "report",
    "Report": "report",
    "Size": "report",
    "list_attacks": "catalogue",
    "make_setting": "cast",
    "measure": "catalogue",
    "play_cases": "playing",
}
__all__ = [
    "Attack",
    "Case",
    "Curve",
    "Played",
    "Reading",
    "Report",
    "Size",
    "list_attacks",
    "make_setting",
    "measure",
    "play_cases",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
