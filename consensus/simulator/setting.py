"""What a simulation is given: its sizes, and everything else as arrays that a sweep may vary.

`Static` holds what fixes shapes (a new one is a new compilation); `Setting` is one pytree of int64 arrays: the law's
parameters, what is asked, what the models can do, and who takes part. Every leaf may have a leading axis of settings
in a sweep. The shape legend of `consensus.state` goes on: K kinds of question (not classes: law.kappa_q12_K and
law.rho_q16_KR are by task class), M recipes of a model a role, P dials of a policy.
"""

from typing import NamedTuple

from consensus.limits import count_given_micro
from consensus.state import Array, Params
from consensus.units import SUPPLY_CAP_MICRO

DIALS = 3  # P


class Static(NamedTuple):
    """Sizes. Row 0 asks and pays and holds no role."""

    nodes: int  # N, with the asker
    generator_seats: int = 5  # G
    discriminator_seats: int = 15  # D
    tasks: int = 8  # T, the most tasks that open in one round; a round is a block
    lag: int = 4  # rounds after which a task settles: tasks x lag are in flight
    kinds: int = 2  # K
    recipes: int = 3  # M, of the role that has more
    groups: int = 8  # labels that results are added up by
    sampling: str = "auto"  # how seats are drawn: "dense" over all nodes, "tree", or by size; the same seats


class Demand(NamedTuple):
    """What is asked, and what else the world is like."""

    load_q16: Array  # [] chance that one of the T places of a round is used
    tip_micro: Array  # [] of every task
    share_q16_K: Array  # [K] of the questions that are no canaries; the last kind takes the rest
    canary_share_q16_K: Array  # [K] the same of canaries
    lead_rounds: Array  # [] so many rounds at first have canaries at the rate below, then
    lead_canary_q16: Array  # []
    later_canary_q16: Array  # [] at this one; -1: at the law's, which is what p_audit is computed from in any case
    class_K: Array  # [K] task class of the law
    wrong_answers_K: Array  # [K] how many wrong answers models choose among; 1 for a two-way question
    lure_q16_K: Array  # [K] share of wrong answers that are the question's favourite
    trap_q16_K: Array  # [K] share of questions that are traps: all who err give the favourite
    poison_q16_K: Array  # [K] share of questions whose favourite wrong answer the knowledge base supports
    canary_tell_q16: Array  # [] chance that a node knows a canary when it sees one
    commits_hide: Array  # [] 1: commit-reveal (R3); 0: an ablation, later seats see the first seat's answer


class Skill(NamedTuple):
    """What models can do, by kind, role and recipe. Generators are role 0, verifiers role 1."""

    knows_q16_KM: Array  # share of the questions that a generator was taught, drawn for a recipe and question
    accuracy_q16_KM: Array  # of those, the share it answers rightly
    guess_q16_K: Array  # chance that a generator that does not know, or a blind guess, is right
    prior_q16_KM: Array  # what a generator believes of itself before it feels how sure it is
    separation_q12_KRM: Array  # d' of the confidence between right and wrong; of a verdict between false and true
    bias_q12_KRM: Array  # what calibration leaves in the log-odds
    temperature_q12_KRM: Array  # what they are multiplied by
    shared_q16_KR: Array  # share of the variance of errors that all recipes have in common (difficulty)
    own_q16_R: Array  # share of the rest that is a node's own, not its recipe's
    trapped_q16_KR: Array  # share of traps to whose answer all recipes are blind (agents.py says what that means)
    blind_q16_KR: Array  # share of all other wrong answers to which a recipe is, drawn for each recipe
    evidence_q16_K: Array  # chance that the knowledge base has evidence on an answer
    cap_q16: Array  # [] of any stated probability of an honest node
    effort_micro_RM: Array  # cost of one answer, or of one task's verdicts; not in the ledger's books


class Conduct(NamedTuple):
    """Who takes part, one row an account in ascending key order."""

    role_NR: Array  # 1 if registered for the role
    policy_NR: Array  # code in the role's table of `policies`
    recipe_NR: Array  # index into M
    group_N: Array  # label that results are added up by, and who colludes with whom
    dial_NP: Array  # numbers a policy may want: a period, a height, a probability
    stake_micro_N: Array  # bonded at the start
    liquid_micro_N: Array  # at the start: the asker's money
    treasury_micro: Array  # [] at the start
    purse_micro: Array  # [] at the start
    base_fee_micro: Array  # [] at the start


class Setting(NamedTuple):
    """One simulated network: `law` are the parameters of consensus.state, as in the ledger."""

    law: Params
    demand: Demand
    skill: Skill
    conduct: Conduct


def count_settings(batch: Setting) -> int:
    """How many settings a batch holds: the length of the axis that its leaves have beyond their names; 1 without one.

    Raises ValueError if leaves disagree or hold none, or if one is no array.
    """
    leaves = [(name, leaf) for part in batch for name, leaf in part._asdict().items()]
    for name, leaf in leaves:
        if not hasattr(leaf, "ndim"):
            raise ValueError(f"{name} must be an int64 array, got {type(leaf).__name__}")
    sizes = {leaf.shape[0] for name, leaf in leaves if leaf.ndim > count_axes(name)}
    if len(sizes) > 1 or 0 in sizes:
        raise ValueError(
            f"the leaves of the batch have {sorted(sizes)} settings: give every one the same number, above 0"
        )
    return sizes.pop() if sizes else 1


def check_supply(conduct: Conduct) -> int:
    """Micro-tokens that accounts, treasury and purse have at the start; ValueError if that is more than the supply."""
    given_micro = count_given_micro(
        conduct.stake_micro_N, conduct.liquid_micro_N, conduct.treasury_micro, conduct.purse_micro
    )
    if given_micro > SUPPLY_CAP_MICRO:
        raise ValueError(
            f"the network starts with {given_micro} micro-tokens, the cap is {SUPPLY_CAP_MICRO}: lower the stakes"
        )
    return given_micro


def count_axes(name: str) -> int:
    """Axes of a leaf by its name: the capital letters at its end.

    >>> count_axes("separation_q12_KRM"), count_axes("tip_micro")
    (3, 0)
    """
    tail = name.rpartition("_")[2]
    return len(tail) if tail.isupper() else 0
