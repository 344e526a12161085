"""The report page: one HTML file that tells what a network did, opens offline and lets a reader check every round.

>>> from deslm.report import ReportData, write_report  # fill a ReportData, then: write_report(data, "report.html")
"""

import importlib
from typing import Any

_HOME = {
    "build_report": "build",
    "write_report": "build",
    "check_report_data": "check",
    "coverage_curve": "measure",
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
