"""Who plays in the demo's network: honest nodes that run the trained models, and four that cheat."""

from typing import Literal, NamedTuple

Role = Literal["generator", "discriminator"]
HONEST = "honest"


class Member(NamedTuple):
    """One node: its name in the report, what it does, and whose model it runs."""

    name: str
    role: Role
    behaviour: str  # "honest", or a name of consensus.node.behaviours
    model: str  # a trained bundle's name; "" if it runs none

    @property
    def is_honest(self) -> bool:
        """Whether it says what its model believes."""
        return self.behaviour == HONEST


def choose_cast(generators: list[str], discriminators: list[str], *, honest_only: bool = False) -> list[Member]:
    """Return 6 honest nodes of each role, sharing the trained models in turn, and the 4 that are not.

    With `honest_only` the four run models like the rest: the control that shows what honesty costs.
    """
    honest = 8 if honest_only else 6
    cast = [Member(f"gen-{i + 1}", "generator", HONEST, generators[i % len(generators)]) for i in range(honest)]
    cast += [
        Member(f"dis-{i + 1}", "discriminator", HONEST, discriminators[i % len(discriminators)]) for i in range(honest)
    ]
    if honest_only:
        return cast
    return [
        *cast,
        Member("inflator", "generator", "inflator", ""),
        Member("copycat", "generator", "copycat", ""),
        Member("flagger", "discriminator", "flag_everything", ""),
        Member("withholder", "discriminator", "withholder", discriminators[0]),
    ]
