"""The law's numbers: floors, exact splits, and the two published tables (law, Quantities)."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

ONE = 65536  # 1 in Q16
FOREVER = 1 << 62
SUPPLY_CAP = 10**15  # micro-tokens
TIP_MAX = 2**36
GENERATOR, DISCRIMINATOR = 0, 1


def mul_q16(amount: int, ratio_q16: int) -> int:
    """floor(amount * ratio), the ratio in Q16. Python needs no care against overflow."""
    return int(amount) * int(ratio_q16) // ONE


def clip(value: int, low: int, high: int) -> int:
    """`value` within [low, high]."""
    return max(low, min(high, value))


def telescoping_parts(pot: int, shares: list[int]) -> list[int]:
    """Parts of `pot` in proportion to `shares`, whose floors add up to the pot exactly (R7)."""
    parts = []
    paid = 0
    running = 0
    for share in shares:
        running += share
        until_here = pot * running // sum(shares)
        parts.append(until_here - paid)
        paid = until_here
    return parts


def draw_below(draw_16: list[int], bound: int) -> int:
    """128 hash bits, big-endian, modulo `bound`."""
    return int.from_bytes(bytes(int(byte) for byte in draw_16), "big") % int(bound)


def _nearest(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def _compute_logit_table() -> list[int]:
    table = [-8 * 4096]
    for i in range(1, 1024):
        table.append(_nearest(4096 * (Decimal(i) / Decimal(1024 - i)).ln()))
    return [*table, 8 * 4096]


def _compute_sigmoid_table() -> list[int]:
    return [_nearest(ONE / (1 + (-Decimal(64 * i - 32768) / 4096).exp())) for i in range(1025)]


with localcontext() as context:
    context.prec = 40
    LOGIT_Q12 = _compute_logit_table()
    SIGMOID_Q16 = _compute_sigmoid_table()


def _interpolate(table: list[int], position: int) -> int:
    """The table's value at `position` / 64 entries; 65,536 is the last entry itself."""
    entry = min(position // 64, 1023)
    return table[entry] + (table[entry + 1] - table[entry]) * (position - 64 * entry) // 64


def logit_q12(probability_q16: int) -> int:
    """ln(p / (1 - p)) in Q12, within +-8."""
    return _interpolate(LOGIT_Q12, probability_q16)


def sigmoid_q16(log_odds_q12: int) -> int:
    """1 / (1 + exp(-x)) in Q16; x outside +-8 counts as +-8."""
    return _interpolate(SIGMOID_Q16, clip(log_odds_q12, -32768, 32768) + 32768)
