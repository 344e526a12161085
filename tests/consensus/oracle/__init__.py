"""The law once more, in plain Python ints, dicts and loops: what the rules are judged by.

Written from `docs/PROTOCOL.md`, not from `consensus.rules`, and it imports nothing of the package. It is slow and
obvious on purpose. A world is one dict that every function changes in place:

    {"params": {name: int or list}, "network": {name: int}, "nodes": [{name: int or list by role}, ...]}

Names are those of `consensus.state` without their shape letters, so `liquid_micro_N[i]` is
`world["nodes"][i]["liquid_micro"]`. Python ints do not overflow and `//` floors: the two properties the law asks for.
"""

from tests.consensus.oracle.accounts import (
    bond,
    can_unbond,
    compute_challenge_bond,
    end_block,
    is_final,
    open_challenge,
    overturn,
    release_escrow,
    transfer,
    unbond,
    uphold,
)
from tests.consensus.oracle.audit import settle_audit
from tests.consensus.oracle.seats import can_open, open_task
from tests.consensus.oracle.settle import settle_task, unlock_wagers
from tests.consensus.oracle.slashing import equivocation_penalty, slash, slash_equivocation

__all__ = [
    "bond",
    "can_open",
    "can_unbond",
    "compute_challenge_bond",
    "end_block",
    "equivocation_penalty",
    "is_final",
    "open_challenge",
    "open_task",
    "overturn",
    "release_escrow",
    "settle_audit",
    "settle_task",
    "slash",
    "slash_equivocation",
    "transfer",
    "unbond",
    "unlock_wagers",
    "uphold",
]
