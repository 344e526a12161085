"""Parameters to start from, the check that refuses unsafe ones, and the first state of a network.

A preset is the reference and what differs from it, with the reason. `check_params` (consensus/limits.py) refuses what
the law's arithmetic or its incentives cannot bear, with one sentence.
"""

from math import log

import numpy as np

from consensus.limits import check_params, count_given_micro
from consensus.state import Network, Nodes, Params
from consensus.units import MICRO, Q8, Q12, Q16, SUPPLY_CAP_MICRO, Array

__all__ = ["check_params", "demo", "genesis", "make_params", "minimal", "q16", "reference"]

GENERATOR_SEATS, DISCRIMINATOR_SEATS = 5, 15


def reference() -> Params:
    """The law's defaults, meant for a network of many machines."""
    return make_params(
        base_fee_denominator=8,
        target_tasks=16,
        answer_commit_blocks=4,
        answer_reveal_blocks=4,
        verdict_commit_blocks=4,
        verdict_reveal_blocks=4,
        canary_reveal_blocks=2,
        stake_min_micro=1_000 * MICRO,
        reputation_prior_q8=1 * Q8,
        reputation_floor_q16=Q16 // 4,
        evidence_clip_q12=3 * Q12,
        beta_start_q16=Q16 // 2,
        beta_rate_shift=4,
        kappa_q12_K=[round(1.5 * Q12), 0, round(1.5 * Q12), round(1.5 * Q12)],  # text, choice of two, number, span
        rho_q16_KR=[[q16(0.3), q16(0.5)]] * 4,
        theta0_q16=q16(0.80),
        difficulty_slope_q12=round(1.25 * Q12),
        difficulty_centre_q16=q16(0.3),
        tau_min_q12=round(log(0.60 / 0.40) * Q12),
        tau_max_q12=6 * Q12,
        epsilon_q16=q16(0.02),
        integral_shift=2,
        integral_min_q12=-round(1.5 * Q12),
        integral_max_q12=round(4.5 * Q12),
        canary_rate_q16=q16(0.05),
        random_audit_rate_q16=q16(0.03),
        challenge_window_blocks=64,
        challenge_bond_fees=2,
        challenge_burn_q16=q16(0.2) + 1,
        pot_share_generators=30,
        pot_share_discriminators=5,
        pot_share_purse=50,
        pot_share_proposer=5,
        pot_share_treasury=10,
        wager_fees_R=[6, 60],
        false_flag_threshold_q16=q16(0.75),
        base_rate_start_q16=29_491,
        base_rate_min_q16=656,
        base_rate_max_q16=64_880,
        base_rate_shift=6,
        non_reveal_slash_q16=q16(0.001),
        equivocation_slash_q16=q16(0.05),
        equivocation_multiplier=3,
        cusum_delta_q16=q16(0.05),
        cusum_limit_q16=4 * Q16,
        cusum_slash_q16=q16(0.02),
        jail_blocks=600,
        slash_burn_q16=Q16 // 2,
        finder_divisor=512,
        good_decay_shift=6,
        bad_decay_shift=7,
        unbonding_blocks=30_240,
        exit_churn_q16=q16(0.01),
        emission_rate_q32=1_024,
    )


def demo() -> Params:
    """The reference on one machine for some hundred tasks: short windows, and enough audits to learn voices early."""
    return reference()._replace(
        **_leaves(
            answer_commit_blocks=1,
            answer_reveal_blocks=1,
            verdict_commit_blocks=1,
            verdict_reveal_blocks=1,
            canary_reveal_blocks=1,
            challenge_window_blocks=8,
            rho_q16_KR=[[q16(0.3), q16(0.9)]] * 4,  # its verifiers are of one recipe: measured .9
            canary_rate_q16=q16(0.2),
            random_audit_rate_q16=q16(0.1),
            unbonding_blocks=1_200,  # twice the jail: who leaves is not back before it ends
        )
    )


def minimal() -> Params:
    """The demo with the smallest numbers that still exercise every rule: for quick tests with a few seats."""
    return demo()._replace(
        **_leaves(
            rho_q16_KR=[[q16(0.3), q16(0.5)]] * 4,
            stake_min_micro=10 * MICRO,
            target_tasks=2,
            challenge_window_blocks=2,
            jail_blocks=4,
            unbonding_blocks=24,
            exit_churn_q16=q16(0.25),
        )
    )


def q16(share: float) -> int:
    """The Q16 integer nearest to a share written as a decimal fraction."""
    return round(share * Q16)


def make_params(**leaves: int | list) -> Params:
    """`Params` of NumPy int64 arrays from plain numbers and lists."""
    return Params(**_leaves(**leaves))


def _leaves(**leaves: int | list) -> dict[str, np.ndarray]:
    return {name: np.asarray(value, dtype=np.int64) for name, value in leaves.items()}


def genesis(
    params: Params,
    liquid_micro_N: Array,
    bonded_micro_N: Array,
    role_NR: Array,
    treasury_micro: int,
    purse_micro: int,
    base_fee_micro: int,
    height: int = 1,
) -> tuple[Network, Nodes]:
    """The first state: what is given out, and all the rest of the supply in the reserve.

    Rows are accounts in ascending key order. Raises ValueError if more is given out than there is.
    """
    liquid_N, bonded_N = np.asarray(liquid_micro_N, dtype=np.int64), np.asarray(bonded_micro_N, dtype=np.int64)
    given_out = count_given_micro(liquid_N, bonded_N, treasury_micro, purse_micro)
    if given_out > SUPPLY_CAP_MICRO:
        raise ValueError(f"the genesis gives out {given_out} micro-tokens, the cap is {SUPPLY_CAP_MICRO}: lower stakes")
    zeros_N, zeros_NR = np.zeros_like(bonded_N), np.zeros((bonded_N.shape[0], 2), dtype=np.int64)
    nodes = Nodes(
        liquid_micro_N=liquid_N,
        bonded_micro_N=bonded_N,
        locked_micro_N=zeros_N,
        unbonding_micro_N=zeros_N,
        unbonding_release_N=zeros_N,
        escrow_micro_N=zeros_N,
        role_NR=np.asarray(role_NR, dtype=np.int64),
        good_q8_NR=zeros_NR,
        bad_q8_NR=zeros_NR,
        beta_q16_NR=zeros_NR + params.beta_start_q16,
        cusum_q16_NR=zeros_NR,
        jailed_until_N=zeros_N,
    )
    network = Network(
        **_leaves(
            treasury_micro=treasury_micro,
            reserve_micro=SUPPLY_CAP_MICRO - given_out,
            burned_micro=0,
            purse_micro=purse_micro,
            purse_reserved_micro=0,
            task_escrow_micro=0,
            challenge_bonds_micro=0,
            base_fee_micro=base_fee_micro,
            integral_q12=0,
            base_rate_q16=int(params.base_rate_start_q16),
            height=height,
            exiting_micro=0,
        )
    )
    return network, nodes
