"""The tasks of a round open, one after the other: each locks stake that the next cannot have."""

from typing import Any

from consensus.rules import settle
from consensus.simulator.agents import Questions
from consensus.simulator.loops import scan
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import ASKER, empty_pending
from consensus.state import Array, Network, Nodes, Round
from consensus.units import as_int64, namespace


def open_round(
    static: Static,
    setting: Setting,
    network: Network,
    nodes: Nodes,
    questions: Questions,
    draws: tuple[Array, Array],
) -> tuple[Network, Nodes, Round, Array]:
    """The network, the nodes, the rounds [T, ...] with nothing revealed, and which places opened [T].

    A place opens if it is wanted and the asker can pay (R1).
    """
    xp = namespace(network.height)
    nothing = empty_pending(xp, static).round
    rows = (questions.is_open_T, *draws, nothing)

    def open_one(carry: tuple[Network, Nodes], row: Any) -> Any:
        is_wanted, generator_draws_G16, discriminator_draws_D16, empty = row
        tip_micro = setting.demand.tip_micro
        is_open = (is_wanted == 1) & settle.can_open(*carry, ASKER, tip_micro)
        opened = settle.open_task(
            setting.law, *carry, ASKER, tip_micro, 0, generator_draws_G16, discriminator_draws_D16
        )
        pick = lambda a, b: a if a is b else xp.where(is_open, a, b)
        chosen = [
            type(a)(*(pick(x, y) for x, y in zip(a, b, strict=True)))
            for a, b in zip(opened, (*carry, empty), strict=True)
        ]
        return (chosen[0], chosen[1]), (chosen[2], as_int64(is_open))

    (network, nodes), (rounds, is_open_T) = scan(open_one, (network, nodes), rows)
    return network, nodes, rounds, is_open_T
