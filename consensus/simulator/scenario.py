"""Scenarios: a network, its questions and what a sweep varies, as a TOML file or a nested dictionary of plain values.

    name = "what a cartel gains"
    preset = "demo"                     # the law to start from: demo, minimal or reference
    rounds = 200
    seeds = 8                           # so many, or a list
    [law]
    theta0_q16 = 0.85                   # a leaf of consensus.state.Params; a decimal fraction becomes Q16, Q12 or Q8
    profile = "profile.json"            # kinds and models measured from a run: `deslm profile`
    [network]                           # load, tip_micro, purse_pots, tasks, lag, generator_seats, sampling ...
    tasks = 4
    [models]                            # fields of networks.Models
    [[groups]]                          # fields of networks.Group; at least one
    name = "honest"
    nodes = 12
    role = "both"
    [[kinds]]                           # fields of networks.Kind; the demo's two if there are none
    [vary]                              # for `deslm sweep`: a list of values, or the two ends of a range
    "law.theta0_q16" = { low = 0.6, high = 0.97 }
    "groups.honest.stake_pots" = [300, 600]

A key that is not known is refused with the nearest name that is.
"""

import difflib
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from consensus import presets
from consensus.simulator.networks import (
    FACTS,
    LARGEST,
    Group,
    Kind,
    Models,
    check_plain,
    get_pot_micro,
    get_type,
    make_network,
)
from consensus.simulator.profiles import make_kinds, make_models, read_profile
from consensus.simulator.setting import Setting, Static
from consensus.state import Params
from consensus.units import Q8, Q12, Q16

PRESETS = {"demo": presets.demo, "minimal": presets.minimal, "reference": presets.reference}
MOST_SEEDS = 1_000_000
UNITS = {"q16": Q16, "q12": Q12, "q8": Q8}
TOP = (
    *("name", "preset", "profile", "rounds", "seeds"),
    *("law", "network", "models", "groups", "kinds"),
    *("vary", "design", "points"),
)
NETWORK = {
    "load": float,
    "tip_micro": int,
    "purse_pots": float,
    "asker_micro": int,
    "canary_tell": float,
    "commits_hide": bool,
    "lead_rounds": int,
    "lead_canary": float,
    "later_canary": float,
    "tasks": int,
    "lag": int,
    "generator_seats": int,
    "discriminator_seats": int,
    "sampling": str,
}
Plain = dict[str, Any]


class Scenario(NamedTuple):
    """One network, ready to be played."""

    name: str
    static: Static
    setting: Setting
    rounds: int
    seeds: tuple[int, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    pot_micro: int


def read_scenario(path: Path | str | None) -> Plain:
    """The plain values of a TOML file; of the bundled demo without one. OSError, or ValueError if it is no TOML."""
    if path is None:
        text = files("consensus.simulator").joinpath("scenarios", "demo.toml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8 text, so it is no TOML file") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None


def make_scenario(plain: Plain) -> Scenario:
    """The network of plain values. Raises ValueError with one sentence."""
    check_keys("the scenario", plain, TOP)
    preset = plain.get("preset", "demo")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}: {suggest(str(preset), PRESETS)}")
    law = change_law(PRESETS[preset](), _table(plain, "law"))
    groups = [_make(Group, f"groups.{i}", row) for i, row in enumerate(_rows(plain, "groups"))]
    known, measured = _read_profile(plain)
    said: Any = dict.fromkeys(name for name in _table(plain, "models") if name in Kind._fields)
    known = [kind._replace(**said) for kind in known]  # [models] goes before what was measured
    kinds = [_make(Kind, f"kinds.{i}", row) for i, row in enumerate(_rows(plain, "kinds"))] or known
    network = _table(plain, "network")
    check_keys("network", network, NETWORK)
    for key, value in network.items():
        check_plain(f"network.{key}", value, NETWORK[key])
    models = _make(Models, "models", measured | _table(plain, "models"))
    static, setting = make_network(law, groups, kinds, models, **network)
    names = tuple(group.name for group in groups)
    for what, called in (("groups", names), ("kinds", tuple(kind.name for kind in kinds))):
        if len(set(called)) < len(called):
            raise ValueError(f"two {what} have the same name: {', '.join(called)}")
    return Scenario(
        name=str(plain.get("name", "unnamed")),
        static=static,
        setting=setting,
        rounds=_whole(plain, "rounds", 200),
        seeds=_seeds(plain.get("seeds", 1)),
        kinds=tuple(kind.name for kind in kinds),
        groups=names,
        pot_micro=get_pot_micro(law, int(setting.demand.tip_micro)),
    )


