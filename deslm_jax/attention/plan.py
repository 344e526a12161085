"""How the blocked implementation cuts a call into steps: pure arithmetic on static numbers."""

from typing import NamedTuple

import jax

from deslm_jax.attention.mask import SparseAttentionSpec

# Up to here one block holds the whole sequence: at most this many logits a row, so memory stays linear in T.
_WHOLE_LENGTH = 128
# A longer stretch of keys is swept in chunks, so that wide and unlimited windows keep a bounded working set.
_LONGEST_STRETCH = 1024


class Plan(NamedTuple):
    """Static sizes of the blocked sweep."""

    rows: int  # query rows a step; never more than there are
    keys: int  # keys a step reads at a time; never more than there are
    whole_batch: bool  # one step takes every example and head, else one example and one key head

    def for_rows(self, n_rows: int, n_keys: int) -> "Plan":
        """The plan for rows that see every key, in this plan's manner."""
        if self.whole_batch and n_keys <= _WHOLE_LENGTH:
            return Plan(n_rows, n_keys, whole_batch=True)
        return Plan(min(self.rows, n_rows), min(n_keys, max(self.keys, 8 * self.rows)), self.whole_batch)


def choose_plan(
    n_rows: int, n_keys: int, spec: SparseAttentionSpec, *, platform: str | None = None, block: int | None = None
) -> Plan:
    """The plan for rows that follow the key positions (the local part), or for any rows if spec is unlimited.

    Args:
      n_rows, n_keys: T and S.
      spec: its window decides how many keys a block of rows needs.
      platform: of the computation; None takes JAX's default backend.
      block: rows a step, for tests and tuning; None chooses.
    """
    if block is None and max(n_rows, n_keys) <= _WHOLE_LENGTH:
        return Plan(n_rows, n_keys, whole_batch=True)
    # On a CPU one head a step keeps the tile in the second-level cache; an accelerator wants every head at once.
    on_cpu = (platform or jax.default_backend()) == "cpu"
    rows = min(n_rows, block or (64 if on_cpu else 128))
    if spec.left is None or spec.right is None:
        needed = n_keys
    else:
        needed = rows + spec.left + spec.right
    keys = needed if needed <= _LONGEST_STRETCH else _LONGEST_STRETCH // 2
    if block is not None:
        keys = needed if needed <= 8 * block else 4 * block
    return Plan(rows, min(keys, n_keys), whole_batch=not on_cpu)
