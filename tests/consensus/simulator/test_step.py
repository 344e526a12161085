"""A simulated round is the ledger's: the same rules on all rows, and the oracle, give the same state."""

import numpy as np
import pytest

from consensus.rules.supply import compute_supply_micro
from consensus.simulator import opening, step
from consensus.simulator.committee import gather
from consensus.simulator.run import simulate
from consensus.simulator.setting import Setting, Static
from consensus.simulator.world import ASKER, Pending, start
from consensus.state import Round
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus import bridge, oracle
from tests.consensus.simulator.small import assert_same_bits, make_gullible, make_small

STATIC, SETTING = make_small()


GULLIBLE = make_gullible(SETTING)


def play_recorded(monkeypatch: pytest.MonkeyPatch, rounds: int) -> list[tuple]:
    """Every settlement of a run: (network, nodes, task) before it and (network, nodes) after it."""
    recorded = []
    settle_pending = step.settle_pending

    def record(setting: Setting, carry: tuple, task: Pending) -> tuple:
        after = settle_pending(setting, carry, task)
        recorded.append((*carry[:2], task, *after[:2]))
        return after

    monkeypatch.setattr(step, "settle_pending", record)
    simulate(STATIC, GULLIBLE, start(STATIC, GULLIBLE), 7, rounds, backend="numpy")
    return recorded


def test_a_committee_settles_like_all_rows_and_like_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = play_recorded(monkeypatch, 24)
    judged = [row for row in recorded if row[2].is_open_T == 1]
    assert len(judged) > 15
    audited = overturned = moved = 0
    for network, nodes, task, network_after, nodes_after in judged:
        all_rows = step.settle_rows(GULLIBLE, network, nodes, task.round, task)
        assert_same_bits(all_rows[:2], (network_after, nodes_after))
        is_audited, is_overturned = all_rows[2][1:3]
        audited, overturned = audited + int(is_audited), overturned + int(is_overturned)
        moved += int(network_after.integral_q12 != network.integral_q12)
        world = bridge.to_world(GULLIBLE.law, network, nodes)
        play_on_the_oracle(world, task)
        expected = bridge.world_to_state(world)
        bridge.assert_same(network_after, expected[0])
        bridge.assert_same(nodes_after, expected[1])
    assert min(audited, overturned, moved) >= 3, "too little happened to test it"


def play_on_the_oracle(world: dict, task: Pending) -> None:
    """The same settlement in plain Python ints."""
    round = bridge.to_dict(task.round)
    escrow = [node["escrow_micro"] for node in world["nodes"]]
    outcome, _ = oracle.settle_task(
        world,
        round=round,
        payer=ASKER,
        candidate_draw_16=task.candidate_draw_T16.tolist(),
        audit_draw_16=task.audit_draw_T16.tolist(),
        proposer=-1,
        is_canary=int(task.is_canary_T),
    )
    truth = task.truth_TC.tolist()
    paid = [node["escrow_micro"] - before for node, before in zip(world["nodes"], escrow, strict=True)]
    if task.is_canary_T or outcome["is_random_audit"]:
        oracle.settle_audit(world, round=round, outcome=outcome, truth_C=truth, is_random=outcome["is_random_audit"])
        if outcome["accepted"] >= 0 and not truth[outcome["accepted"]]:
            oracle.overturn(world, amounts_micro_N=paid)
            return
    oracle.release_escrow(world, amounts_micro_N=paid)


