"""The wheel works where there is no checkout: the command starts and a bundled fact is found."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

# Each package's data must have come along: the facts, the law's tables, the report's page.
PROBE = """
import deslm, train, consensus, sys
from importlib.resources import files
from deslm_jax.knowledge import KnowledgeBase
from train.facts import BUNDLED_FACTS
home = sys.argv[1]
for package in (deslm, train, consensus):
    assert package.__file__.startswith(home), package.__file__
assert files("deslm.report").joinpath("page.html").is_file()
from consensus.rules.settle import open_task
print(KnowledgeBase.from_path(BUNDLED_FACTS).search("What is the capital of Peru?", 1)[0].object)
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_wheel_runs_outside_the_checkout(repository_root: Path, tmp_path: Path):
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", repository_root, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    home = tmp_path / "env"
    run(sys.executable, "-m", "venv", home, cwd=tmp_path)
    run(home / "bin" / "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", wheel, cwd=tmp_path)
    # The dependencies as installed here; a checkout installed in editable mode is not among them, since a .pth file
    # is only read in an environment's own site-packages.
    site = next((home / "lib").glob("python3*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert run(home / "bin" / "deslm", "--version", cwd=tmp_path).startswith("deslm ")
    assert run(home / "bin" / "python", "-c", PROBE, str(home), cwd=tmp_path).strip() == "Lima"
