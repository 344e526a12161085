"""R9: reputation, earned only by audited evidence. Bad is remembered twice as long as good."""

from consensus.rules.seats import count_seats, first_seats
from consensus.rules.voice import replace_role
from consensus.rules.wager import Graded
from consensus.state import Nodes, Params
from consensus.units import Q8, Array, as_int64, namespace


def update_reputation(params: Params, nodes: Nodes, role: int, seat_S: Array, graded: Graded) -> Nodes:
    """One count a node and audited task, if it had an opinion: both counters decay, then one gains 1.0 in Q8."""
    xp = namespace(seat_S)
    first_S = first_seats(seat_S, graded.has_opinion_S)
    counted_N = count_seats(nodes, seat_S, as_int64(first_S)) == 1
    right_N = count_seats(nodes, seat_S, xp.where(first_S, graded.is_right_S, 0)) == 1
    good_N, bad_N = nodes.good_q8_NR[:, role], nodes.bad_q8_NR[:, role]
    good_next_N = good_N - (good_N >> params.good_decay_shift) + xp.where(right_N, Q8, 0)
    bad_next_N = bad_N - (bad_N >> params.bad_decay_shift) + xp.where(right_N, 0, Q8)
    return nodes._replace(
        good_q8_NR=replace_role(nodes.good_q8_NR, role, xp.where(counted_N, good_next_N, good_N)),
        bad_q8_NR=replace_role(nodes.bad_q8_NR, role, xp.where(counted_N, bad_next_N, bad_N)),
    )
