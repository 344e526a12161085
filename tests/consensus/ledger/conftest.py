"""A ledger that was played once, for tests that read or damage a copy of it."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from consensus.engine.local import BlockResult
from tests.consensus.ledger.network import Chain, play


class Played(NamedTuple):
    """A finished ledger in `folder`, and the blocks its engine reported."""

    folder: Path
    blocks: list[BlockResult]


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    return Played(folder, play(folder, 24))


@pytest.fixture
def played(original: Played, tmp_path: Path) -> Played:
    """A copy that the test may damage."""
    shutil.copytree(original.folder, tmp_path / "ledger")
    return original._replace(folder=tmp_path / "ledger")


@pytest.fixture
def chain() -> Chain:
    return Chain()
