"""Writes the frozen rounds beside this file: `python -m tests.consensus.vectors.make`.

The oracle plays one task's life after another, each from a small random network, and keeps the first life that shows
each thing worth freezing. Rules and oracle are compared while it plays, so a vector is never written of a disagreement.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.consensus import bridge
from tests.consensus.digest import compute_digest
from tests.consensus.histories import History, make_world
from tests.consensus.twin import Twin

FOLDER = Path(__file__).parent
SEATS_G, SEATS_D, NODES = 3, 4, 6


class ScribeTwin(Twin):
    """A twin that writes down every step in plain values."""

    def __init__(self, world: dict[str, Any]) -> None:
        super().__init__(world)
        self.round: list[dict[str, Any]] = []

    def step(self, name: str, **plain: Any) -> Any:
        written = json.loads(json.dumps(plain))
        returned = super().step(name, **plain)
        listed = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
        digest = compute_digest(self.network, self.nodes)
        self.round.append({"step": name, "arguments": written, "returned": listed, "digest": digest})
        return returned


class Life(NamedTuple):
    """One task's life, and the values that say what it shows."""

    pre: dict[str, Any]
    twin: ScribeTwin

    def returned(self, name: str, item: int = 0) -> Any:
        """What the (last) step of this name returned; None if there was none."""
        found = [step["returned"] for step in self.twin.round if step["step"] == name]
        return found[-1][item] if found and found[-1] else None

    def played(self, name: str) -> bool:
        """Whether a step of this name happened."""
        return any(step["step"] == name for step in self.twin.round)

    @property
    def opened(self) -> dict[str, Any]:
        return self.returned("open_task")

    @property
    def outcome(self) -> dict[str, Any]:
        return self.returned("settle_task")

    def settled_with(self, name: str) -> Any:
        """The arguments of settle_task."""
        return next(step["arguments"][name] for step in self.twin.round if step["step"] == "settle_task")

    @property
    def accepted(self) -> bool:
        return self.outcome["accepted"] >= 0

    @property
    def is_canary(self) -> bool:
        return bool(self.settled_with("is_canary"))

    @property
    def audited(self) -> bool:
        return self.played("settle_audit")


def abstained(reason: int) -> Callable[[Life], bool]:
    """Whether a life ends unaccepted for this reason, all seats drawn."""
    return lambda life: life.outcome["reason"] == reason and min(life.opened["discriminator"]) >= 0


def lost(life: Life, what: str, role: str) -> bool:
    """Whether a node that sat in `role` lost something of this kind in the audit."""
    payments = life.returned("settle_audit")
    return payments is not None and any(payments[what][i] < 0 for i in life.opened[role] if i >= 0)


def overturned_by_challenger(life: Life) -> bool:
    return life.played("open_challenge") and life.played("overturn")


def with_short_purse(life: Life) -> bool:
    """The house could not back the nominal wager of the discriminators, yet some."""
    shares = life.pre["params"]["wager_fees"][1] * life.opened["flat_fee_micro"][1] * 65536
    p_audit = life.pre["params"]["canary_rate_q16"] + life.pre["params"]["random_audit_rate_q16"]
    return 0 < life.opened["wager_micro"][1] < shares // p_audit and life.audited


def has_tie(life: Life) -> bool:
    """Two candidates share the best score."""
    proposed = {a for a in life.settled_with("round")["answer"] if a >= 0}
    scores = sorted(life.outcome["score_q12"][j] for j in proposed)
    return len(scores) > 1 and scores[-1] == scores[-2]


def no_answer_and_hidden_verdicts(life: Life) -> bool:
    """Discriminators hid verdicts that nobody needed: they owe nothing."""
    return life.outcome["reason"] == 1 and life.audited and 0 in life.settled_with("round")["revealed"]


def without_evidence(life: Life) -> bool:
    """A revealed verdict on the drawn candidate names no evidence, and is audited."""
    round, drawn = life.settled_with("round"), life.outcome["drawn"]
    shown = [row[drawn] for row, revealed in zip(round["evidence"], round["revealed"], strict=True) if revealed]
    return life.audited and drawn >= 0 and 0 in shown and 1 in shown


