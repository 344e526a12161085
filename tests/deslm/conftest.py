"""Fixtures of the command-line and report tests."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def report_sample():
    """The module that makes up a run for the report page."""
    spec = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("report_sample.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def report_data(report_sample):
    """A small made-up run whose replay agreed."""
    return report_sample.verified(report_sample.sample_report(taught=20, untaught=5))
