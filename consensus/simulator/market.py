"""The frozen benchmark model: a small market of answers whose rules never change, so that its speed compares over time.

It has the law's form (integers only, shifts, one division a round and none a node) but not its detail; the whole law
is `consensus.simulator`'s own step. Version 1, for N nodes, in round t:

1. *Answer.* Every node answers right if its draw is below its chance, its skill less the round's difficulty, and
   states log-odds x = 4 (chance - 1/2), blurred by a sixteenth.
2. *Tally.* A node weighs v = (stake >> 18) * f, f = clip(4 good - 2 bad, 1/16, 1) in Q16. The right and the wrong
   answer are set against each other: Lambda = sum of +- v (beta x). The stronger is accepted if |Lambda| > tau * sum v,
   else the network abstains.
3. *Pay.* The pot is reserve * rate; a node on the accepted side gets v * fee >> 20, fee = 2^20 pot // sum of v, below
   2^32. A wrong answer costs stake >> slash_shift. Of what nobody earned and all that was slashed a half burns, the
   rest is the treasury's.
4. *Learn.* good -= good>>6, bad -= bad>>7, then one of them + 1.0; beta += x (y - clip(1/2 + beta x / 4, 0, 1)) / 16,
   within 0 and 1.

With a *committee* M seats are drawn in proportion to v (with replacement, by the sum tree), each weighs 1 in the tally
and is paid pot // M; a node is slashed and learns once a round. `market_play` runs this under jit and, the same lines,
on NumPy; both give the same bits, and supply is conserved to the micro-token in every round.
"""

from typing import Any, NamedTuple

import numpy as np

from consensus.rules.seats import first_seats
from consensus.simulator import tree
from consensus.simulator.draws import draw_uint32, make_key
from consensus.units import SUPPLY_CAP_MICRO, Array, as_int64, namespace, total

STREAM_ANSWER, STREAM_DIFFICULTY, STREAM_SEATS, STREAM_SKILL, STREAM_STAKE = range(1, 6)


class Setting(NamedTuple):
    """What a sweep varies; int64 scalars."""

    seed: Array
    emission_rate_q32: Array  # share of the reserve that is one round's pot, below 2^12
    slash_shift: Array  # a wrong answer costs stake >> this
    threshold_q12: Array  # tau, mean log-odds that an accepted answer needs


class Market(NamedTuple):
    """The state; scalars are int64."""

    stake_micro_N: Array  # int64
    good_q8_N: Array  # int32
    bad_q8_N: Array  # int32
    beta_q16_N: Array  # int32
    skill_q16_N: Array  # int32, fixed: chance to be right in the easiest round
    treasury_micro: Array
    reserve_micro: Array
    burned_micro: Array
    stake_total_micro: Array  # sum of all stakes, carried so that nobody has to add them up before a round
    round: Array  # the next one
    accepted: Array  # rounds whose answer was accepted, so far
    accepted_wrong: Array
    right_answers: Array  # of all nodes, or seats, so far


COLUMNS = Market._fields[:5]  # the leaves with an axis of nodes


class Seating(NamedTuple):
    """The nodes as committees read them: a row a node, so that a seat costs one look into memory and not five."""

    rows_N4: Array  # int64: stake, good, bad, and beta * 2^32 + skill
    weights: tree.SumTree  # as they were before the last round, whose changes wait here: the loop writes them down
    node_S: Array  # once instead of computing them again for each of 16 branches on every level
    change_S: Array


class Verdict(NamedTuple):
    """What one round decided. Scalars."""

    pot_micro: Array  # 0 if the network abstained
    accepts: Array  # bool
    accepts_right: Array  # bool


def make_setting(
    seed: int = 0, emission_rate_q32: int = 1 << 10, slash_shift: int = 12, threshold_q12: int = 256
) -> Setting:
    """A setting from plain integers; ValueError where the model's arithmetic would leave its range."""
    if not 0 <= emission_rate_q32 < 1 << 12:
        raise ValueError(f"emission_rate_q32 must be 0 to 4095, got {emission_rate_q32}")
    if not 1 <= slash_shift <= 62:
        raise ValueError(f"slash_shift must be 1 to 62, got {slash_shift}")
    if not 0 <= threshold_q12 <= 1 << 14:
        raise ValueError(f"threshold_q12 must be 0 to 16384, got {threshold_q12}")
    if not 0 <= seed < 1 << 63:
        raise ValueError(f"seed must be 0 to 2^63 - 1, got {seed}")
    return Setting(*(np.asarray(x, np.int64) for x in (seed, emission_rate_q32, slash_shift, threshold_q12)))


