"""What parameters the law can bear: products below 2^62, denominators above 0, and cheating that does not pay."""

from collections.abc import Iterator

import numpy as np

from consensus.state import Params
from consensus.units import Q12, Q16, SUPPLY_CAP_MICRO, TIP_MAX_MICRO, Array

LIMIT = 1 << 62
# R6, measured with benchmarks/protocol_economy.py on the demo's network, for generators and discriminators:
HONEST_EDGE_Q16_R = (2_949, 11_141)  # dS, mean honest score minus the house's: .045 and .17
# What cheating can gain on one seat, in its flat fee. A discriminator that does not look is paid for revealing: 1. A
# generator is paid only if the network accepts what it made up: at most one in ten.
CHEATING_GAIN_Q16_R = (6_554, 65_536)


def check_params(
    params: Params,
    generator_seats: int = 5,
    discriminator_seats: int = 15,
    honest_edge_q16_R: tuple[int, int] = HONEST_EDGE_Q16_R,
    cheating_gain_q16_R: tuple[int, int] = CHEATING_GAIN_Q16_R,
) -> None:
    """Return if a network may run with these parameters and seats, else raise ValueError with one sentence.

    Checks the ranges and bounds of the law's "Quantities", that audits deter (R6), and that stake leaves later than
    its evidence and than a jail ends (R10). The two last arguments are in Q16, for generators and discriminators.
    """
    check_arithmetic(params, generator_seats, discriminator_seats)
    plain = Params(*(leaf.tolist() for leaf in params))
    _raise_first(_incentives(plain, honest_edge_q16_R, cheating_gain_q16_R))


def check_arithmetic(params: Params, generator_seats: int = 5, discriminator_seats: int = 15) -> None:
    """The part of `check_params` that no network can do without: ranges, and products below 2^62.

    Asked alone of what is already written: a ledger that began under weaker incentives can still be read and verified.
    """
    seats_R = (generator_seats, discriminator_seats)
    if min(seats_R) < 1:
        raise ValueError(f"a task needs at least one seat a role, got {seats_R}")
    _check_shapes(params)
    plain = Params(*(leaf.tolist() for leaf in params))
    _raise_first(_ranges(plain))
    _raise_first(_products(plain, seats_R))


def count_given_micro(*amounts_micro: Array | int) -> int:
    """The sum of all entries: exact up to 2^53, nine times the supply, and about right beyond.

    Asked before a network starts. An int64 sum of absurd stakes can wrap around to less than the supply.
    """
    return int(sum(float(np.sum(np.asarray(amounts), dtype=np.float64)) for amounts in amounts_micro))


def _raise_first(lines: Iterator[tuple[bool, str]]) -> None:
    for holds, sentence in lines:
        if not holds:
            raise ValueError(sentence)


def _check_shapes(params: Params) -> None:
    """Every leaf is an int64 scalar, but for the classes (K), their correlations (K, 2) and the wagers (2)."""
    classes = params.kappa_q12_K.shape
    vectors = {"kappa_q12_K": classes, "rho_q16_KR": (*classes, 2), "wager_fees_R": (2,)}
    if len(classes) != 1 or classes[0] == 0:
        raise ValueError(f"kappa_q12_K needs one entry a task class, got shape {classes}")
    for name, leaf in params._asdict().items():
        if str(leaf.dtype) != "int64":
            raise ValueError(f"{name} must be int64, got {leaf.dtype}")
        if leaf.shape != vectors.get(name, ()):
            raise ValueError(f"{name} must have shape {vectors.get(name, ())}, got {leaf.shape}")


def _ranges(p: Params) -> Iterator[tuple[bool, str]]:
    signed = {"integral_min_q12"}
    at_least_one = {"base_fee_denominator", "target_tasks", "reputation_prior_q8", "reputation_floor_q16"}
    at_least_one |= {name for name in p._fields if name.endswith("_commit_blocks") or name.endswith("_reveal_blocks")}
    for name, value in p._asdict().items():
        values = _flatten(value)
        low = 1 if name in at_least_one else 0
        yield name in signed or min(values) >= low, f"{name} must be at least {low}, got {value}"
        if "_q16" in name and name != "cusum_limit_q16":
            yield max(values) <= Q16, f"{name} is a share in Q16 and must be at most 65536, got {value}"
        if name.endswith("_shift"):
            yield value <= 40, f"{name} must be at most 40, got {value}"
        if name.endswith("_blocks"):
            yield value < 1 << 40, f"{name} must be below 2^40, got {value}"
    yield p.tau_min_q12 > 0, "tau_min_q12 must be above 0, or a tie is accepted (R5)"
    yield p.tau_min_q12 <= p.tau_max_q12, "tau_min_q12 is above tau_max_q12"
    yield p.integral_min_q12 <= 0 <= p.integral_max_q12, "the bounds of the integral must enclose 0"
    dials_q12 = (p.integral_min_q12, p.integral_max_q12, p.difficulty_slope_q12, p.tau_min_q12, p.tau_max_q12)
    yield max(map(abs, dials_q12)) <= 16 * Q12, "the integral, the slope and the bounds of tau must be within 16 in Q12"
    yield p.evidence_clip_q12 <= 8 * Q12, "evidence_clip_q12 is above the range of the logit table, 8"
    yield max(p.kappa_q12_K) <= 16 * Q12, "kappa_q12_K must be at most 16"
    yield (
        0 < p.base_rate_min_q16 <= p.base_rate_start_q16 <= p.base_rate_max_q16 < Q16,
        "the base rate must start between its bounds, and these within 0 and 1",
    )
    largest = max(p.cusum_limit_q16, p.reputation_prior_q8)
    yield largest <= 1 << 40, "cusum_limit_q16 and reputation_prior_q8 must be at most 2^40"


