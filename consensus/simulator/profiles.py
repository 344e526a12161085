"""A profile: what trained models can do, as plain numbers that drive the simulator's agents.

    profile = measure(seen)                 # from what a run's nodes were seen to say (measuring.py)
    write_profile(profile, path)            # JSON; read_profile(path) gives it back
    static, setting = make_network(law, groups, make_kinds(profile), make_models(profile))

In a scenario the line `profile = "profile.json"` replaces kinds and models; what [models] and [[kinds]] say beside it
goes first, also where the profile has a number for each kind. A profile describes agents, not one network: who cheats,
stakes and parameters are the scenario's.
"""

import json
from math import isfinite, log
from pathlib import Path
from typing import Any, NamedTuple

from consensus.files import write_text
from consensus.simulator.networks import Kind, Models

FORMAT = 2  # of the file
_WRONG_ANSWERS = 12


class Sight(NamedTuple):
    """What the models of one role make of a question: of one kind, or the mean over all kinds."""

    separation: float  # d' of the confidence between right and wrong, of a verdict between false and true
    bias: float  # what calibration leaves in the log-odds: added
    temperature: float  # and multiplied by
    shared: float  # correlation of the errors of two models
    trapped: float = 0.0  # share of traps to whose answer all models are blind (agents.py says what that means)
    blind: float = 0.0  # share of other wrong answers to which a model is


class KindProfile(NamedTuple):
    """One kind of question. Shares and chances as fractions of 1."""

    name: str
    share: float  # of the questions that are no canaries
    canary_share: float  # of the canaries
    accuracy: float  # of the mean generator model
    prior: float  # what a generator believes of itself before it feels how sure it is
    coincidence: float  # chance that two wrong answers of different models are the same
    evidence: float  # share of verdicts that name evidence
    generators: Sight
    verifiers: Sight


class RoleProfile(NamedTuple):
    """The models of one role."""

    models: int
    own: float  # share of what is not shared that is a node's own, not its model's
    mean: Sight  # over the opinions of all kinds


class ModelLine(NamedTuple):
    """One model, for the reader; the agents of a simulation are all like their role's mean."""

    name: str
    role: str
    opinions: int  # answers, or verdicts on one candidate each
    accuracy: float  # answers right; verdicts on the right side of one half
    mean: float  # of the stated probability that the answer is right, that the candidate is false
    brier: float


class Profile(NamedTuple):
    """Measured from a run; every field of its parts is a plain number or a name."""

    kinds: tuple[KindProfile, ...]
    generators: RoleProfile
    verifiers: RoleProfile
    cap: float  # the largest probability that was stated
    guess: float  # chance that an answer without a model is right
    kappa: float  # -ln of the chance that two wrong answers coincide, over all kinds: what R4 publishes
    models: tuple[ModelLine, ...]


def make_kinds(profile: Profile) -> list[Kind]:
    """The kinds of question of a network: a generator knows every question and is right as often as measured."""
    return [
        Kind(
            name=kind.name,
            share=kind.share,
            canary_share=kind.canary_share,
            knows=1.0,
            accuracy=kind.accuracy,
            guess=profile.guess,
            wrong_answers=count_wrong_answers(kind.coincidence),
            lure=1 / count_wrong_answers(kind.coincidence),
            trap=solve_trap(kind.coincidence),
            prior=kind.prior,
            evidence=kind.evidence,
            **_by_role(kind.generators, kind.verifiers),  # type: ignore[arg-type]
        )
        for kind in profile.kinds
    ]


def make_models(profile: Profile) -> Models:
    """What the models can do on kinds that say nothing else; those of `make_kinds` say it all."""
    generators, verifiers = profile.generators, profile.verifiers
    return Models(
        generator_recipes=generators.models,
        verifier_recipes=verifiers.models,
        generator_own=generators.own,
        verifier_own=verifiers.own,
        **_by_role(generators.mean, verifiers.mean),  # type: ignore[arg-type]
        cap=profile.cap,
    )


def _by_role(generators: Sight, verifiers: Sight) -> dict[str, float]:
    """Fields of `Kind` and `Models`."""
    rows = (("generator", generators), ("verifier", verifiers))
    return {f"{role}_{name}": value for role, sight in rows for name, value in sight._asdict().items()}


def count_wrong_answers(coincidence: float) -> int:
    """How many wrong answers there are to choose among: 12, or as many as make so rare a coincidence possible."""
    return max(_WRONG_ANSWERS, min(round(2 / max(coincidence, 1e-3)), 2_000))


def solve_trap(coincidence: float) -> float:
    """The share of traps at which two wrong answers coincide that often: always in traps, elsewhere by accident.

    >>> round(solve_trap(0.21), 2)
    0.14
    """
    accident = 1 / count_wrong_answers(coincidence)
    return max(coincidence - accident, 0.0) / (1 - accident)


def compute_kappa(coincidence: float) -> float:
    """-ln of the chance; for a chance of 0 that of 1 in 1,000."""
    return -log(max(coincidence, 1e-3))


def write_profile(profile: Profile, path: Path) -> None:
    """Write the profile as JSON, all or nothing."""
    write_text(path, json.dumps({"format": FORMAT} | _to_plain(profile), indent=1) + "\n")


def read_profile(path: Path | str) -> Profile:
    """The profile in a JSON file. OSError, or ValueError with one sentence if it is none."""
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
        if plain.get("format", 1) != FORMAT:
            raise _OtherFormat
        found = Profile(
            kinds=tuple(_take(KindProfile, row) for row in plain["kinds"]),
            generators=_take(RoleProfile, plain["generators"]),
            verifiers=_take(RoleProfile, plain["verifiers"]),
            **{name: _take(float, plain[name]) for name in ("cap", "guess", "kappa")},
            models=tuple(_take(ModelLine, row) for row in plain["models"]),
        )
    except _OtherFormat:
        raise ValueError(
            f"{path} is a profile of another version of deslm; measure the run again: deslm profile RUN --out {path}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{path} is no profile; make one with: deslm profile RUN --out {path}") from None
    if not found.kinds:
        raise ValueError(f"{path} names no kind of question; make a profile with: deslm profile RUN --out {path}")
    return found


class _OtherFormat(Exception):
    """The file was written by another version."""


def _take(kind: Any, plain: Any) -> Any:
    """A NamedTuple of plain numbers; KeyError, TypeError or ValueError if a part is missing or of another type."""
    if kind is float and (isinstance(plain, bool) or not isinstance(plain, int | float) or not isfinite(plain)):
        raise ValueError(f"{plain!r} is no number")
    if not hasattr(kind, "_fields"):
        if not isinstance(plain, int | float if kind is float else kind):
            raise TypeError(f"{plain!r} is not {kind.__name__}")
        return kind(plain)
    return kind(**{name: _take(wanted, plain[name]) for name, wanted in kind.__annotations__.items()})


def _to_plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _to_plain(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple):
        return [_to_plain(part) for part in value]
    return round(value, 5) if isinstance(value, float) else value
