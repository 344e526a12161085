"""What the law talks about: parameters, nodes, the network, one task's round, and what settling it gives.

Every leaf is an int64 array or scalar (NumPy in the ledger, JAX in the simulator). The shape legend:
N nodes in ascending key order, R roles (0 generator, 1 discriminator), G generator seats, D discriminator seats,
C = G candidates, K task classes. Units are in the names: `_micro` is 1e-6 token, `_q16` is 1/65,536, `_q12` is
1/4,096, `_q8` is 1/256, `_blocks` and heights count blocks. -1 stands for "none" in every index.
"""

from typing import Any, NamedTuple

Array = Any  # numpy.ndarray or jax.Array: the rules take their array module from the value itself
GENERATOR, DISCRIMINATOR = 0, 1


class Params(NamedTuple):
    """The law's constants. Everything a sweep may vary is a leaf; shapes come from the arrays of a `Round`."""

    # R1 fee and deadlines
    base_fee_denominator: Array  # EIP-1559 denominator, 8
    target_tasks: Array  # tasks a block at which the base fee rests
    answer_commit_blocks: Array  # length of each window, in blocks after the one before it
    answer_reveal_blocks: Array
    verdict_commit_blocks: Array
    verdict_reveal_blocks: Array
    canary_reveal_blocks: Array  # after the verdicts: the author of a canary opens its answer before settlement
    # R2 seats
    stake_min_micro: Array  # least free bonded stake that may be drawn
    reputation_prior_q8: Array  # the 1 in good / (good + bad + 1), Q8
    reputation_floor_q16: Array  # 1/4
    # R4 tally
    evidence_clip_q12: Array  # 3.0: what one seat can add
    beta_start_q16: Array  # 1/2
    beta_rate_shift: Array  # 4: the learning rate 1/16
    kappa_q12_K: Array  # published -ln P(two wrong answers coincide), by class; 0 for two-way classes
    rho_q16_KR: Array  # published error correlation, by class and role
    # R5 acceptance
    theta0_q16: Array  # .80
    difficulty_slope_q12: Array  # 1.25
    difficulty_centre_q16: Array  # .3
    tau_min_q12: Array  # logit .60
    tau_max_q12: Array  # 6.0
    epsilon_q16: Array  # .02: the wrong share that the threshold steers to
    integral_shift: Array  # 2: the gain 1/4
    integral_min_q12: Array  # -1.5
    integral_max_q12: Array  # 4.5
    # R6 audit and challenge
    canary_rate_q16: Array  # share of tasks that are canaries (planned by their authors; enters p_audit)
    random_audit_rate_q16: Array  # share of settled tasks that the beacon picks
    challenge_window_blocks: Array  # W
    challenge_bond_fees: Array  # 2: the bond in units of the task's fee F
    challenge_burn_q16: Array  # share of the loser's payment that burns, 20 %
    # R7 pay
    pot_share_generators: Array  # shares of a pot, integers: 30, 5, 50, 5, 10
    pot_share_discriminators: Array
    pot_share_purse: Array
    pot_share_proposer: Array
    pot_share_treasury: Array
    wager_fees_R: Array  # mu: wager in flat fees / p_audit, (6, 60)
    false_flag_threshold_q16: Array  # t = .75
    base_rate_start_q16: Array  # 29,491
    base_rate_min_q16: Array  # 656
    base_rate_max_q16: Array  # 64,880
    base_rate_shift: Array  # 6
    # R8 slash
    non_reveal_slash_q16: Array  # .1 %
    equivocation_slash_q16: Array  # 5 %
    equivocation_multiplier: Array  # 3
    cusum_delta_q16: Array  # .05
    cusum_limit_q16: Array  # 4.0
    cusum_slash_q16: Array  # 2 %
    jail_blocks: Array  # 600
    slash_burn_q16: Array  # 1/2, the rest to the treasury
    finder_divisor: Array  # 512
    # R9 reputation
    good_decay_shift: Array  # 6
    bad_decay_shift: Array  # 7
    # R10 stake
    unbonding_blocks: Array  # 30,240
    exit_churn_q16: Array  # largest share of all bonded stake that may begin to leave in one block
    # R11 emission
    emission_rate_q32: Array  # share of the reserve a task, < 2^12

    @property
    def windows_blocks(self) -> tuple[Array, ...]:
        """The lengths of a task's five windows, in the order in which they open."""
        return (
            self.answer_commit_blocks,
            self.answer_reveal_blocks,
            self.verdict_commit_blocks,
            self.verdict_reveal_blocks,
            self.canary_reveal_blocks,
        )


