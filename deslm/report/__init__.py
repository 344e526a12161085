"""The report page: one HTML file that tells what a network did, opens offline and lets a reader check every round.

`build_report(data)` returns the page for a `ReportData`, which the demo fills from a replayed ledger alone.
"""

import importlib
from typing import Any

_HOME = {
    "build_report": "build",
    "check_report_data": "check",
    "reliability": "measure",
} | dict.fromkeys(
    (
        "Bin",
        "Candidate",
        "Curve",
        "DiscriminatorSeat",
        "GeneratorSeat",
        "Node",
        "Payment",
        "Point",
        "Reliability",
        "ReportData",
        "Round",
        "Score",
        "Unknown",
        "Verdict",
    ),
    "data",
)
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
