"""Make the golden files anew: needs torch and transformers.

    make setup EXTRAS=parity && .venv/bin/python -m tests.deslm_jax.interop.make_golden

Run it when `cases.py` changes, and look at the printed greedy tokens: they should not all be alike.
"""

from tests.deslm_jax.interop import torch_reference
from tests.deslm_jax.interop.cases import CASES, make_inputs
from tests.deslm_jax.interop.golden import FOLDER, write_golden


def main() -> None:
    """Write every case and say how large it is."""
    for name in CASES:
        model = torch_reference.build(name)
        found = torch_reference.answers(model, make_inputs())
        write_golden(name, model.config.to_dict(), torch_reference.state_of(model), found)
        print(name, (FOLDER / f"{name}.npz").stat().st_size, "bytes")
        if found.greedy_global_BU is not None:
            print(found.greedy_BU, found.greedy_global_BU, sep="\n")


if __name__ == "__main__":
    main()
