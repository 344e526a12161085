"""R6, the lot: which settled tasks the beacon audits, and on which candidate the verdicts are scored."""

from consensus.rules.seats import reduce_draw
from consensus.state import Params
from consensus.units import Array, as_int64, namespace, total


def compute_audit_rate_q16(params: Params) -> Array:
    """p_audit: what a wager is divided by, so that its expected weight does not depend on how often audits come."""
    return params.canary_rate_q16 + params.random_audit_rate_q16


def pick_random_audit(params: Params, audit_draw_16: Array, is_canary: Array) -> Array:
    """1 if the beacon audits this task: its draw modulo 65,536 is below the rate and it is no canary."""
    lot_q16 = (audit_draw_16[14] << 8) + audit_draw_16[15]  # the last two bytes are the draw modulo 65,536
    return as_int64((lot_q16 < params.random_audit_rate_q16) & (is_canary == 0))


def draw_candidate(answer_G: Array, answered_G: Array, candidate_draw_16: Array) -> Array:
    """The candidate of one revealed generator seat, each with equal chance; -1 if no answer was revealed."""
    xp = namespace(answer_G)
    revealed = total(answered_G)
    wanted = reduce_draw(candidate_draw_16, revealed)
    rank_G = xp.cumsum(answered_G, dtype=xp.int64) - 1
    is_wanted_G = answered_G & (rank_G == wanted)
    return xp.where(revealed > 0, total(xp.where(is_wanted_G, answer_G, 0)), -1)