def change_law(law: Params, leaves: Plain) -> Params:
    """The parameters with these leaves replaced; a decimal fraction is put into the leaf's own unit."""
    check_keys("law", leaves, Params._fields)
    changed = {}
    for name, value in leaves.items():
        leaf = getattr(law, name)
        parts = _to_array(value)
        if parts.dtype.kind == "f":
            if not np.all(np.abs(parts) < LARGEST):
                raise ValueError(f"law.{name} is {value}: it must be a number within +-10^15")
            unit = next((UNITS[word] for word in name.split("_") if word in UNITS), None)
            if unit is None:
                raise ValueError(f"law.{name} must be a whole number, got {value}")
            parts = np.round(parts * unit)
        if parts.dtype.kind not in "if" or parts.shape not in ((), leaf.shape):
            raise ValueError(f"law.{name} must be {_describe_shape(leaf.shape)}, got {value!r}")
        changed[name] = np.broadcast_to(parts, leaf.shape).astype(np.int64)
    return law._replace(**changed)


def _to_array(value: Any) -> np.ndarray:
    """The value as an array; one without numbers if its rows differ in length."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(None)


def _describe_shape(shape: tuple[int, ...]) -> str:
    return f"numbers of shape {shape}" if shape else "one whole number, or a fraction if it has a unit"


def replace_at(plain: Plain, path: str, value: Any) -> Plain:
    """A copy of the plain values with one of them replaced, named as "law.theta0_q16" or "groups.honest.stake_pots"."""
    head, _, rest = path.partition(".")
    if head in ("groups", "kinds"):
        row_name, _, field = rest.partition(".")
        rows = [dict(row) for row in plain.get(head, [])]
        chosen = [row for row in rows if row.get("name") == row_name]
        if not chosen:
            known = [str(row.get("name")) for row in rows]
            raise ValueError(f"{path}: there is no {head[:-1]} {row_name!r}: {suggest(row_name, known)}")
        chosen[0][field] = value
        return {**plain, head: rows}
    if head in ("law", "network", "models") and rest:
        return {**plain, head: {**_table(plain, head), rest: value}}
    if head in ("rounds", "preset", "seeds", "name") and not rest:
        return {**plain, head: value}
    raise ValueError(f"{path} names nothing: write law.x, network.x, models.x, groups.NAME.x or kinds.NAME.x")


def check_keys(where: str, plain: Plain, known: Iterable[str]) -> None:
    """ValueError with the nearest name for the first key that is not known."""
    names = list(known)
    for key in plain:
        if key not in names:
            raise ValueError(f"{where} has an unknown key {key!r}: {suggest(key, names)}")


def suggest(word: str, names: Iterable[str]) -> str:
    """Half a sentence with the nearest name.

    >>> suggest("thta0", ["theta0", "tau"])
    "did you mean 'theta0'?"
    """
    names = list(names)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"choose one of {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}"


def _make(kind: Any, where: str, plain: Plain) -> Any:
    """A NamedTuple of networks.py from plain values."""
    check_keys(where, plain, kind._fields)
    for name in kind._fields:
        if name not in plain and name not in kind._field_defaults:
            raise ValueError(f"{where} needs {name}")
    for name, value in plain.items():
        check_plain(f"{where}.{name}", value, get_type(kind, name))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})


def _read_profile(plain: Plain) -> tuple[list[Kind], Plain]:
    """The kinds of question and the models' numbers of a measured profile; the demo's kinds if there is none."""
    path = plain.get("profile")
    if path is None:
        return list(FACTS), {}
    check_plain("profile", path, str)
    profile = read_profile(path)
    return make_kinds(profile), make_models(profile)._asdict()


def _table(plain: Plain, name: str) -> Plain:
    value = plain.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r}: it must be a table, [{name}]")
    return value


def _rows(plain: Plain, name: str) -> list[Plain]:
    value = plain.get(name, [])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError(f"{name} must be a list of tables, [[{name}]]")
    return value


def _whole(plain: Plain, name: str, default: int) -> int:
    value = plain.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}: it must be a whole number above 0")
    return value


def _seeds(value: Any) -> tuple[int, ...]:
    is_whole = lambda one: isinstance(one, int) and not isinstance(one, bool)
    if is_whole(value) and value > MOST_SEEDS:
        raise ValueError(f"seeds is {value}: choose at most {MOST_SEEDS}")
    seeds = tuple(range(value)) if is_whole(value) else value
    if not isinstance(seeds, list | tuple) or not seeds or not all(map(is_whole, seeds)):
        raise ValueError(f"seeds is {value!r}: it must be a number of seeds above 0, or a list of seeds")
    if len(set(seeds)) < len(seeds):
        raise ValueError("seeds names a seed twice: a run that is counted twice says nothing new")
    return tuple(seeds)
