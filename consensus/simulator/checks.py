"""Refuse what cannot be simulated, before anything is compiled, with one sentence."""

from typing import Any

import numpy as np

from consensus.limits import check_params
from consensus.simulator.loops import map_leaves
from consensus.simulator.setting import Setting, Static, check_supply, count_axes
from consensus.simulator.world import State
from consensus.units import Q16, SUPPLY_CAP_MICRO

MOST_VERDICTS = 1 << 26  # in flight at once
MOST_WRONG_ANSWERS = 1 << 16
LARGEST_Q12 = 64 << 12  # of a separation, bias or temperature
SAMPLING = ("auto", "dense", "tree")


def check_run(static: Static, params: Setting, seed: int, rounds: int) -> None:
    """Return if this run makes sense, else raise ValueError."""
    if not isinstance(static, Static) or not isinstance(params, Setting):
        raise ValueError("give a Static and a Setting, as make_network returns them")
    check_static(static)
    _check_seed(seed)
    if not _is_whole(rounds) or not 0 <= rounds < 1 << 31:
        raise ValueError(f"rounds is {rounds!r}: choose 0 to 2^31 - 1")
    check_setting(static, params)


def check_seeds(seeds: Any) -> tuple[int, ...]:
    """The seeds of a sweep as plain numbers: at least one, whole, none twice."""
    if isinstance(seeds, str) or not hasattr(seeds, "__iter__"):
        raise ValueError(f"seeds is {seeds!r}: give a list of whole numbers")
    found = tuple(seeds)
    if not found:
        raise ValueError("a sweep needs at least one seed")
    for seed in found:
        _check_seed(seed)
    if len(set(found)) < len(found):
        raise ValueError("seeds names a seed twice: a run that is counted twice says nothing new")
    return tuple(int(seed) for seed in found)


def check_state(static: Static, state: Any) -> None:
    """A state of a network of these sizes: int64, so many rows, seats and tasks in flight."""
    if not isinstance(state, State):
        raise ValueError("give the state to go on from: start(static, setting), or what simulate returned")
    leaves: list[Any] = []
    map_leaves(leaves.append, state)
    types = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in leaves}
    if types != {"int64"}:
        raise ValueError(f"a state has int64 leaves, this one has {', '.join(sorted(types))}")
    rows, seats = state.nodes.bonded_micro_N.shape, [task.round.verdict_q16_DC.shape for task in state.waiting]
    sizes = static.tasks, static.discriminator_seats, static.generator_seats
    if rows != (static.nodes,) or seats != [sizes] * static.lag:
        raise ValueError("the state is of a network of other sizes: begin with start(static, setting)")


def _check_seed(seed: Any) -> None:
    if not _is_whole(seed) or not 0 <= seed < 1 << 63:
        raise ValueError(f"the seed is {seed!r}: choose a whole number from 0 to 2^63 - 1")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_static(static: Static) -> None:
    """Sizes that make a network."""
    for name, size in static._asdict().items():
        if name != "sampling" and not _is_whole(size):
            raise ValueError(f"{name} is {size!r}: it must be a whole number")
    if static.nodes < 2:
        raise ValueError(f"the network has {max(static.nodes - 1, 0)} nodes beside the asker: add some")
    for name in ("generator_seats", "discriminator_seats", "tasks", "lag", "kinds", "recipes", "groups"):
        if getattr(static, name) < 1:
            raise ValueError(f"{name} is {getattr(static, name)}: it must be at least 1")
    verdicts = static.tasks * (static.lag + 1) * static.generator_seats * static.discriminator_seats
    if verdicts > MOST_VERDICTS:
        raise ValueError(
            f"{static.tasks} tasks a round for {static.lag + 1} rounds with {static.generator_seats} x"
            f" {static.discriminator_seats} seats are {verdicts} verdicts in flight: at most {MOST_VERDICTS} can be"
            " played, lower tasks, lag or seats"
        )
    if static.sampling not in SAMPLING:
        raise ValueError(f"sampling is {static.sampling}: choose one of {', '.join(SAMPLING)}")


