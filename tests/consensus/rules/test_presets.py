"""Presets are legal, and what the law cannot bear is refused with one sentence that names it."""

from typing import Any

import numpy as np
import pytest

from consensus import presets
from consensus.limits import check_arithmetic
from consensus.presets import check_params, demo, minimal, q16, reference
from consensus.rules.supply import compute_supply_micro
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus.rules.small import int64, params_with


@pytest.mark.parametrize("preset", [reference, demo, minimal])
def test_presets_are_legal(preset: Any) -> None:
    check_params(preset())
    assert all(leaf.dtype == np.int64 for leaf in preset())


def test_the_reference_holds_the_law_s_numbers() -> None:
    p = reference()
    assert int(p.tau_min_q12) == 1_661  # logit .60
    assert (int(p.theta0_q16), int(p.epsilon_q16)) == (52_429, 1_311)
    assert p.wager_fees_R.tolist() == [6, 60]
    assert [int(leaf) for name, leaf in p._asdict().items() if name.startswith("pot_share")] == [30, 5, 50, 5, 10]
    assert (int(p.reputation_prior_q8), int(p.reputation_floor_q16)) == (256, 16_384)
    assert p.kappa_q12_K[:2].tolist() == [6_144, 0]
    assert abs(int(p.canary_rate_q16 + p.random_audit_rate_q16) / 65_536 - 0.08) < 1e-4
    assert abs(int(demo().canary_rate_q16 + demo().random_audit_rate_q16) / 65_536 - 0.30) < 1e-4


@pytest.mark.parametrize(
    ("leaves", "sentence"),
    [
        ({"canary_rate_q16": 0, "random_audit_rate_q16": 0}, "p_audit"),
        ({"canary_rate_q16": 40_000, "random_audit_rate_q16": 40_000}, "p_audit"),
        ({"wager_fees_R": [2, 60]}, "audits do not deter generators"),
        ({"wager_fees_R": [6, 10]}, "audits do not deter discriminators"),
        ({"wager_fees_R": [6, 200_000]}, "discriminator's largest wager overflows"),
        ({"wager_fees_R": [10**9, 60]}, "generators' wager_fees_R 1000000000 overflows"),
        ({"emission_rate_q32": 4_096}, "emission_rate_q32 must be below 2"),
        ({"pot_share_purse": 5_000}, "shares of a pot"),
        ({"target_tasks": 5_000}, "target_tasks must be at most 4096"),
        ({"target_tasks": 0}, "target_tasks must be at least 1"),
        ({"theta0_q16": 70_000}, "theta0_q16 is a share"),
        ({"stake_min_micro": -1}, "stake_min_micro must be at least 0"),
        ({"beta_rate_shift": 41}, "beta_rate_shift must be at most 40"),
        ({"verdict_reveal_blocks": 0}, "verdict_reveal_blocks must be at least 1"),
        ({"tau_min_q12": 0}, "a tie is accepted"),
        ({"tau_min_q12": 30_000}, "tau_min_q12 is above"),
        ({"integral_min_q12": 1}, "integral must enclose 0"),
        ({"tau_max_q12": 70_000}, "within 16"),
        ({"evidence_clip_q12": 40_000}, "evidence_clip_q12"),
        ({"kappa_q12_K": [70_000, 0, 0, 0]}, "kappa_q12_K must be at most 16"),
        ({"base_rate_min_q16": 0}, "base rate"),
        ({"equivocation_multiplier": 17}, "equivocation_multiplier"),
        ({"challenge_bond_fees": 2_000}, "challenge_bond_fees"),
        ({"challenge_burn_q16": q16(0.19)}, "20 %"),
        ({"finder_divisor": 511}, "1/512"),
        ({"slash_burn_q16": 65_536}, "nothing for the finder"),
        ({"unbonding_blocks": 9}, "unbonding_blocks 9 must be longer than a task"),
        ({"unbonding_blocks": 24, "jail_blocks": 24}, "unbonding_blocks 24 must be longer than a jail, 24 blocks"),
        ({"rho_q16_KR": [[1, 1]] * 3}, "rho_q16_KR must have shape"),
        ({"kappa_q12_K": 5}, "one entry a task class"),
        ({"cusum_limit_q16": 1 << 41}, "cusum_limit_q16"),
    ],
)
def test_what_the_law_cannot_bear_is_refused(leaves: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        check_params(params_with(**leaves))
    assert "\n" not in str(caught.value)


def test_what_is_written_is_judged_by_its_arithmetic_alone() -> None:
    """A ledger that began under weaker incentives must stay readable, one that would overflow must not."""
    check_arithmetic(params_with(unbonding_blocks=9, wager_fees_R=[2, 10]))
    with pytest.raises(ValueError, match="overflows"):
        check_arithmetic(params_with(wager_fees_R=[10**9, 60]))
    with pytest.raises(ValueError, match="theta0_q16 is a share"):
        check_arithmetic(params_with(theta0_q16=70_000))


def test_dtypes_and_seats_are_checked() -> None:
    with pytest.raises(ValueError, match="theta0_q16 must be int64, got int32"):
        check_params(minimal()._replace(theta0_q16=np.int32(5)))
    with pytest.raises(ValueError, match="at least one seat"):
        check_params(minimal(), 0, 15)
    with pytest.raises(ValueError, match="at most 1024 seats"):
        check_params(minimal(), 5, 2_000)


def test_deterrence_depends_on_what_honesty_is_worth() -> None:
    """R6: better models may wager less, a larger gain from cheating asks for more."""
    cheap = params_with(wager_fees_R=[2, 60])
    check_params(cheap, honest_edge_q16_R=(q16(0.15), q16(0.17)))
    with pytest.raises(ValueError, match="deter generators"):
        check_params(minimal(), cheating_gain_q16_R=(q16(1.0), q16(1.0)))


def test_genesis_puts_the_rest_into_the_reserve() -> None:
    network, nodes = presets.genesis(minimal(), [5, 0], [0, 7], [[0, 0], [1, 0]], 11, 13, 17, height=3)
    assert compute_supply_micro(network, nodes) == SUPPLY_CAP_MICRO
    assert network.reserve_micro == SUPPLY_CAP_MICRO - 36
    assert (network.height, network.base_rate_q16) == (3, 29_491)
    assert nodes.beta_q16_NR.tolist() == [[32_768, 32_768]] * 2
    with pytest.raises(ValueError, match="gives out"):
        presets.genesis(minimal(), int64([SUPPLY_CAP_MICRO]), int64([1]), [[0, 0]], 0, 0, 0)
    wrapping = int64([1 << 60] * 16)  # an int64 sum of these is 0
    with pytest.raises(ValueError, match="gives out"):
        presets.genesis(minimal(), wrapping, wrapping * 0, [[0, 0]] * 16, 0, 0, 0)