def open_market(nodes: int, seed: int = 0) -> Market:
    """The first state (NumPy): skills .5 to 1, stakes spread over a factor of 128, a reserve of nearly all tokens."""
    if not 1 <= nodes <= 1 << 24:
        raise ValueError(f"a market has 1 to 2^24 nodes, got {nodes}")
    node_N = np.arange(nodes)
    octave_N = as_int64(draw_uint32(make_key(np.int64(seed), 0, STREAM_STAKE), node_N) >> np.uint32(29))
    stake_N = ((1 << 41) // nodes) << octave_N
    skill_N = 32_768 + (draw_uint32(make_key(np.int64(seed), 0, STREAM_SKILL), node_N) >> np.uint32(17)).astype(
        np.int32
    )
    zero, none_N, staked = np.zeros((), np.int64), np.zeros(nodes, np.int32), np.asarray(total(stake_N))
    scalars = (zero, SUPPLY_CAP_MICRO - staked, zero, staked, zero, zero, zero, zero)
    beta_N = np.full(nodes, 32_768, np.int32)
    return Market(stake_N, none_N, none_N.copy(), beta_N, skill_N, *map(np.asarray, scalars))


def compute_supply_micro(market: Market) -> Array:
    """All tokens there are, added up from the nodes: SUPPLY_CAP_MICRO after every round."""
    held = total(market.stake_micro_N, axis=-1)
    return held + market.treasury_micro + market.reserve_micro + market.burned_micro


def answer(setting: Setting, round: Array, skill_q16: Array, node: Array) -> Array:
    """What nodes say in a round: their log-odds (Q12, within 14 bits) times 2, plus 1 if they are right; int16."""
    xp = namespace(skill_q16)
    origin = xp.zeros_like(setting.seed)
    difficulty_q16 = draw_uint32(make_key(setting.seed, round, STREAM_DIFFICULTY), origin) >> np.uint32(18)
    draw = draw_uint32(make_key(setting.seed, round, STREAM_ANSWER), node)
    chance_q16 = skill_q16 - difficulty_q16.astype(xp.int32)
    is_right = (draw >> np.uint32(16)).astype(xp.int32) < chance_q16
    blur_q16 = ((draw & np.uint32(65_535)).astype(xp.int32) - 32_768) >> 3
    x_q12 = (chance_q16 - 32_768 + blur_q16) >> 2
    return ((x_q12 << 1) | is_right.astype(xp.int32)).astype(xp.int16)


def compute_weights(stake_micro: Array, good_q8: Array, bad_q8: Array) -> Array:
    """v, int64: stake in units of 2^18 micro-tokens times reputation; below 2^32 for stakes below 2^50."""
    xp = namespace(stake_micro)
    reputation_q16 = xp.clip((good_q8 << 2) - (bad_q8 << 1), 4_096, 65_536)
    # Both factors fit 32 bits and say so: a machine without 64-bit vector products multiplies them at once.
    return _shift(_widen(stake_micro >> 18) * _widen(reputation_q16), 16)


def step_dense(setting: Setting, market: Market, said_N: Array) -> Market:
    """One round in which every node takes part; `said_N` is `answer` for this round and all nodes."""
    xp = namespace(said_N)
    is_right_N, x_q12_N = _split(said_N)
    e_q12_N = (market.beta_q16_N * x_q12_N) >> 16
    weight_N = compute_weights(market.stake_micro_N, market.good_q8_N, market.bad_q8_N)
    # Magnitudes are multiplied and the sign comes after: two factors of 32 bits are one instruction.
    size_N = _widen(weight_N) * _widen(xp.abs(e_q12_N))
    voice_N = xp.where(is_right_N == (e_q12_N >= 0), size_N, -size_N)
    weight, margin = _add_up(weight_N, voice_N)
    verdict = _decide(setting, market, margin, weight)
    fee_q20 = xp.minimum((verdict.pot_micro << 20) // xp.maximum(weight, 1), (1 << 32) - 1)
    earned_N = _shift(_widen(weight_N) * _widen(fee_q20), 20)
    paid_N = xp.where(is_right_N == verdict.accepts_right, earned_N, 0)
    lost_N = xp.where(is_right_N, 0, _shift(market.stake_micro_N, setting.slash_shift))
    stake_N = market.stake_micro_N + paid_N - lost_N
    staked, right = _add_up(stake_N, as_int64(is_right_N))
    # 0 in a sound state, and known only when every stake is paid: what follows may then overwrite its input, which
    # XLA would otherwise copy first, being free to do it before the stakes have read it.
    after = (staked >> 63).astype(xp.int32)
    good_N, bad_N, beta_N = _learn(
        market.good_q8_N, market.bad_q8_N, market.beta_q16_N, is_right_N, x_q12_N, e_q12_N, after
    )
    market = market._replace(stake_micro_N=stake_N, good_q8_N=good_N, bad_q8_N=bad_N, beta_q16_N=beta_N)
    return _book(market, verdict, staked, right)


def seat(market: Market, seats: int) -> tuple[Market, Seating]:
    """What `step_committee` plays with: the market's scalars, and its nodes in rows, for committees of one size."""
    xp = namespace(market.stake_micro_N)
    rows_N4 = xp.stack(
        [market.stake_micro_N, *(x_N.astype(xp.int64) for x_N in market[1:3]), _pack(xp, market)], axis=1
    )
    weights = tree.build(compute_weights(*market[:3]))
    none_S = xp.zeros(seats, dtype=xp.int64)
    return market._replace(**dict.fromkeys(COLUMNS)), Seating(rows_N4, weights, none_S, none_S)


def unseat(market: Market, seating: Seating) -> Market:
    """The market with its nodes back in columns."""
    return market._replace(**dict(zip(COLUMNS, _unpack(seating.rows_N4), strict=True)))


def step_committee(setting: Setting, market: Market, seating: Seating) -> tuple[Market, Seating]:
    """One round in which the seats are drawn, answer, are paid and learn."""
    xp = namespace(seating.rows_N4)
    weights = tree.update(seating.weights, seating.node_S, seating.change_S)
    weight, seats = tree.total_weight(weights), seating.node_S.shape[0]
    node_S = _draw_committee(setting, market.round, weights, seats)
    stake_S, good_S, bad_S, beta_S, skill_S = _unpack(seating.rows_N4[node_S])
    is_right_S, x_q12_S = _split(answer(setting, market.round, skill_S, node_S))
    e_q12_S = (beta_S * x_q12_S) >> 16
    margin = xp.where(weight > 0, total(xp.where(is_right_S, e_q12_S, -e_q12_S)), 0)
    verdict = _decide(setting, market, margin, seats)
    once_S = first_seats(node_S, is_right_S | True)
    paid_S = xp.where(is_right_S == verdict.accepts_right, verdict.pot_micro // seats, 0)
    lost_S = xp.where(once_S & ~is_right_S, stake_S >> setting.slash_shift, 0)
    learnt = _learn(good_S, bad_S, beta_S, is_right_S, x_q12_S, e_q12_S, xp.zeros((), xp.int32))
    good, bad, beta = (
        xp.where(once_S, new_S - old_S, 0).astype(xp.int64)
        for new_S, old_S in zip(learnt, (good_S, bad_S, beta_S), strict=True)
    )
    rows_N4 = tree.add_rows(seating.rows_N4, node_S, xp.stack([paid_S - lost_S, good, bad, beta << 32], axis=1))
    change_S = compute_weights(*_unpack(rows_N4[node_S])[:3]) - compute_weights(stake_S, good_S, bad_S)
    seating = Seating(rows_N4, weights, node_S, xp.where(once_S, change_S, 0))
    staked = market.stake_total_micro + total(paid_S - lost_S)
    return _book(market, verdict, staked, total(is_right_S)), seating


def _pack(xp: Any, market: Market) -> Array:
    """Beta and skill in one int64."""
    return (market.beta_q16_N.astype(xp.int64) << 32) + market.skill_q16_N.astype(xp.int64)


def _unpack(rows_S4: Array) -> tuple[Array, ...]:
    """Stake, good, bad, beta and skill of these rows, in the types of `Market`."""
    xp = namespace(rows_S4)
    stake_S, good_S, bad_S, pair_S = (rows_S4[:, i] for i in range(4))
    return (stake_S, *(x_S.astype(xp.int32) for x_S in (good_S, bad_S, pair_S >> 32, pair_S & 0xFFFFFFFF)))


def _split(said: Array) -> tuple[Array, Array]:
    """Whether an answer is right, and its log-odds as int32."""
    return (said & np.int16(1)) == 1, said.astype(namespace(said).int32) >> 1


def _widen(x: Array) -> Array:
    """A number of 0 to 2^32 - 1 as an int64 whose upper half the compiler knows to be 0."""
    xp = namespace(x)
    return x.astype(xp.uint32).astype(xp.int64)


def _shift(x: Array, by: Array) -> Array:
    """x >> by for x of at least 0: without a sign to keep it is one instruction."""
    if not hasattr(x, "at"):
        return x >> by
    xp = namespace(x)
    return (x.astype(xp.uint64) >> xp.asarray(by).astype(xp.uint64)).astype(xp.int64)


def _decide(setting: Setting, market: Market, margin: Array, weight: Array) -> Verdict:
    xp = namespace(margin)
    accepts = xp.abs(margin) > setting.threshold_q12 * weight
    pot_micro = (market.reserve_micro * setting.emission_rate_q32) >> 32
    return Verdict(xp.where(accepts, pot_micro, 0), accepts, margin > 0)


def _learn(
    good_q8: Array, bad_q8: Array, beta_q16: Array, is_right: Array, x_q12: Array, e_q12: Array, after: Array
) -> tuple[Array, Array, Array]:
    """The new good, bad and beta, int32; `after` is 0 and makes them wait for what it was computed from."""
    xp = namespace(good_q8)
    one_q8, one_q16 = 256 + after, 65_536 + after
    believed_q16 = xp.clip(32_768 + (e_q12 << 2), 0, 65_536)
    surprise_q16 = xp.where(is_right, one_q16, 0) - believed_q16
    return (
        good_q8 - (good_q8 >> 6) + xp.where(is_right, one_q8, 0),
        bad_q8 - (bad_q8 >> 7) + xp.where(is_right, 0, one_q8),
        xp.clip(beta_q16 + ((x_q12 * surprise_q16) >> 16), 0, 65_536),
    )


def _book(market: Market, verdict: Verdict, staked_micro: Array, right: Array) -> Market:
    """The accounts after a round: what left the reserve and the nodes and was not paid is burned or the treasury's."""
    unpaid_micro = verdict.pot_micro - (staked_micro - market.stake_total_micro)
    burned_micro = unpaid_micro >> 1
    return market._replace(
        treasury_micro=market.treasury_micro + unpaid_micro - burned_micro,
        reserve_micro=market.reserve_micro - verdict.pot_micro,
        burned_micro=market.burned_micro + burned_micro,
        stake_total_micro=staked_micro,
        round=market.round + 1,
        accepted=market.accepted + as_int64(verdict.accepts),
        accepted_wrong=market.accepted_wrong + as_int64(verdict.accepts & ~verdict.accepts_right),
        right_answers=market.right_answers + right,
    )


def _draw_committee(setting: Setting, round: Array, weights: tree.SumTree, seats: int) -> Array:
    """The node of each seat [S]: 63 random bits modulo the sum of weights; node 0 if nobody weighs anything."""
    xp = namespace(round)
    half_S2 = draw_uint32(make_key(setting.seed, round, STREAM_SEATS), xp.arange(2 * seats, dtype=xp.int64))
    high_S, low_S = half_S2[:seats].astype(xp.int64) >> 1, half_S2[seats:].astype(xp.int64)
    weight = tree.total_weight(weights)
    node_S = tree.find(weights, ((high_S << 32) | low_S) % xp.maximum(weight, 1))
    return xp.where(weight > 0, node_S, 0)


def _add_up(*columns: Array) -> tuple[Array, ...]:
    """Sums of int64 arrays over the nodes, in one pass of XLA; a plain sum would write its terms to memory first."""
    if isinstance(columns[0], np.ndarray):
        return tuple(total(x_N) for x_N in columns)
    from jax import lax

    zeros = tuple(lax.full((), 0, x_N.dtype) for x_N in columns)
    add: Any = lambda a, b: tuple(x + y for x, y in zip(a, b, strict=True))
    return tuple(lax.reduce(columns, zeros, add, (0,)))
