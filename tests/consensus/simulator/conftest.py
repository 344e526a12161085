"""The simulator's programs are large and run for a moment here: compile them without optimisation."""

import pytest

from consensus.simulator import run


@pytest.fixture(autouse=True, scope="session")
def _quick_compile() -> None:
    run.COMPILER_OPTIONS.update(xla_backend_optimization_level=0, xla_cpu_use_fusion_emitters=False)