def _products(p: Params, seats_R: tuple[int, int]) -> Iterator[tuple[bool, str]]:
    """Bounds for the largest fees, tips and stakes there can be (law, Quantities and I10)."""
    shares = (
        p.pot_share_generators,
        p.pot_share_discriminators,
        p.pot_share_purse,
        p.pot_share_proposer,
        p.pot_share_treasury,
    )
    yield 0 < sum(shares) <= 1 << 12, f"the shares of a pot must sum to 1 to 4096, got {sum(shares)}"
    yield p.emission_rate_q32 < 1 << 12, f"emission_rate_q32 must be below 2^12, got {p.emission_rate_q32}"
    yield SUPPLY_CAP_MICRO * p.target_tasks < LIMIT, f"target_tasks must be at most 4096, got {p.target_tasks}"
    yield p.challenge_bond_fees <= 1 << 10, "challenge_bond_fees must be at most 1024"
    yield p.equivocation_multiplier <= 16, "equivocation_multiplier must be at most 16"
    yield max(seats_R) <= 1 << 10, f"a task has at most 1024 seats a role, got {seats_R}"
    audit_q16 = p.canary_rate_q16 + p.random_audit_rate_q16
    yield 0 < audit_q16 <= Q16, "p_audit, the sum of canary and random rate, must be above 0 and at most 1 (R6)"
    pot = TIP_MAX_MICRO + (SUPPLY_CAP_MICRO * p.emission_rate_q32 >> 32)
    for role, seats, share, mu in zip(("generator", "discriminator"), seats_R, shares, p.wager_fees_R, strict=False):
        flat = pot * share // sum(shares) // seats + 1
        yield mu * flat * Q16 < LIMIT, f"the {role}s' wager_fees_R {mu} overflows at the largest tip: lower it"
        wager = mu * flat * Q16 // audit_q16
        yield (
            wager * seats << 18 < LIMIT,
            f"a {role}'s largest wager overflows with {seats} seats: lower wager_fees_R or audit more",
        )


def _incentives(p: Params, edge_q16_R: tuple[int, int], gain_q16_R: tuple[int, int]) -> Iterator[tuple[bool, str]]:
    for role, mu, edge, gain in zip(
        ("generator", "discriminator"), p.wager_fees_R, edge_q16_R, gain_q16_R, strict=True
    ):
        # p_audit cancels: m is mu flat fees divided by it
        yield (
            mu * edge >= 2 * gain,
            f"audits do not deter {role}s: wager_fees_R {mu} times the honest edge {edge / Q16:.3f} is below twice what"
            f" cheating gains, {gain / Q16:.2f} flat fees (R6): raise wager_fees_R",
        )
    yield p.finder_divisor >= 512, "a finder gets at most 1/512 of a slash (R8): raise finder_divisor"
    yield p.slash_burn_q16 + Q16 // max(p.finder_divisor, 1) <= Q16, "slash_burn_q16 leaves nothing for the finder (R8)"
    yield 5 * p.challenge_burn_q16 >= Q16, "at least 20 % of a lost challenge burns (R6): raise challenge_burn_q16"
    evidence_blocks = sum(p.windows_blocks) + 2 * p.challenge_window_blocks
    yield (
        p.unbonding_blocks > evidence_blocks,
        f"unbonding_blocks {p.unbonding_blocks} must be longer than a task with its audit and challenge,"
        f" {evidence_blocks} blocks (R10)",
    )
    yield (
        p.unbonding_blocks > p.jail_blocks,
        f"unbonding_blocks {p.unbonding_blocks} must be longer than a jail, {p.jail_blocks} blocks: a caught key would"
        " leave and be back under another name before its jail ends (R10)",
    )


def _flatten(value: int | list) -> list[int]:
    if isinstance(value, list):
        return [x for item in value for x in _flatten(item)]
    return [value]
