"""Whole histories of a small network, a function of a seed: several tasks in flight, audits, challenges, stake moves.

Agents are crude (each has a probability of being right), but everything the rules can do happens: abstentions, ties,
hidden reveals, jails, equivocation, overturned answers, truths that never come, exits. Plays on anything with
`world` and `step` (`tests.consensus.twin.Twin`).
"""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.consensus.strategies import LAW, ONE, SUPPLY_CAP
from tests.consensus.twin import Twin

# Probabilities at which a rule turns: the ends, one half (R9's guess), t = .75 (R7's flag), and their neighbours.
TURNING_POINTS = (0, 1, 32767, 32768, 32769, 49151, 49152, 49153, ONE - 1, ONE)
# What the histories change in the law: everything happens often, and soon.
LIVELY = {
    "challenge_window_blocks": 3,
    "canary_rate_q16": 13107,
    "random_audit_rate_q16": 16384,
    "unbonding_blocks": 4,
    "jail_blocks": 6,
    "cusum_limit_q16": 20000,
    "emission_rate_q32": 1,
    "target_tasks": 1,
}


@dataclass
class Task:
    """A task in flight and what its asker knows."""

    round: dict[str, Any]
    payer: int
    is_canary: int
    outcome: dict[str, Any] = field(default_factory=dict)
    escrow_micro: list[int] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)
    settled_at: int = -1
    audit_pending: bool = False
    challenger: int = -1
    bond_micro: int = 0


