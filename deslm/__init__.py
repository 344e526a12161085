"""The front door: the `deslm` command, the demo, the report and the doctor.

The only package that sees the other three (`deslm_jax`, `train`, `consensus`), and thin: nothing heavy is imported
before a command needs it, so `deslm --version` answers at once.
"""

__version__ = "0.1.0"
