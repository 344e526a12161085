"""Quantities: probabilities to log-odds and back, by two published tables with integer interpolation."""

from consensus.tables import LOGIT_Q12, SIGMOID_Q16
from consensus.units import Array, namespace

RANGE_Q12 = 8 << 12


def logit_q12(probability_q16: Array) -> Array:
    """Log-odds in Q12, -8 to 8, of probabilities 0 to 65,536; never decreasing, within .07 of ln(p / (1 - p)) for
    1/1,024 <= p <= 1,023/1,024."""
    xp = namespace(probability_q16)
    return _interpolate(xp.asarray(LOGIT_Q12), probability_q16)


def sigmoid_q16(log_odds_q12: Array) -> Array:
    """Probability in Q16 of log-odds, which are clipped to +-8; never decreasing, within one unit of 1 / (1 + e^-x)
    times 65,536 (plus one for the floor)."""
    xp = namespace(log_odds_q12)
    offset = xp.clip(log_odds_q12, -RANGE_Q12, RANGE_Q12) + RANGE_Q12
    return _interpolate(xp.asarray(SIGMOID_Q16), offset)


def _interpolate(table: Array, position: Array) -> Array:
    """Between entries 64 apart: the last interval is closed, so that its end reads the last entry."""
    xp = namespace(position)
    index = xp.minimum(position >> 6, 1023)
    low = table[index]
    return low + (((table[index + 1] - low) * (position - (index << 6))) >> 6)
