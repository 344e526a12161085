"""How jax compiles and runs the small models of a run: on one thread, and each program only once.

What is compiled is remembered in the run's folder, so models of one shape, and a second demo, need not compile again.
"""

import os
from pathlib import Path

# Models this small gain nothing from a second thread, and two processes side by side would fight for it.
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def environment(run: Path) -> dict[str, str]:
    """Return the variables that a process working on the run in the folder `run` should have; a user's own win."""
    wanted = {
        "XLA_FLAGS": _ONE_THREAD,
        "JAX_COMPILATION_CACHE_DIR": str((run / "compiled").resolve()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
    }
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


def configure(run: Path) -> None:
    """Set these variables in this process; must come before its first jax import."""
    os.environ.update(environment(run))
