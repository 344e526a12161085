"""Networks from plain numbers: groups of nodes and kinds of question, in floats, to the integers of a `Setting`.

law = presets.demo()
static, setting = make_network(law, [Group("honest", 12, "generator"), Group("checkers", 12, "discriminator")])
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from consensus.simulator.policies import DISCRIMINATORS, GENERATORS
from consensus.simulator.setting import DIALS, Conduct, Demand, Setting, Skill, Static, check_supply
from consensus.state import Params
from consensus.units import MICRO, Q12, Q16, SUPPLY_CAP_MICRO

MOST_NODES, MOST_RECIPES = 1 << 22, 1 << 10
LARGEST = SUPPLY_CAP_MICRO  # of any plain number
RESERVE_MICRO = 9 * 10**8 * MICRO  # at the start, about
ROLES = ("generator", "discriminator", "both")
SKILLED = ("generator", "verifier")  # what models of role 0 and 1 are called in the fields below


class Group(NamedTuple):
    """Nodes that behave alike. Results are added up by group; members of a cartel know each other by it."""

    name: str
    nodes: int
    role: str  # "generator", "discriminator" or "both"
    policy: str = "honest"  # a name in the role's table; with "both", one that is in both tables
    stake_pots: float = 600.0  # what each node bonds, in pots of a task
    recipe: int = -1  # -1: the honest recipes by turns
    dials: tuple[int, ...] = ()


class Kind(NamedTuple):
    """One kind of question. Shares and chances as fractions of 1."""

    name: str
    share: float  # of the questions
    canary_share: float  # of the canaries
    task_class: int = 0
    knows: float = 0.70  # share that a generator was taught
    accuracy: float = 0.70  # on these
    guess: float = 0.04
    wrong_answers: int = 12
    lure: float = 0.42  # of wrong answers that are the favourite: two of them coincide 21 %
    prior: float = 0.49  # what a generator believes of itself
    poison: float = 0.0
    evidence: float = 0.99
    trap: float = 0.0  # share of questions where all who err give the favourite
    # What the models can do on this kind, where it is not what `Models` says of all kinds:
    generator_separation: float | None = None
    generator_bias: float | None = None
    generator_temperature: float | None = None
    generator_shared: float | None = None
    generator_trapped: float | None = None
    generator_blind: float | None = None
    verifier_separation: float | None = None
    verifier_bias: float | None = None
    verifier_temperature: float | None = None
    verifier_shared: float | None = None
    verifier_trapped: float | None = None
    verifier_blind: float | None = None


class Models(NamedTuple):
    """What the models can do on all kinds, unless a kind says otherwise."""

    generator_recipes: int = 3
    verifier_recipes: int = 2
    generator_separation: float = 1.5  # d' of a confidence: AUROC .86
    generator_bias: float = 0.3
    generator_temperature: float = 0.85
    generator_shared: float = 0.3
    generator_own: float = 0.0
    generator_trapped: float = 0.0  # share of traps whose answer all are as sure of as of a right one
    generator_blind: float = 0.0  # share of its other wrong answers that a generator is as sure of
    verifier_separation: float = 3.3  # d' of a verdict: accuracy .95, AUROC .99
    verifier_bias: float = 0.0
    verifier_temperature: float = 1.0
    verifier_shared: float = 0.97
    verifier_own: float = 0.0
    verifier_trapped: float = 0.0  # share of traps in whose answer no verifier sees truth or falsehood
    verifier_blind: float = 0.0  # share of other false answers in which one verifier does not
    cap: float = 0.98
    answer_effort_micro: int = 1_000
    verdict_effort_micro: int = 1_000


FACTS = (
    Kind("taught", share=0.75, canary_share=0.8),
    Kind("untaught", share=0.25, canary_share=0.2, knows=0.0),
)


def get_pot_micro(law: Params, tip_micro: int) -> int:
    """The pot of the first task, near enough: what stakes are measured in."""
    return (RESERVE_MICRO * int(law.emission_rate_q32) >> 32) + tip_micro


def make_network(
    law: Params,
    groups: Sequence[Group],
    kinds: Sequence[Kind] = FACTS,
    models: Models = Models(),  # noqa: B008 - a tuple of numbers
    load: float = 1.0,
    tip_micro: int = MICRO,
    purse_pots: float = 400.0,
    asker_micro: int = 10**7 * MICRO,
    canary_tell: float = 0.0,
    commits_hide: bool = True,
    lead_rounds: int = 0,
    lead_canary: float = 0.0,
    later_canary: float = -1.0,
    **sizes: int | str,
) -> tuple[Static, Setting]:
    """Sizes and setting of a network; `sizes` are fields of `Static` (tasks, lag, seats, sampling).

    Raises ValueError with one sentence for an unknown role or policy, no nodes, more stake than the supply, or what is
    no number.
    """
    _check_types(groups, kinds, models)
    whole = {"tip_micro": tip_micro, "asker_micro": asker_micro, "lead_rounds": lead_rounds}
    shares = {"load": load, "canary_tell": canary_tell, "lead_canary": lead_canary, "later_canary": later_canary}
    _check_options(whole, shares, sizes)
    pot_micro = get_pot_micro(law, tip_micro)
    _check_groups(groups, kinds)
    _check_numbers(groups, kinds, models, purse_pots, pot_micro)
    recipes = max(models.generator_recipes, models.verifier_recipes)
    conduct = _make_conduct(groups, models, pot_micro)._replace(
        treasury_micro=_int(10**6 * MICRO),
        purse_micro=_int(round(purse_pots * pot_micro)),
        base_fee_micro=_int(MICRO),
    )
    conduct.liquid_micro_N[0] = asker_micro
    check_supply(conduct)
    demand = Demand(
        load_q16=_q16(load),
        tip_micro=_int(tip_micro),
        share_q16_K=_shares([kind.share for kind in kinds]),
        canary_share_q16_K=_shares([kind.canary_share for kind in kinds]),
        lead_rounds=_int(lead_rounds),
        lead_canary_q16=_q16(lead_canary),
        later_canary_q16=_q16(later_canary) if later_canary >= 0 else _int(-1),
        class_K=_int([kind.task_class for kind in kinds]),
        wrong_answers_K=_int([kind.wrong_answers for kind in kinds]),
        lure_q16_K=_q16([kind.lure for kind in kinds]),
        trap_q16_K=_q16([kind.trap for kind in kinds]),
        poison_q16_K=_q16([kind.poison for kind in kinds]),
        canary_tell_q16=_q16(canary_tell),
        commits_hide=_int(commits_hide),
    )
    static = Static(
        **{
            "nodes": len(conduct.group_N),
            "kinds": len(kinds),
            "recipes": recipes,
            "groups": len(groups) + 1,
            **sizes,  # type: ignore[arg-type]
        }
    )
    return static, Setting(law, demand, _make_skill(kinds, models, recipes), conduct)


def get_type(kind: Any, name: str) -> Any:
    """The type of a plain field of `Group`, `Kind` or `Models`: float, int, str or tuple."""
    wanted = kind.__annotations__[name]
    return float if wanted == float | None else getattr(wanted, "__origin__", wanted)


def check_plain(where: str, value: Any, wanted: Any) -> None:
    """Return if a plain value is of the type, a number finite and within +-10^15; else ValueError with one sentence."""
    whole = (int, np.integer)
    accepted: Any = {float: (*whole, float, np.floating), int: whole, tuple: (list, tuple)}.get(wanted, wanted)
    if not isinstance(value, accepted) or (isinstance(value, bool) and wanted is not bool):
        words = {float: "a number", int: "a whole number", str: "a text", bool: "true or false", tuple: "a list"}
        raise ValueError(f"{where} is {value!r}: it must be {words[wanted]}")
    if isinstance(value, list | tuple):
        for number, part in enumerate(value):
            check_plain(f"{where}.{number}", part, int)
    elif wanted in (int, float) and not (isfinite(value) and abs(value) <= LARGEST):
        raise ValueError(f"{where} is {value}: it must be a number within +-10^15")


def _check_types(groups: Sequence[Group], kinds: Sequence[Kind], models: Models) -> None:
    for group in groups:
        _check_fields(f"groups.{group.name}", group)
    for kind in kinds:
        _check_fields(f"kinds.{kind.name}", kind)
    _check_fields("models", models)


def _check_options(whole: Mapping[str, Any], shares: Mapping[str, Any], sizes: Iterable[str]) -> None:
    for options, wanted in ((whole, int), (shares, float)):
        for name, value in options.items():
            check_plain(name, value, wanted)
    for name in sizes:
        if name not in Static._fields:
            raise ValueError(f"{name} is no size of a network: choose of {', '.join(Static._fields)}")
    later_canary = shares["later_canary"]
    if later_canary < 0 and later_canary != -1:
        raise ValueError(f"later_canary is {later_canary}: choose a share from 0 to 1, or -1 for the law's rate")


def _check_fields(where: str, row: Any) -> None:
    for name, value in row._asdict().items():
        if value is not None or type(row)._field_defaults.get(name, 0) is not None:
            check_plain(f"{where}.{name}", value, get_type(type(row), name))


def _make_skill(kinds: Sequence[Kind], models: Models, recipes: int) -> Skill:
    M = recipes
    for_each = lambda x: np.repeat(x[..., None], M, axis=-1)
    by_kind = lambda name: _q16([getattr(kind, name) for kind in kinds])
    by_role = lambda name: [[_choose(kind, models, f"{role}_{name}") for role in SKILLED] for kind in kinds]
    q12 = lambda x: np.round(np.asarray(x) * Q12).astype(np.int64)
    return Skill(
        knows_q16_KM=for_each(by_kind("knows")),
        accuracy_q16_KM=for_each(by_kind("accuracy")),
        guess_q16_K=by_kind("guess"),
        prior_q16_KM=for_each(by_kind("prior")),
        separation_q12_KRM=for_each(q12(by_role("separation"))),
        bias_q12_KRM=for_each(q12(by_role("bias"))),
        temperature_q12_KRM=for_each(q12(by_role("temperature"))),
        shared_q16_KR=_q16(by_role("shared")),
        own_q16_R=_q16([models.generator_own, models.verifier_own]),
        trapped_q16_KR=_q16(by_role("trapped")),
        blind_q16_KR=_q16(by_role("blind")),
        evidence_q16_K=by_kind("evidence"),
        cap_q16=_q16(models.cap),
        effort_micro_RM=for_each(_int([models.answer_effort_micro, models.verdict_effort_micro])),
    )


def _choose(kind: Kind, models: Models, name: str) -> float:
    """What the kind says, or else the models."""
    said = getattr(kind, name)
    return getattr(models, name) if said is None else said


def _make_conduct(groups: Sequence[Group], models: Models, pot_micro: int) -> Conduct:
    """Row 0 asks; then the groups in order, labelled 1, 2, ...; honest recipes go by turns within a role."""
    rows: list[tuple] = [((0, 0), (0, 0), (0, 0), 0, (0,) * DIALS, 0)]
    turn = 0
    recipes = (models.generator_recipes, models.verifier_recipes)
    for label, group in enumerate(groups, start=1):
        role = (int(group.role != "discriminator"), int(group.role != "generator"))
        tables = (list(GENERATORS), list(DISCRIMINATORS))
        policy = tuple(table.index(group.policy) if has else 0 for table, has in zip(tables, role, strict=True))
        dials = tuple(group.dials) + (0,) * (DIALS - len(group.dials))
        for _ in range(group.nodes):
            recipe = tuple((turn if group.recipe < 0 else group.recipe) % m for m in recipes)
            rows.append((role, policy, recipe, label, dials, round(group.stake_pots * pot_micro)))
            turn += 1
    columns = [_int(list(column)) for column in zip(*rows, strict=True)]
    zero = _int(0)
    return Conduct(*columns, np.zeros_like(columns[-1]), zero, zero, zero)  # type: ignore[call-arg]


def _check_groups(groups: Sequence[Group], kinds: Sequence[Kind]) -> None:
    for group in groups:
        if group.nodes < 0:
            raise ValueError(f"group {group.name} has {group.nodes} nodes: choose 0 or more")
    if sum(group.nodes for group in groups) == 0:
        raise ValueError("the network has no nodes: give at least one group with nodes above 0")
    if not kinds:
        raise ValueError("nothing is asked: give at least one kind of question")
    for group in groups:
        if group.role not in ROLES:
            raise ValueError(f"group {group.name} has the role {group.role}: choose one of {', '.join(ROLES)}")
        tables: dict[str, tuple[list[str], ...]] = {
            "generator": (list(GENERATORS),),
            "discriminator": (list(DISCRIMINATORS),),
            "both": (list(GENERATORS), list(DISCRIMINATORS)),
        }
        for names in tables[group.role]:
            if group.policy not in names:
                raise ValueError(f"group {group.name} has the policy {group.policy}: choose one of {', '.join(names)}")
        if len(group.dials) > DIALS:
            raise ValueError(f"group {group.name} has {len(group.dials)} dials: a node has {DIALS}")


def _check_numbers(
    groups: Sequence[Group], kinds: Sequence[Kind], models: Models, purse_pots: float, pot_micro: int
) -> None:
    """What would overflow or be taken for something else on the way to integers."""
    nodes = sum(group.nodes for group in groups)
    if nodes > MOST_NODES:
        raise ValueError(f"the network has {nodes} nodes: choose at most {MOST_NODES}")
    for role, recipes in (("generator", models.generator_recipes), ("verifier", models.verifier_recipes)):
        if not 1 <= recipes <= MOST_RECIPES:
            raise ValueError(f"{role}_recipes is {recipes}: choose 1 to {MOST_RECIPES}")
    for group in groups:
        if group.recipe < -1:
            raise ValueError(f"group {group.name} runs recipe {group.recipe}: choose 0 or more, or -1 for all by turns")
    if pot_micro <= 0:
        raise ValueError("a task's pot is empty, and stakes are measured in pots: give a tip or an emission above 0")
    largest = SUPPLY_CAP_MICRO / pot_micro
    amounts = [(f"group {group.name} stakes", group.stake_pots) for group in groups] + [("the purse has", purse_pots)]
    for what, pots in amounts:
        if not 0 <= pots <= largest:
            raise ValueError(f"{what} {pots} pots: choose 0 or more, and no more than the supply, {largest:.0f} pots")
    for name in ("share", "canary_share"):
        weights = [getattr(kind, name) for kind in kinds]
        if min(weights) < 0 or not 0 < sum(weights) < float("inf"):
            raise ValueError(f"the kinds have {name} {weights}: none may be below 0 and one must be above 0")


def _int(value: int | list) -> np.ndarray:
    return np.asarray(value, dtype=np.int64)


def _q16(value: float | list) -> np.ndarray:
    return np.round(np.asarray(value, dtype=float) * Q16).astype(np.int64)


def _shares(weights: list[float]) -> np.ndarray:
    """Weights as shares in Q16 that sum to 65,536."""
    edges = np.round(np.cumsum(weights) / np.sum(weights) * Q16).astype(np.int64)
    return np.diff(edges, prepend=0)
