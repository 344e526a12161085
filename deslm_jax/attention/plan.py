"""How the blocked implementation cuts a call into steps: pure arithmetic on static numbers."""

from typing import NamedTuple

import jax

from deslm_jax.attention.mask import SparseAttentionSpec

# Up to here one block holds the whole sequence: at most this many logits a row, so memory stays linear in T.
_WHOLE_LENGTH = 128
# Rows a block, and how many keys it meets at once. On a CPU the logits, keys and values of a tile fill half of a
# second-level cache of 512 KiB; twice as many rows or keys were slower. An accelerator wants large products.
_ROWS = {"cpu": 64, "accelerator": 128}
_LONGEST_STRETCH = {"cpu": 320, "accelerator": 1024}


class Plan(NamedTuple):
    """Static sizes of the blocked sweep."""

    rows: int  # query rows a step; never more than there are
    keys: int  # keys a step reads at a time; never more than there are
    head_by_head: bool  # one example and one key head at a time, else every step takes them all

    def for_rows(self, n_rows: int, n_keys: int) -> "Plan":
        """The plan for rows that see every key, in this plan's manner."""
        if not self.head_by_head and n_keys <= _WHOLE_LENGTH:
            return Plan(n_rows, n_keys, head_by_head=False)
        return self._replace(rows=min(self.rows, n_rows), keys=min(n_keys, max(self.keys, 8 * self.rows)))


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
        return Plan(n_rows, n_keys, head_by_head=False)
    device = "cpu" if (platform or jax.default_backend()) == "cpu" else "accelerator"
    rows = min(n_rows, block or _ROWS[device])
    longest = _LONGEST_STRETCH[device] if block is None else 4 * block
    needed = n_keys
    if spec.left is not None and spec.right is not None:
        needed = min(n_keys, rows + spec.left + spec.right)
    # Stretches of equal length, in multiples of 16 so that the products have whole registers.
    stretches = -(-needed // longest)
    keys = -(-needed // (16 * stretches)) * 16
    return Plan(rows, min(keys, n_keys), head_by_head=device == "cpu")