class Nodes(NamedTuple):
    """Every account, in ascending key order; one that only asks questions has no role."""

    liquid_micro_N: Array
    bonded_micro_N: Array  # includes what is locked
    locked_micro_N: Array  # the part of bonded that backs open wagers; a slash cannot reach it
    unbonding_micro_N: Array  # still slashable
    unbonding_release_N: Array  # height; a further unbonding moves it for the whole amount
    escrow_micro_N: Array  # generator fees that a challenge can still take back
    role_NR: Array  # 1 if registered for the role
    good_q8_NR: Array
    bad_q8_NR: Array
    beta_q16_NR: Array
    cusum_q16_NR: Array  # J
    jailed_until_N: Array  # height; FOREVER after equivocation


class Network(NamedTuple):
    """The accounts and dials that belong to no node. All scalars."""

    treasury_micro: Array
    reserve_micro: Array  # what emission draws on
    burned_micro: Array
    purse_micro: Array  # the house's account for wagers, includes what is reserved
    purse_reserved_micro: Array  # the house's possible loss on open wagers
    task_escrow_micro: Array  # tips and emissions of tasks that have not settled
    challenge_bonds_micro: Array
    base_fee_micro: Array
    integral_q12: Array  # I
    base_rate_q16: Array  # b
    height: Array  # of the block being executed
    exiting_micro: Array  # bonded stake that began to leave in this block (a counter for R10, not an account)


class Round(NamedTuple):
    """One task: its money, its seats and what they revealed. Seats drawn twice repeat the node's reveal."""

    task_class: Array  # [] index into K
    fee_micro: Array  # [] F = base fee + tip, the unit of a challenge bond
    tip_micro: Array  # []
    emission_micro: Array  # [] E, taken from the reserve when the task opened
    flat_fee_micro_R: Array  # [R] what one paid seat earns
    wager_micro_R: Array  # [R] m, what each seat put up
    generator_G: Array  # [G] node of each seat, -1 if nobody was eligible
    discriminator_D: Array  # [D]
    answer_G: Array  # [G] candidate index, -1 if not revealed in time
    confidence_q16_G: Array  # [G]
    revealed_D: Array  # [D] 1 if the verdicts were revealed in time
    verdict_q16_DC: Array  # [D,C] probability that the candidate is false
    evidence_DC: Array  # [D,C] 1 if the verdict names evidence


class Outcome(NamedTuple):
    """What the tally and the threshold say of one round, and which candidate the verdicts are scored on."""

    accepted: Array  # [] candidate, -1 if the network abstains
    reason: Array  # [] one of the REASON_ codes
    score_q12_C: Array  # [C] s
    generator_score_q12_C: Array  # [C] the generators' part of s
    discriminator_score_q12_C: Array  # [C] the discriminators' part of s
    generator_evidence_q12_G: Array  # [G] e, what each seat added, before the division for correlation
    discriminator_evidence_q12_DC: Array  # [D,C]
    margin_q12: Array  # [] Lambda
    tau_q12: Array  # []
    difficulty_q16: Array  # [] d
    drawn: Array  # [] candidate the verdicts are scored on, -1 if no answer was revealed
    is_random_audit: Array  # [] 1 if the beacon picked this task


# Why a round was not accepted; the first condition that fails, in this order.
REASON_ACCEPTED, REASON_NO_ANSWER, REASON_QUORUM, REASON_ONE_NODE, REASON_NO_SUPPORT, REASON_BELOW_THRESHOLD = range(6)
REASONS = (
    "accepted",
    "no answer was revealed",
    "fewer than two thirds of the seats revealed",
    "fewer than two distinct generator nodes revealed",
    "the discriminators' evidence does not support the best answer",
    "the margin is below the threshold",
)


class Payments(NamedTuple):
    """What one step of settlement moved to each node, by cause; what a node lost is negative. [N] each."""

    fee_micro_N: Array  # flat fees (a generator's go to escrow)
    wager_micro_N: Array  # wager result: paid back minus put up
    forfeit_micro_N: Array  # wagers lost for not revealing
    slash_micro_N: Array  # slashed from bonded and unbonding
