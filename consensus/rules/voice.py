"""R4, the voice: beta, how much of a node's stated log-odds the tally believes. Who exaggerates loses it."""

from consensus.rules.log_odds import sigmoid_q16
from consensus.rules.seats import count_seats, first_seats
from consensus.state import Nodes, Params
from consensus.units import Q16, Array, namespace


def update_voice(
    params: Params, nodes: Nodes, role: int, seat_S: Array, counted_S: Array, x_q12_S: Array, is_true_S: Array
) -> Nodes:
    """One logistic-regression step of rate 1/16 on beta, once a node and audited task, within 0 to 1.

    beta <- clip(beta + x (y - sigma(beta x)) / 16, 0, 1), x the stated log-odds, y = 1 if the candidate was true.
    """
    xp = namespace(seat_S)
    beta_NR = nodes.beta_q16_NR
    beta_S = beta_NR[xp.maximum(seat_S, 0), role]
    surprise_q16_S = is_true_S * Q16 - sigmoid_q16((beta_S * x_q12_S) >> 16)
    step_S = (x_q12_S * surprise_q16_S) >> (12 + params.beta_rate_shift)
    step_N = count_seats(nodes, seat_S, xp.where(first_seats(seat_S, counted_S), step_S, 0))
    beta_N = xp.clip(beta_NR[:, role] + step_N, 0, Q16)
    return nodes._replace(beta_q16_NR=replace_role(beta_NR, role, beta_N))


def replace_role(table_NR: Array, role: int, column_N: Array) -> Array:
    """The table with one role's column replaced."""
    xp = namespace(table_NR)
    columns = [table_NR[:, 0], table_NR[:, 1]]
    columns[role] = column_N
    return xp.stack(columns, axis=1)
