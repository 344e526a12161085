"""Fixtures of the demo's tests."""

import pytest

from tests.deslm.demo.small_run import Played, finish, make_company, make_setting


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One finished run, shared: read it, do not change it."""
    setting = make_setting(tmp_path_factory.mktemp("demo") / "run")
    return finish(setting, make_company(setting))