def check_setting(static: Static, setting: Setting) -> None:
    """Every leaf int64 and of the right shape, shares within 0 and 1, the law within its limits, somebody to sit."""
    sizes = {"N": static.nodes, "R": 2, "K": static.kinds, "M": static.recipes, "P": None}
    for part in (setting.demand, setting.skill, setting.conduct):
        for name, leaf in part._asdict().items():
            _check_leaf(name, leaf, sizes)
    check_params(setting.law, static.generator_seats, static.discriminator_seats)
    classes = len(setting.law.kappa_q12_K)
    if not 0 <= setting.demand.class_K.min() <= setting.demand.class_K.max() < classes:
        raise ValueError(f"demand.class_K names a task class that the law has not: it has 0 to {classes - 1}")
    wrong_K = setting.demand.wrong_answers_K
    if not 1 <= wrong_K.min() <= wrong_K.max() <= MOST_WRONG_ANSWERS:
        raise ValueError(f"demand.wrong_answers_K must be at least 1 and at most {MOST_WRONG_ANSWERS}")
    if setting.demand.lead_rounds < 0:
        raise ValueError(f"lead_rounds is {setting.demand.lead_rounds}: choose 0 or more")
    _check_people(static, setting)


def _check_leaf(name: str, leaf: Any, sizes: dict[str, int | None]) -> None:
    if str(getattr(leaf, "dtype", None)) != "int64":
        raise ValueError(f"{name} must be an int64 array, got {getattr(leaf, 'dtype', type(leaf).__name__)}")
    letters = name.rpartition("_")[2] if count_axes(name) else ""
    wanted = [sizes[letter] for letter in letters]
    if leaf.ndim != len(wanted) or any(w not in (None, s) for w, s in zip(wanted, leaf.shape, strict=True)):
        raise ValueError(f"{name} has shape {leaf.shape}, these sizes need {tuple(wanted)}")
    least = -1 if name == "later_canary_q16" else 0  # -1: as at the law's rate
    if "_q16" in name and (leaf.min() < least or leaf.max() > Q16):
        raise ValueError(f"{name} is a share in Q16 and must be within 0 to 65536")
    least_q12 = -LARGEST_Q12 if name.startswith("bias") else 0
    if "_q12" in name and (leaf.min() < least_q12 or leaf.max() > LARGEST_Q12):
        raise ValueError(f"{name} must be within {least_q12 >> 12} and {LARGEST_Q12 >> 12}, in Q12")
    if "_micro" in name and (leaf.min() < 0 or leaf.max() > SUPPLY_CAP_MICRO):
        raise ValueError(f"{name} must be within 0 and the supply, {SUPPLY_CAP_MICRO}")


def _check_people(static: Static, setting: Setting) -> None:
    conduct, law = setting.conduct, setting.law
    if conduct.role_NR[0].any():
        raise ValueError("row 0 asks and may hold no role")
    if not 0 <= conduct.group_N.min() <= conduct.group_N.max() < static.groups:
        raise ValueError(f"conduct.group_N must be within 0 and {static.groups - 1}")
    if not 0 <= conduct.recipe_NR.min() <= conduct.recipe_NR.max() < static.recipes:
        raise ValueError(f"conduct.recipe_NR must be within 0 and {static.recipes - 1}")
    if not conduct.stake_micro_N.any():
        raise ValueError("nobody has any stake, so nobody can be drawn: give the nodes a stake")
    for role, name in enumerate(("generator", "discriminator")):
        able_N = (conduct.role_NR[:, role] == 1) & (conduct.stake_micro_N >= law.stake_min_micro)
        if not able_N.any():
            raise ValueError(
                f"no {name} has the minimum stake of {int(law.stake_min_micro)} micro-tokens, so its seats stay empty:"
                " add nodes or stake, or lower stake_min_micro"
            )
    check_supply(conduct)


def select(setting: Setting, index: int) -> Setting:
    """Setting number `index` of a batch: leaves with one axis more than their name says have one entry a setting."""
    return Setting(*(_select(part, index) for part in setting))


def _select(part: Any, index: int) -> Any:
    leaves = part._asdict().items()
    return type(part)(*(leaf[index] if leaf.ndim > count_axes(name) else leaf for name, leaf in leaves))
