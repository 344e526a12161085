"""R7, the scores: what a confidence or a verdict is worth once the truth is known. Both are strictly proper, in [0, 1].

Strictly proper: whoever states his belief expects the highest score. Never clip them, share a pot in proportion to
them, or multiply one side of them: each was measured to make lying the best answer.
"""

from consensus.units import Q16, Array, namespace


def score_confidence(confidence_q16: Array, is_true: Array) -> Array:
    """S = (1 + y - (c - y)^2) / 2 in Q16, y = 1 if the answer is true. One floor.

    Without the y, garbage sent at confidence 0 would score 1.
    """
    y_q16 = is_true * Q16
    miss_q16 = confidence_q16 - y_q16
    return (((Q16 + y_q16) << 16) - miss_q16 * miss_q16) >> 17


def score_verdict(verdict_q16: Array, is_false: Array, threshold_q16: Array) -> Array:
    """S = t/2 + (1 - (q - y)^2) / 2 + [q > t] ((1 - t) y - t (1 - y)) / 2 in Q16, y = 1 if it is false. One floor.

    The bracket pays for a decision: at t = .75 a false flag costs, against saying one half, what three correct flags
    earn. The leading t/2 keeps the score within [0, 1] for every t.
    """
    xp = namespace(verdict_q16)
    miss_q16 = verdict_q16 - is_false * Q16
    flag_q16 = xp.where(verdict_q16 > threshold_q16, is_false * Q16 - threshold_q16, 0)
    return (((threshold_q16 + flag_q16) << 16) + (1 << 32) - miss_q16 * miss_q16) >> 17
