"""The law as code: pure functions on integers, one file a rule; `settle` is the table of contents.

No module here imports NumPy or JAX: the array module comes from the arrays, so the ledger (NumPy) and the simulator
(JAX under `jit` and `vmap`) run the same lines. The text is docs/PROTOCOL.md.
"""