def make_world(rng: random.Random, nodes: int, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """A network of `nodes` staked accounts in both roles; the last one only asks."""
    params = {**LAW, **LIVELY, **(changes or {})}
    rows: list[dict[str, Any]] = []
    for i in range(nodes):
        asks_only = i == nodes - 1
        rows.append(
            {
                "liquid_micro": rng.randrange(10**9, 10**10),
                "bonded_micro": 0 if asks_only else rng.randrange(10**9, 4 * 10**9),
                "locked_micro": 0,
                "unbonding_micro": 0,
                "unbonding_release": 0,
                "escrow_micro": 0,
                "role": [0, 0] if asks_only else [1, 1],
                "good_q8": [rng.randrange(0, 16384), rng.randrange(0, 16384)],
                "bad_q8": [rng.randrange(0, 8192), rng.randrange(0, 8192)],
                "beta_q16": [params["beta_start_q16"]] * 2,
                "cusum_q16": [0, 0],
                "jailed_until": 0,
            }
        )
    network: dict[str, Any] = {
        "treasury_micro": 10**12,
        "burned_micro": 0,
        "purse_micro": rng.choice([0, 10**6, 10**9, 10**10]),
        "purse_reserved_micro": 0,
        "task_escrow_micro": 0,
        "challenge_bonds_micro": 0,
        "base_fee_micro": 10**6,
        "integral_q12": 0,
        "base_rate_q16": params["base_rate_start_q16"],
        "height": 1,
        "exiting_micro": 0,
    }
    held = sum(row["liquid_micro"] + row["bonded_micro"] for row in rows)
    network["reserve_micro"] = SUPPLY_CAP - held - network["treasury_micro"] - network["purse_micro"]
    return {"params": params, "network": network, "nodes": rows}


class History:
    """Plays blocks on a twin; `tally` counts what happened, so that a test can say what it covered."""

    def __init__(self, twin: Twin, seed: int, seats_G: int, seats_D: int) -> None:
        self.twin, self.rng = twin, random.Random(seed)
        self.seats_G, self.seats_D = seats_G, seats_D
        self.tasks: list[Task] = []
        self.tally: dict[str, int] = {}
        nodes = len(twin.world["nodes"])
        self.skill = [self.rng.choice([0.1, 0.7, 0.95]) for _ in range(nodes)]

    def count(self, what: str) -> None:
        """One more of `what` happened."""
        self.tally[what] = self.tally.get(what, 0) + 1

    def draw_16(self) -> list[int]:
        """Sixteen beacon bytes."""
        return list(self.rng.randbytes(16))

    def play_block(self) -> None:
        """Open up to two tasks, move what is in flight one stage on, and close the block."""
        opened = 0
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            opened += self.open_task()
        for task in list(self.tasks):
            self.advance(task)
        self.move_stake()
        self.twin.step("end_block", tasks_opened=opened)

    def open_task(self) -> int:
        """1 if somebody could pay for a task."""
        world, rng = self.twin.world, self.rng
        payer, tip = rng.randrange(len(world["nodes"])), rng.randrange(0, 2_000_000)
        if world["nodes"][payer]["liquid_micro"] < world["network"]["base_fee_micro"] + tip:
            return 0
        opened = self.twin.step(
            "open_task",
            payer=payer,
            tip_micro=tip,
            task_class=rng.randrange(3),
            generator_draws_G16=[self.draw_16() for _ in range(self.seats_G)],
            discriminator_draws_D16=[self.draw_16() for _ in range(self.seats_D)],
        )
        # Now and then everybody who knows anything believes the same false thing.
        believed = rng.randrange(3)
        right = believed if rng.random() < 0.8 else 3 - believed
        self.tasks.append(Task(self.reveal(opened, believed, right), payer, int(rng.random() < 0.3)))
        self.count("opened" if min(opened["generator"] + opened["discriminator"]) >= 0 else "opened without seats")
        return 1

    def reveal(self, round: dict[str, Any], believed: int, right: int) -> dict[str, Any]:
        """What agents say: what is believed if they know, anything else if not, nothing now and then."""
        rng = self.rng
        hides = rng.choice([0.0, 0.0, 0.0, 0.25, 0.5])
        answers: dict[int, tuple[int, int]] = {-1: (-1, 0)}
        for node in round["generator"]:
            knows = rng.random() < self.skill[node]
            said = believed if knows else rng.randrange(4)
            sure = rng.randrange(45000, ONE + 1) if knows else rng.randrange(0, ONE + 1)
            sure = rng.choice(TURNING_POINTS) if rng.random() < 0.1 else sure
            answers.setdefault(node, (-1, 0) if rng.random() < hides else (said, sure))
        if rng.random() < 0.05:
            answers = dict.fromkeys(answers, (-1, 0))
        ranks = {answer: j for j, answer in enumerate(sorted({a for a, _ in answers.values() if a >= 0}))}
        verdicts: dict[int, tuple[list[int], list[int]] | None] = {-1: None}
        for node in round["discriminator"]:
            shown = self.judge(node, [answer != believed for answer in ranks])
            verdicts.setdefault(node, None if rng.random() < hides else shown)
        nothing = ([0] * self.seats_G, [0] * self.seats_G)
        return {
            **round,
            "answer": [ranks.get(answers[n][0], -1) for n in round["generator"]],
            "confidence_q16": [answers[n][1] for n in round["generator"]],
            "revealed": [int(verdicts[n] is not None) for n in round["discriminator"]],
            "verdict_q16": [list((verdicts[n] or nothing)[0]) for n in round["discriminator"]],
            "evidence": [list((verdicts[n] or nothing)[1]) for n in round["discriminator"]],
            "right_rank": ranks.get(right, -1),
        }

    def judge(self, node: int, looks_false: list[bool]) -> tuple[list[int], list[int]]:
        """One node's verdicts and whether it found evidence, on every candidate number."""
        rng = self.rng
        flags, evidence = [0] * self.seats_G, [0] * self.seats_G
        for j, is_false in enumerate(looks_false):
            says_false = is_false if rng.random() < self.skill[node] else rng.random() < 0.5
            flags[j] = rng.randrange(40000, ONE + 1) if says_false else rng.randrange(0, 20000)
            flags[j] = rng.choice(TURNING_POINTS) if rng.random() < 0.15 else flags[j]
            evidence[j] = int(rng.random() < 0.9)
        return flags, evidence

    def advance(self, task: Task) -> None:
        """Settle a fresh task, then bring its truth or its end."""
        height = self.twin.world["network"]["height"]
        if task.settled_at < 0:
            if self.rng.random() < 0.6:
                self.settle(task, height)
        elif task.audit_pending:
            self.audit(task, height)
        elif task.challenger >= 0:
            self.decide_challenge(task)
        elif height >= task.settled_at + self.twin.world["params"]["challenge_window_blocks"]:
            self.twin.step("release_escrow", amounts_micro_N=task.escrow_micro)
            self.tasks.remove(task)
        elif self.rng.random() < 0.2:
            self.challenge(task)

    def settle(self, task: Task, height: int) -> None:
        """The last deadline of a task."""
        right = task.round.pop("right_rank")
        task.outcome, payments = self.twin.step(
            "settle_task",
            round=task.round,
            payer=task.payer,
            candidate_draw_16=self.draw_16(),
            audit_draw_16=self.draw_16(),
            proposer=self.rng.randrange(-1, len(self.twin.world["nodes"])),
            is_canary=task.is_canary,
        )
        self.count(f"reason {task.outcome['reason']}")
        task.settled_at = height
        task.audit_pending = bool(task.is_canary or task.outcome["is_random_audit"])
        task.truth = [int(j == right) for j in range(self.seats_G)]
        paid = set(task.round["generator"])
        task.escrow_micro = [fee if i in paid else 0 for i, fee in enumerate(payments["fee_micro"])]

    def audit(self, task: Task, height: int) -> None:
        """The truth arrives, or does not within the window."""
        if height >= task.settled_at + self.twin.world["params"]["challenge_window_blocks"]:
            self.twin.step("unlock_wagers", round=task.round)
            task.audit_pending = False
            self.count("truth never came")
            return
        if self.rng.random() < 0.4:
            return
        jailed = sum(node["jailed_until"] for node in self.twin.world["nodes"])
        self.twin.step(
            "settle_audit",
            round=task.round,
            outcome=task.outcome,
            truth_C=task.truth,
            is_random=task.outcome["is_random_audit"],
        )
        self.count("audited")
        if sum(node["jailed_until"] for node in self.twin.world["nodes"]) > jailed:
            self.count("jailed")
        task.audit_pending = False
        accepted = task.outcome["accepted"]
        if accepted >= 0 and not task.truth[accepted]:
            self.twin.step("overturn", amounts_micro_N=task.escrow_micro)
            self.count("overturned by audit")
            self.tasks.remove(task)

    def challenge(self, task: Task) -> None:
        """Somebody who can pay the bond challenges an accepted answer."""
        challenger = self.rng.randrange(len(self.twin.world["nodes"]))
        bond = self.twin.world["params"]["challenge_bond_fees"] * task.round["fee_micro"]
        if task.outcome["accepted"] >= 0 and self.twin.world["nodes"][challenger]["liquid_micro"] >= bond:
            self.twin.step("open_challenge", challenger=challenger, bond_micro=bond)
            task.challenger, task.bond_micro = challenger, bond

    def decide_challenge(self, task: Task) -> None:
        """The truth decides a challenge; a kept answer's escrow goes on to its end."""
        terms = {"amounts_micro_N": task.escrow_micro, "challenger": task.challenger, "bond_micro": task.bond_micro}
        task.challenger = -1
        if task.truth[task.outcome["accepted"]]:
            self.twin.step("uphold", **terms)
            self.count("upheld")
        else:
            self.twin.step("overturn", **terms)
            self.count("overturned by challenge")
            self.tasks.remove(task)

    def move_stake(self) -> None:
        """Now and then somebody bonds, leaves, pays somebody, or is caught signing twice."""
        rng, nodes = self.rng, self.twin.world["nodes"]
        i, j = rng.randrange(len(nodes)), rng.randrange(len(nodes))
        dice = rng.random()
        if dice < 0.1:
            self.twin.step("bond", node=i, amount_micro=nodes[i]["liquid_micro"] // 4)
        elif dice < 0.2:
            self.twin.step("unbond", node=i, amount_micro=(nodes[i]["bonded_micro"] - nodes[i]["locked_micro"]) // 3)
        elif dice < 0.3:
            self.twin.step("transfer", sender=i, receiver=j, amount_micro=nodes[i]["liquid_micro"] // 5)
        elif dice < 0.33:
            self.twin.step("slash_equivocation", offender=i, finder=rng.choice([-1, j]))
            self.twin.step("equivocation_penalty", equivocator_N=[int(k == i) for k in range(len(nodes))])
            self.count("equivocation")
        elif dice < 0.4:
            fractions = [rng.choice([0, 0, rng.randrange(ONE // 4)]) for _ in nodes]
            self.twin.step("slash", fraction_q16_N=fractions, finder=rng.choice([-1, j]))