@pytest.mark.parametrize("rate", [1_024, 4_095])
def test_the_tree_seats_whom_the_law_seats(rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    static, setting = make_small(tasks=5)
    # Free stakes a few micro-tokens apart around what a seat needs: with every task the pot shrinks, and more may sit.
    law = setting.law._replace(emission_rate_q32=np.int64(rate), stake_min_micro=np.int64(1))
    setting = setting._replace(law=law)
    needed = opening._price(static, setting, *start(static, setting)[:2])[2]
    order_N = np.arange(static.nodes)
    stake_N = np.where(order_N == ASKER, 0, int(needed.max()) + (order_N - static.nodes // 2) * rate // 4)
    treasury = setting.conduct.treasury_micro + setting.conduct.stake_micro_N.sum() - stake_N.sum()  # same reserve
    setting = setting._replace(conduct=setting.conduct._replace(stake_micro_N=stake_N, treasury_micro=treasury))
    built = []
    build_hall = opening.build_hall
    monkeypatch.setattr(opening, "build_hall", lambda *a: (built.append(1), build_hall(*a))[1])
    state = start(static, setting)
    one = simulate(static._replace(sampling="tree"), setting, state, 3, 6, backend="numpy")
    other = simulate(static._replace(sampling="dense"), setting, state, 3, 6, backend="numpy")
    assert_same_bits(one, other)
    assert len(built) > 6, "no task let somebody in who could not sit at the beginning of its round"


def test_supply_holds_after_every_round() -> None:
    state = start(STATIC, SETTING)
    for _ in range(8):
        state = simulate(STATIC, SETTING, state, 2, 1, backend="numpy")
        assert compute_supply_micro(state.network, state.nodes) == SUPPLY_CAP_MICRO
        assert min(int(leaf.min()) for leaf in state.nodes) >= 0
        assert (state.nodes.locked_micro_N <= state.nodes.bonded_micro_N).all()
    assert state.metrics.supply_error_max_micro == 0


def test_rows_without_a_role_change_nothing() -> None:
    """Padding: more rows at the end, and every other number stays."""
    static, setting = pad(STATIC, SETTING, 5)
    small = simulate(STATIC, SETTING, start(STATIC, SETTING), 6, 6, backend="numpy")
    padded = simulate(static, setting, start(static, setting), 6, 6, backend="numpy")
    assert_same_bits(padded.metrics, small.metrics)
    assert_same_bits(padded.network, small.network)
    assert_same_bits(type(small.nodes)(*(leaf[: STATIC.nodes] for leaf in padded.nodes)), small.nodes)


def pad(static: Static, setting: Setting, rows: int) -> tuple[Static, Setting]:
    """The same network with some rows that hold no role."""
    leaves = {
        name: np.concatenate([leaf, np.zeros((rows, *leaf.shape[1:]), np.int64)])
        for name, leaf in setting.conduct._asdict().items()
        if leaf.ndim
    }
    return static._replace(nodes=static.nodes + rows), setting._replace(conduct=setting.conduct._replace(**leaves))


def test_an_empty_place_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = SETTING._replace(demand=SETTING.demand._replace(load_q16=np.int64(0)))
    state = start(STATIC, idle)
    later = simulate(STATIC, idle, state, 1, 6, backend="numpy")
    assert_same_bits(later.nodes, state.nodes)
    kept = later.network._replace(height=state.network.height, base_fee_micro=state.network.base_fee_micro)
    assert_same_bits(kept, state.network)
    assert later.metrics.opened == later.metrics.asked_K.sum() == later.metrics.seats_OR.sum() == 0


def test_an_asker_without_money_opens_nothing() -> None:
    poor = SETTING._replace(conduct=SETTING.conduct._replace(liquid_micro_N=SETTING.conduct.liquid_micro_N * 0))
    later = simulate(STATIC, poor, start(STATIC, poor), 1, 4, backend="numpy")
    assert later.metrics.opened == 0
    assert later.metrics.refused > 5


def test_a_node_sits_in_one_row_of_a_committee() -> None:
    round = Round(*(np.zeros((), np.int64),) * 13)
    round = round._replace(generator_G=np.array([4, 4, -1]), discriminator_D=np.array([2, 4, 2]))
    nodes = start(STATIC, SETTING).nodes
    committee = gather(nodes, round, ASKER)
    assert committee.index_B.tolist() == [0, 4, -1, -1, 2, -1, -1]
    assert committee.round.generator_G.tolist() == [1, 1, -1]
    assert committee.round.discriminator_D.tolist() == [4, 1, 4]
    assert committee.nodes.bonded_micro_N[4] == nodes.bonded_micro_N[2]
