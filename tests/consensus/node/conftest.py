"""A fresh chain without an engine."""

import pytest

from tests.consensus.ledger.network import Chain


@pytest.fixture
def chain() -> Chain:
    return Chain()