SHOWN: dict[str, Callable[[Life], bool]] = {
    "accepted": lambda life: life.accepted and not life.audited and life.played("release_escrow"),
    "accepted_two_way": lambda life: life.accepted and life.opened["task_class"] == 1,
    "accepted_without_proposer": lambda life: life.accepted and life.settled_with("proposer") == -1,
    "canary_accepted": lambda life: life.accepted and life.is_canary and life.audited,
    "canary_abstained": lambda life: not life.accepted and life.is_canary and life.audited,
    "random_audit": lambda life: life.accepted and not life.is_canary and life.audited,
    "overturned_by_audit": lambda life: life.played("overturn") and not life.played("open_challenge"),
    "overturned_by_challenger": overturned_by_challenger,
    "challenge_upheld": lambda life: life.played("uphold"),
    "truth_never_came": lambda life: sum(step["step"] == "unlock_wagers" for step in life.twin.round) == 1,
    "no_answer": abstained(1),
    "no_answer_audited": no_answer_and_hidden_verdicts,
    "quorum_missed": abstained(2),
    "one_node": abstained(3),
    "no_support": abstained(4),
    "below_threshold": abstained(5),
    "tie": has_tie,
    "no_eligible_discriminator": lambda life: max(life.opened["discriminator"]) < 0,
    "short_purse": with_short_purse,
    "generator_forfeits": lambda life: lost(life, "forfeit_micro", "generator"),
    "discriminator_forfeits": lambda life: lost(life, "forfeit_micro", "discriminator"),
    "no_evidence": without_evidence,
    "jailed": lambda life: lost(life, "slash_micro", "generator") or lost(life, "slash_micro", "discriminator"),
}


def play_life(seed: int) -> Life | None:
    """One task from opening to its end; None if nobody could pay."""
    rng = random.Random(seed)
    pre = make_world(rng, NODES)
    for row in pre["nodes"]:
        row["cusum_q16"] = [rng.randrange(20001), rng.randrange(20001)]
        row["beta_q16"] = [rng.choice([0, 32768, rng.randrange(65537)]) for _ in range(2)]
        row["role"][1] *= seed % 16 > 0  # in some networks nobody judges
    twin = ScribeTwin(pre)
    history = History(twin, seed, SEATS_G, SEATS_D)
    if not history.open_task():
        return None
    while history.tasks:
        for task in list(history.tasks):
            history.advance(task)
        twin.step("end_block", tasks_opened=rng.randrange(4))
        if len(twin.round) > 16:
            break
    return None if history.tasks else Life(pre, twin)


def play_stake(seed: int) -> Life:
    """While wagers are open somebody leaves, is slashed for signing twice, and is released what is left."""
    pre = make_world(random.Random(seed), NODES)
    twin = ScribeTwin(pre)
    twin.step("bond", node=0, amount_micro=10**8 + 1)
    opened = twin.step(
        "open_task",
        payer=5,
        tip_micro=10**6,
        task_class=0,
        generator_draws_G16=[[40 * seat] * 16 for seat in range(SEATS_G)],
        discriminator_draws_D16=[[60 * seat] * 16 for seat in range(SEATS_D)],
    )
    leaving = twin.world["nodes"][1]["bonded_micro"] - twin.world["nodes"][1]["locked_micro"] - 12345
    twin.step("unbond", node=1, amount_micro=leaving)
    twin.step("slash_equivocation", offender=1, finder=2)
    twin.step("slash_equivocation", offender=3, finder=-1)
    twin.step("equivocation_penalty", equivocator_N=[0, 1, 0, 1, 0, 0])
    twin.step("slash", fraction_q16_N=[65536, 0, 65536, 1, 0, 65536], finder=4)
    twin.step("transfer", sender=4, receiver=0, amount_micro=7)
    twin.step("unlock_wagers", round=opened)
    for tasks in (0, 1, 2, 3, 0):
        twin.step("end_block", tasks_opened=tasks)
    return Life(pre, twin)


def render(name: str, life: Life) -> str:
    """A vector as JSON with one leaf a line."""
    network, nodes = bridge.to_dict(life.twin.network), life.twin.world["nodes"]
    vector = {
        "name": name,
        "params": life.pre["params"],
        "pre": {"network": life.pre["network"], "nodes": life.pre["nodes"]},
        "round": life.twin.round,
        "post": {"network": network, "nodes": nodes},
        "digest": compute_digest(life.twin.network, life.twin.nodes),
    }
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    blocks = []
    for key, value in vector.items():
        if key == "round":
            text = "[\n" + ",\n".join(f"  {compact(step)}" for step in value) + "\n]"
        elif key in ("pre", "post"):
            rows = ",\n".join(f"  {compact(row)}" for row in value["nodes"])
            text = f'{{"network":{compact(value["network"])},\n"nodes":[\n{rows}\n]}}'
        else:
            text = compact(value)
        blocks.append(f'"{key}":{text}')
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def find_lives() -> dict[str, Life]:
    """The first life that shows each thing; a life is used once."""
    found: dict[str, Life] = {}
    for seed in range(5_000):
        life = play_life(seed)
        name = next((n for n, shows in SHOWN.items() if n not in found and life is not None and shows(life)), None)
        if name is not None and life is not None:
            found[name] = life
        if len(found) == len(SHOWN):
            return {**found, "stake_and_slashes": play_stake(0)}
    raise RuntimeError(f"no seed below 5,000 shows {sorted(set(SHOWN) - set(found))}: make the histories livelier")


def main() -> None:
    """Write every vector anew."""
    for name, life in find_lives().items():
        (FOLDER / f"{name}.json").write_text(render(name, life), encoding="utf-8")


if __name__ == "__main__":
    main()
