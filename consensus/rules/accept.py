"""R5: accept the best answer, or abstain. The threshold rises with disagreement and with audited errors."""

from consensus.rules.log_odds import logit_q12
from consensus.rules.tally import Tally
from consensus.state import (
    REASON_ACCEPTED,
    REASON_BELOW_THRESHOLD,
    REASON_NO_ANSWER,
    REASON_NO_SUPPORT,
    REASON_ONE_NODE,
    REASON_QUORUM,
    Network,
    Params,
)
from consensus.units import Q16, Array, floor_divide, namespace, total


def compute_difficulty_q16(seats_on_C: Array) -> Array:
    """d: the chance that two revealed generator seats disagree, (n^2 - sum k^2) / (n (n - 1)); 0 below two seats."""
    n = total(seats_on_C)
    return floor_divide((n * n - total(seats_on_C * seats_on_C)) << 16, n * (n - 1))


def compute_tau_q12(params: Params, network: Network, difficulty_q16: Array) -> Array:
    """The threshold in log-odds: logit theta0, plus what difficulty and past errors add, within its bounds."""
    xp = namespace(difficulty_q16)
    slope = (params.difficulty_slope_q12 * (difficulty_q16 - params.difficulty_centre_q16)) >> 16
    tau = logit_q12(params.theta0_q16) + slope + network.integral_q12
    return xp.clip(tau, params.tau_min_q12, params.tau_max_q12)


def decide(tally: Tally, tau_q12: Array, generator_seats: int, discriminator_seats: int) -> tuple[Array, Array]:
    """(accepted candidate or -1, reason): the first condition that fails is the reason."""
    xp = namespace(tally.best)
    is_short = (3 * tally.generators < 2 * generator_seats) | (3 * tally.discriminators < 2 * discriminator_seats)
    checks = (  # in reverse: a later line overrules an earlier one
        (tally.margin_q12 < tau_q12, REASON_BELOW_THRESHOLD),
        (tally.support_q12 <= 0, REASON_NO_SUPPORT),
        (tally.distinct_generators < 2, REASON_ONE_NODE),
        (is_short, REASON_QUORUM),
        (tally.generators == 0, REASON_NO_ANSWER),
    )
    reason = xp.zeros_like(tally.best) + REASON_ACCEPTED
    for fails, code in checks:
        reason = xp.where(fails, code, reason)
    return xp.where(reason == REASON_ACCEPTED, tally.best, -1), reason


def move_integral(params: Params, network: Network, is_wrong: Array) -> Network:
    """I after a randomly audited acceptance: a quarter of (1 - epsilon) up if it was wrong, of epsilon down if not."""
    xp = namespace(network.integral_q12)
    error_q16 = xp.where(is_wrong, Q16, 0) - params.epsilon_q16
    moved = network.integral_q12 + (error_q16 >> (4 + params.integral_shift))  # 4 more bits: Q16 to Q12
    return network._replace(integral_q12=xp.clip(moved, params.integral_min_q12, params.integral_max_q12))
