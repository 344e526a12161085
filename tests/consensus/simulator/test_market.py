"""The frozen benchmark market: its rules against plain Python, its bits everywhere, and what its step may cost."""

import re

import jax
import numpy as np
import pytest

from consensus.simulator import market as rules
from consensus.simulator import tree
from consensus.simulator.draws import draw_uint32, make_key
from consensus.simulator.market import Market, Setting, compute_supply_micro, make_setting, open_market
from consensus.simulator.market_play import digest, play, play_numpy, program, stack
from consensus.units import SUPPLY_CAP_MICRO

MODES = (None, 16)
SETTING = make_setting(seed=7)
FROZEN = {
    None: "dbf724230afb34b40263eaa27cc15d8eec9e71eae5ea50e2bd17ae4ce69d1bcd",
    16: "3bb3b9a972494886d81b5f09f0b6c8e8011739f7356a711cbebbaff579854332",
}


@pytest.fixture
def quick_compile():
    """Compile without optimisations: the bits are the same, and compiling is what these tests cost."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    program.cache_clear()


def assert_same(got: Market, want: Market) -> None:
    for name, mine, theirs in zip(want._fields, got, want, strict=True):
        assert np.asarray(mine).dtype == theirs.dtype, name
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


def one_of(many: Market, i: int) -> Market:
    return Market(*(leaf[i] for leaf in many))


@pytest.mark.parametrize("seats", MODES)
def test_the_frozen_bits(seats):
    """Version 1: if this fails the model has changed, and no recorded speed compares any more."""
    assert digest(play_numpy(SETTING, open_market(300, seed=1), 40, seats)) == FROZEN[seats]


@pytest.mark.usefixtures("quick_compile")
@pytest.mark.parametrize("seats", MODES)
def test_numpy_eager_jit_and_a_slice_of_vmap_give_the_same_bits(seats):
    settings = [make_setting(seed=s, slash_shift=8 + s, threshold_q12=400 * s) for s in range(8)]
    markets = [open_market(256, seed=s) for s in range(8)]
    want = [play_numpy(s, m, 12, seats) for s, m in zip(settings, markets, strict=True)]
    assert_same(play(settings[2], markets[2], 12, seats), want[2])
    with jax.disable_jit():
        assert_same(play(settings[2], markets[2], 1, seats), play_numpy(settings[2], markets[2], 1, seats))
    batch = play(stack(settings), stack(markets), 12, seats)
    for i in range(8):
        assert_same(one_of(batch, i), want[i])
    mesh = jax.make_mesh((8,), ("setting",), axis_types=(jax.sharding.AxisType.Auto,))
    by_setting = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("setting"))
    assert_same(play(stack(settings), stack(markets), 12, seats, (by_setting, by_setting)), batch)


@pytest.mark.usefixtures("quick_compile")
@pytest.mark.parametrize("seats", MODES)
def test_nodes_spread_over_eight_devices_give_the_same_bits(seats):
    market = open_market(8 * 40, seed=3)
    mesh = jax.make_mesh((8,), ("node",), axis_types=(jax.sharding.AxisType.Auto,))
    everywhere, by_node = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*p)) for p in ((), ("node",)))
    shardings = Market(*(by_node if name in rules.COLUMNS else everywhere for name in Market._fields))
    assert_same(play(SETTING, market, 9, seats, (everywhere, shardings)), play_numpy(SETTING, market, 9, seats))


@pytest.mark.parametrize("seats", MODES)
def test_rounds_played_in_two_parts_are_the_same_rounds(seats):
    market = open_market(100)
    assert_same(
        play_numpy(SETTING, play_numpy(SETTING, market, 5, seats), 6, seats), play_numpy(SETTING, market, 11, seats)
    )


@pytest.mark.parametrize("seats", MODES)
@pytest.mark.parametrize(
    "setting",
    [
        SETTING,
        make_setting(emission_rate_q32=4_095, slash_shift=1, threshold_q12=0),
        make_setting(emission_rate_q32=0, slash_shift=62, threshold_q12=1 << 14),
    ],
)
def test_supply_is_exact_after_every_round_and_nothing_is_negative(setting, seats):
    market = open_market(500, seed=2)
    burned = 0
    for _ in range(30):
        market = play_numpy(setting, market, 1, seats)
        assert compute_supply_micro(market) == SUPPLY_CAP_MICRO
        assert market.stake_total_micro == market.stake_micro_N.sum()
        assert market.burned_micro >= burned
        burned = market.burned_micro
        for name, leaf in market._asdict().items():
            assert leaf.min() >= 0, name
        assert max(market.beta_q16_N.max(), (market.good_q8_N * 4).max() - 300) <= 65_536


def plain_round(setting: Setting, market: Market, seat_S: list[int] | None) -> dict:
    """The rules of the module's docstring in Python integers."""
    at = lambda stream, i: int(draw_uint32(make_key(setting.seed, market.round, stream), np.array([i]))[0])
    nodes = [
        dict(zip(("stake", "good", "bad", "beta", "skill"), map(int, row), strict=True))
        for row in zip(*market[:5], strict=True)
    ]
    difficulty = at(rules.STREAM_DIFFICULTY, 0) >> 18
    for i, node in enumerate(nodes):
        draw, chance = at(rules.STREAM_ANSWER, i), node["skill"] - difficulty
        node["right"] = (draw >> 16) < chance
        node["x"] = (chance - 32_768 + (((draw & 65_535) - 32_768) >> 3)) >> 2
        node["e"] = node["beta"] * node["x"] >> 16
        f = min(max(4 * node["good"] - 2 * node["bad"], 4_096), 65_536)
        node["v"] = (node["stake"] >> 18) * f >> 16 if seat_S is None else 1
    sitting = range(len(nodes)) if seat_S is None else seat_S
    weight = sum(nodes[i]["v"] for i in sitting)
    margin = sum(nodes[i]["v"] * nodes[i]["e"] * (1 if nodes[i]["right"] else -1) for i in sitting)
    accepts = abs(margin) > int(setting.threshold_q12) * weight
    pot = (int(market.reserve_micro) * int(setting.emission_rate_q32) >> 32) * accepts
    before = sum(node["stake"] for node in nodes)
    lost = {i: 0 if nodes[i]["right"] else nodes[i]["stake"] >> int(setting.slash_shift) for i in sitting}
    for i in sitting:
        if nodes[i]["right"] == (margin > 0):
            fee = min((pot << 20) // weight, (1 << 32) - 1)
            nodes[i]["stake"] += nodes[i]["v"] * fee >> 20 if seat_S is None else pot // len(seat_S)
    for i, loss in lost.items():
        node = nodes[i]
        node["stake"] -= loss
        node["good"] += (256 if node["right"] else 0) - (node["good"] >> 6)
        node["bad"] += (0 if node["right"] else 256) - (node["bad"] >> 7)
        surprise = (65_536 if node["right"] else 0) - min(max(32_768 + 4 * node["e"], 0), 65_536)
        node["beta"] = min(max(node["beta"] + (node["x"] * surprise >> 16), 0), 65_536)
    left = pot - sum(node["stake"] for node in nodes) + before
    return {
        "nodes": [[node[key] for node in nodes] for key in ("stake", "good", "bad", "beta", "skill")],
        "treasury_micro": int(market.treasury_micro) + left - left // 2,
        "reserve_micro": int(market.reserve_micro) - pot,
        "burned_micro": int(market.burned_micro) + left // 2,
        "accepted": int(market.accepted) + accepts,
        "accepted_wrong": int(market.accepted_wrong) + (accepts and margin < 0),
        "right_answers": int(market.right_answers) + sum(nodes[i]["right"] for i in sitting),
    }


@pytest.mark.parametrize("seats", [None, 9])
def test_rounds_are_those_of_plain_integers(seats):
    market = play_numpy(SETTING, open_market(40, seed=5), 3, seats)
    setting = make_setting(seed=9, slash_shift=5, threshold_q12=150, emission_rate_q32=4_000)
    outcomes = set()
    for _ in range(12):
        weights = tree.build(rules.compute_weights(*market[:3]))
        drawn = None if seats is None else rules._draw_committee(setting, market.round, weights, seats).tolist()
        want = plain_round(setting, market, drawn)
        outcomes.add((want["accepted"] - int(market.accepted), want["accepted_wrong"] - int(market.accepted_wrong)))
        market = play_numpy(setting, market, 1, seats)
        assert [leaf.tolist() for leaf in market[:5]] == want.pop("nodes")
        assert {name: int(getattr(market, name)) for name in want} == want
    assert len(outcomes) > 1, "every round had the same outcome: the test shows too little"


def test_seats_go_by_weight():
    market = play_numpy(SETTING, open_market(64, seed=1), 50)
    weight_N = rules.compute_weights(*market[:3])
    weights, held_N = tree.build(weight_N), np.zeros(64)
    for round in range(200):
        np.add.at(held_N, rules._draw_committee(SETTING, np.int64(round), weights, 64), 1)
    expected_N = 200 * 64 * weight_N / weight_N.sum()
    seen_N = expected_N > 20
    assert (((held_N - expected_N) ** 2 / expected_N)[seen_N]).sum() < 2 * seen_N.sum()


def test_the_network_is_better_than_its_nodes_and_skill_earns():
    start = open_market(2_000)
    after = play_numpy(SETTING, start, 150)
    assert int(after.accepted_wrong) / int(after.accepted) < 0.05 < 1 - int(after.right_answers) / (150 * 2_000)
    gain_N = after.stake_micro_N / start.stake_micro_N
    skilled_N = start.skill_q16_N > np.median(start.skill_q16_N)
    assert gain_N[skilled_N].mean() > 1.005 * gain_N[~skilled_N].mean()
    assert after.beta_q16_N[skilled_N].mean() > after.beta_q16_N[~skilled_N].mean()


def test_the_dense_step_passes_over_the_nodes_a_few_times_and_never_sorts():
    """Bytes by XLA's own account; 44 is the least that any program reads and writes."""
    nodes = 1 << 16
    with jax.enable_x64(True):
        market = jax.tree.map(jax.numpy.asarray, open_market(nodes))
        made = program(1, None, False).lower(SETTING, market).compile()
        scan = program(10, None, False).lower(SETTING, market).compile().as_text()
    assert made.cost_analysis()["bytes accessed"] / nodes <= 120
    assert "sort(" not in scan
    # One division a round: none has an axis of nodes.
    assert not re.search(rf"\[{nodes}\]\S* (divide|remainder)\(", scan)
    # Nodes are updated where they lie: only the 2 bytes of what they say are copied.
    assert set(re.findall(rf"(\w+)\[{nodes}\]\S* copy\(", scan)) <= {"s16"}


def test_a_committee_neither_sorts_nor_copies_all_nodes():
    nodes = 1 << 16
    with jax.enable_x64(True):
        market = jax.tree.map(jax.numpy.asarray, open_market(nodes))
        text = program(10, 64, False).lower(SETTING, market).compile().as_text()
    assert "sort(" not in text
    body = re.search(r"while\(.*?body=%([\w.]+)", text)[1]
    loop = next(part for part in re.split(r"\n(?=%|ENTRY)", text) if part.startswith(f"%{body} "))
    assert not re.search(rf"\[{nodes}[,\]]\S* (copy|add|select)\(", loop)
    assert not re.search(rf"\[{nodes // 16},16\]\S* copy\(", loop)


@pytest.mark.parametrize("leaf", ["stake_micro_N", "round", "good_q8_N"])
def test_a_leaf_of_the_wrong_type_is_refused(leaf):
    market = open_market(10)
    wrong = market._replace(**{leaf: getattr(market, leaf).astype(np.int16)})
    with pytest.raises(TypeError, match=f"{leaf} must be int"):
        play(SETTING, wrong, 1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: open_market(0), "1 to 2\\^24 nodes, got 0"),
        (lambda: play(SETTING, open_market(10), 1, seats=11), "1 to 10 seats, got 11"),
        (lambda: play_numpy(SETTING, open_market(10), 1, seats=0), "1 to 10 seats, got 0"),
        (lambda: play(SETTING, open_market(10), -1), "rounds must be at least 0"),
        (lambda: make_setting(emission_rate_q32=4_096), "emission_rate_q32 must be 0 to 4095"),
        (lambda: make_setting(slash_shift=0), "slash_shift must be 1 to 62"),
        (lambda: make_setting(threshold_q12=-1), "threshold_q12 must be 0 to 16384"),
        (lambda: make_setting(seed=-1), "seed must be 0 to"),
    ],
)
def test_impossible_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.usefixtures("quick_compile")
@pytest.mark.parametrize("seats", [None, 1])
def test_the_smallest_and_the_emptiest_market(seats):
    alone = play_numpy(SETTING, open_market(1), 5, seats)
    assert_same(play(SETTING, open_market(1), 5, seats), alone)
    assert compute_supply_micro(alone) == SUPPLY_CAP_MICRO
    market = open_market(50)
    poor = market._replace(
        stake_micro_N=np.zeros(50, np.int64),
        stake_total_micro=np.int64(0),
        treasury_micro=market.stake_total_micro,
    )
    after = play_numpy(SETTING, poor, 5, seats)
    assert_same(play(SETTING, poor, 5, seats), after)
    assert after.accepted == 0
    assert after.stake_micro_N.sum() == 0
    assert_same(play(SETTING, market, 0, seats), market)
