"""The networks that attacks are played in: honest nodes of both roles, attackers with a share of the stake.

All have one shape (`STATIC`), so that one compiled program plays every attack; places that a network does not need are
keys without stake, which nobody draws (and which an attacker may move to).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from consensus.simulator.networks import FACTS, Group, Kind, Models, get_pot_micro, make_network
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import State
from consensus.state import Params
from consensus.units import MICRO

NODES, GROUPS, KINDS, TASKS = 97, 8, 3, 8
HONEST, ATTACKER, VICTIM, SPARE = 1, 2, 3, 4  # labels; a label holds nodes of both roles
LABELS = {"honest": HONEST, "attacker": ATTACKER, "victim": VICTIM, "spare": SPARE}
HONEST_NODES, STAKE_POTS = 8, 600.0  # of each role, each
STATIC = Static(nodes=NODES, tasks=TASKS, lag=1, kinds=KINDS, recipes=3, groups=GROUPS, sampling="dense")
UNUSED = Kind("unused", share=0.0, canary_share=0.0)
TWO_WAY = Kind("two-way", 1.0, 1.0, task_class=1, guess=0.5, wrong_answers=1)

Alter = Callable[[State], State]  # on NumPy leaves with a leading axis of seeds


class Case(NamedTuple):
    """One network to be played: so many rounds, and then, if asked, more under another setting and an altered state."""

    setting: Setting
    rounds: int
    alter: Alter | None = None
    later: Setting | None = None
    later_rounds: int = 0


def attackers(
    nodes: int, role: str, policy: str, share: float | None = None, dials: Sequence[int] = (), recipe: int = -1
) -> Group:
    """Attackers with a share of the role's stake, all of them together; without one each has an honest node's stake."""
    stake = STAKE_POTS if share is None else HONEST_NODES * STAKE_POTS * share / (1 - share) / nodes
    return Group("attacker", nodes, role, policy, stake, recipe, tuple(dials))


def honest(role: str, nodes: int = HONEST_NODES, **fields: Any) -> Group:
    """Honest nodes of one role."""
    return Group("honest", nodes, role, **fields)


def make_setting(
    law: Params,
    *groups: Group,
    kinds: Sequence[Kind] = FACTS,
    models: Models = Models(),  # noqa: B008 - a tuple of numbers
    without_honest: tuple[str, ...] = (),
    **options: Any,
) -> Setting:
    """Eight honest nodes of each role (but for the roles `without_honest`) and these groups, in the common shape.

    Groups of one name share a label, in both roles. `options` are `make_network`'s.
    """
    roles = [role for role in ("generator", "discriminator") if role not in without_honest]
    cast = [*(honest(role) for role in roles), *groups]
    taken = 1 + sum(group.nodes for group in cast)
    if taken > NODES:
        raise ValueError(f"a cast has at most {NODES - 1} nodes, this one has {taken - 1}")
    spare_G = (NODES - taken) // 2
    cast += [
        Group("spare", spare_G, "generator", stake_pots=0.0),
        Group("spare", NODES - taken - spare_G, "discriminator", stake_pots=0.0),
    ]
    kinds = [*kinds, *[UNUSED] * (KINDS - len(kinds))]
    options = {"purse_pots": 2_000.0, **options}
    _, setting = make_network(law, cast, kinds, models, **options)
    label_N = setting.conduct.group_N.copy()
    for place, group in enumerate(cast, start=1):
        label_N[setting.conduct.group_N == place] = LABELS[group.name]
    return setting._replace(conduct=setting.conduct._replace(group_N=label_N))


def get_tip_pot_micro(law: Params) -> int:
    """The pot that gains are stated in, micro-tokens."""
    return get_pot_micro(law, MICRO)
