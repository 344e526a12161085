"""Who may import whom: walks every import in every module, lazy ones inside functions included.

The arrows point one way so that a node that only verifies starts without jax, the models can be used without the
protocol, and the rules run unchanged on NumPy and JAX arrays.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("deslm", "deslm_jax", "train", "consensus")
OUTSIDE = ("tests", "benchmarks", "notebooks")
JAX = ("jax", "jaxlib", "flax", "optax", "chex", "orbax")
CONSENSUS_TOP = ("consensus.ledger", "consensus.engine", "consensus.node", "consensus.simulator")

# A module at or below the first name imports nothing at or below the others.
FORBIDDEN = (
    ("consensus", ("deslm_jax", "train", "deslm", *OUTSIDE)),
    ("consensus.units", (*JAX, "consensus.rules", *CONSENSUS_TOP)),
    ("consensus.state", (*JAX, "consensus.rules", *CONSENSUS_TOP)),
    ("consensus.presets", (*JAX, "consensus.rules", *CONSENSUS_TOP)),
    ("consensus.rules", (*JAX, "numpy", *CONSENSUS_TOP)),
    ("consensus.rules", ("consensus.aggregation", "consensus.validation")),
    ("consensus.aggregation", (*CONSENSUS_TOP, "consensus.validation")),
    ("consensus.validation", (*JAX, *CONSENSUS_TOP)),
    ("consensus.ledger", (*JAX, "consensus.engine", "consensus.node", "consensus.simulator")),
    ("consensus.engine", (*JAX, "consensus.simulator")),
    ("consensus.node", (*JAX, "consensus.simulator")),
    ("consensus.simulator", ("consensus.ledger", "consensus.engine", "consensus.node")),
    ("deslm_jax", ("train", "consensus", "deslm", *OUTSIDE)),
    ("deslm_jax.attention", ("deslm_jax.generator", "deslm_jax.discriminator", "deslm_jax.decode", "deslm_jax.roles")),
    ("deslm_jax.layers", ("deslm_jax.generator", "deslm_jax.discriminator", "deslm_jax.decode", "deslm_jax.roles")),
    ("deslm_jax.generator", ("deslm_jax.decode", "deslm_jax.roles")),
    ("deslm_jax.discriminator", ("deslm_jax.decode", "deslm_jax.roles")),
    ("deslm_jax.decode", ("deslm_jax.roles",)),
    ("deslm_jax.decoding", ("deslm_jax.generator", "deslm_jax.layers", "deslm_jax.decode", "deslm_jax.roles")),
    ("deslm_jax.attention.reference", ("deslm_jax.attention.blocked", "deslm_jax.attention.door")),
    ("train", ("consensus", "deslm", *OUTSIDE)),
    ("deslm", OUTSIDE),
)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute name) of everything a file imports, wherever in it, by statement or by importlib."""
    name = module_name(path, root)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, source
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func).rpartition(".")[2]
            if function in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value)


def wrong_arrows(root: Path) -> list[str]:
    """Return every import that `FORBIDDEN` names, as "consensus/rules/pay.py:3 imports numpy"."""
    wrong = set()
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            importer = module_name(path, root)
            banned = [name for owner, names in FORBIDDEN if is_within(importer, owner) for name in names]
            for line, imported in imports_of(path, root):
                if any(is_within(imported, name) for name in banned):
                    wrong.add(f"{path.relative_to(root)}:{line} imports {imported}")
    return sorted(wrong)


def test_every_arrow_points_the_right_way(repository_root):
    assert wrong_arrows(repository_root) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("consensus/rules/pay.py", "import numpy as np"),
        ("consensus/rules/pay.py", "from jax import numpy"),
        ("consensus/ledger/app.py", "def f():\n    import jax.numpy as jnp"),
        ("consensus/ledger/app.py", "from .. import simulator"),
        ("consensus/ledger/app.py", "from consensus import engine"),
        ("consensus/ledger/__init__.py", "from ..engine import local"),
        ("consensus/node/a.py", "import importlib\nimportlib.import_module('deslm_jax.roles')"),
        ("deslm_jax/layers.py", "def f():\n    from train import losses"),
        ("deslm_jax/decode.py", "from deslm_jax.roles import GeneratorRole"),
        ("train/loop.py", "import consensus.units"),
        ("deslm/cli.py", "from tests import conftest"),
    ],
)
def test_a_planted_arrow_is_found(tmp_path, file, text):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = wrong_arrows(tmp_path)
    assert found
    assert all(line.startswith(f"{file}:") for line in found)


def test_an_allowed_arrow_is_not(tmp_path):
    path = tmp_path / "consensus" / "ledger" / "app.py"
    path.parent.mkdir(parents=True)
    path.write_text("import numpy\nfrom consensus import rules\nfrom ..state import Node\nimport trainer, jaxtyping")
    assert wrong_arrows(tmp_path) == []


def test_no_oracle_imports_what_it_judges(repository_root):
    oracles = [path for path in (repository_root / "tests").rglob("*oracle*.py") if not path.name.startswith("test_")]
    assert oracles, "the rules have no oracle in tests/"
    for path in oracles:
        judged = [name for _, name in imports_of(path, repository_root) if is_within(name, "consensus.rules")]
        assert not judged, f"{path} imports {judged}"


@pytest.mark.parametrize("package", ["train", "consensus"])
def test_no_module_hides_one_of_the_standard_library(repository_root, package):
    paths = (repository_root / package).rglob("*.py")
    assert {module_name(path, repository_root).rpartition(".")[2] for path in paths} & sys.stdlib_module_names == set()


LOAD_ALL = """
import importlib, pkgutil, sys
loaded = []
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    assert package.__file__, name + " has no __init__.py"
    loaded += [importlib.import_module(module.name) for module in pkgutil.walk_packages(package.__path__, name + ".")]
assert loaded, "nothing to load"
print(sorted({"jax", "jaxlib", "flax", "deslm_jax", "train"} & set(sys.modules)))
"""


@pytest.mark.parametrize("package", ["consensus.ledger", "consensus.engine", "consensus.node", "consensus.rules"])
def test_what_a_verifying_node_loads_brings_no_jax(package):
    done = subprocess.run([sys.executable, "-c", LOAD_ALL, package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
