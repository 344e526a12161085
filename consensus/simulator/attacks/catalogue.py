"""All attacks, and the one run that plays and judges them: every case side by side, so that one program is compiled."""

from collections.abc import Callable, Sequence
from importlib import import_module

from consensus.simulator.attacks.cast import Case
from consensus.simulator.attacks.playing import play_cases
from consensus.simulator.attacks.report import Attack, Report, Size

_FILES = (
    "sybil",
    "cartel",
    "laziness",
    "inflation",
    "flagging",
    "whale",
    "equivocation",
    "reveals",
    "farming",
    "whitewashing",
    "bribery",
    "correlation",
    "canaries",
    "paraphrase",
    "poison",
    "spam",
    "ablations",
)


def list_attacks() -> dict[str, Attack]:
    """Every attack by the name of its file, in the order of the law's table; the ablations last."""
    return {name: import_module(f"{__package__}.{name}").ATTACK for name in _FILES}


def measure(
    size: Size, names: Sequence[str] = _FILES, progress: Callable[[int, int], None] | None = None
) -> dict[str, Report]:
    """The reports of these attacks, by the names of `list_attacks`.

    `progress(done, all)` counts batches of played runs. Raises ValueError for an unknown name, fewer than two seeds or
    fewer than eight rounds, and whatever `simulate` refuses.
    """
    attacks = list_attacks()
    unknown = [name for name in names if name not in attacks]
    if unknown:
        raise ValueError(f"no attack is named {unknown[0]}: choose among {', '.join(attacks)}")
    if size.seeds < 2 or size.rounds < 8:
        raise ValueError(f"attacks need at least 2 seeds and 8 rounds, got {size.seeds} and {size.rounds}")
    cases: dict[str, Case] = {}
    for name in names:
        cases |= attacks[name].cases(size)
    played = play_cases(cases, size.seeds, progress)
    return {name: attacks[name].judge(size, played) for name in names}
