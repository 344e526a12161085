"""A network whose nodes lie on eight devices, and a sweep by two processes, play what one device plays."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from consensus.simulator.run import simulate
from consensus.simulator.spread import simulate_spread
from consensus.simulator.sweep import sweep
from consensus.simulator.world import start
from tests.consensus.simulator.small import assert_same_bits, make_small

STATIC, SETTING = make_small()

TWO_PROCESSES = """
import sys
import jax
jax.distributed.initialize(f"127.0.0.1:{sys.argv[2]}", num_processes=2, process_id=int(sys.argv[1]))
import numpy as np
from consensus.simulator import run
run.COMPILER_OPTIONS.update(xla_backend_optimization_level=0, xla_cpu_use_fusion_emitters=False)
from consensus.simulator.sweep import sweep
from tests.consensus.simulator.small import make_small
assert jax.device_count() == 2 and jax.local_device_count() == 1
swept = sweep(*make_small(), (1, 2, 3), 4, folder=sys.argv[3])
np.save(sys.argv[3] + f"/gains-{sys.argv[1]}.npy", swept.ending.gain_micro_O)
"""


def test_nodes_on_eight_devices_give_the_same_bits() -> None:
    assert STATIC.nodes % 8 != 0, "padding is part of what is tested"
    state = start(STATIC, SETTING)
    expected = simulate(STATIC, SETTING, state, 4, 4, backend="numpy")
    assert_same_bits(simulate_spread(STATIC, SETTING, state, 4, 4), expected)


@pytest.mark.slow
def test_two_processes_give_the_same_bits(tmp_path: Path, repository_root: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=1", "PYTHONPATH": "."}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_PROCESSES, str(rank), str(port), str(tmp_path)],
            cwd=repository_root,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors[-2000:]
    expected = sweep(STATIC, SETTING, (1, 2, 3), 4, parallel="numpy")
    for rank in range(2):
        assert np.array_equal(np.load(tmp_path / f"gains-{rank}.npy"), expected.ending.gain_micro_O)
    assert (tmp_path / "batch-00000.npz").exists()
