"""The life of a task as a whole: by hand, and the same bits from NumPy, jit and vmap on random states."""

from functools import cache
from typing import Any

import jax
import numpy as np
import pytest

from consensus.rules import settle
from consensus.rules.supply import compute_supply_micro
from consensus.state import Network, Nodes, Params
from consensus.units import MICRO, SUPPLY_CAP_MICRO
from tests.consensus.rules.small import ASKER, draws, int64, lock, network_and_nodes, params_with, round_of

G, D = 3, 4
PARAMS = params_with(random_audit_rate_q16=20_000)


def life(params: Params, network: Network, nodes: Nodes, said: dict[str, Any], dice: dict[str, Any]) -> Any:
    """Open, reveal, settle, audit, overturn and close, without looking at what comes out."""
    network, nodes, round = settle.open_task(
        params, network, nodes, ASKER, MICRO, 0, dice["generators"], dice["discriminators"]
    )
    round = round._replace(**said)
    network, nodes, outcome, paid = settle.settle_task(
        params, network, nodes, round, dice["candidate"], dice["audit"], 4, dice["is_canary"], ASKER
    )
    audited = settle.settle_audit(params, network, nodes, round, outcome, dice["truth_C"], outcome.is_random_audit)
    unlocked = settle.unlock_wagers(params, network, nodes, round)
    escrow_N = nodes.escrow_micro_N
    closed = settle.end_block(params, *settle.overturn(params, *audited[:2], escrow_N, 5, 0), int64(3))
    return round, outcome, paid, audited, unlocked, closed


def random_case(seed: int) -> tuple[Network, Nodes, dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    network, nodes = network_and_nodes(PARAMS, bonded_micro=10**12)
    nodes = nodes._replace(
        bonded_micro_N=nodes.bonded_micro_N // rng.integers(1, 9, 8),
        unbonding_micro_N=int64(rng.integers(0, 10**9, 8)),
        good_q8_NR=rng.integers(0, 16_000, (8, 2)),
        bad_q8_NR=rng.integers(0, 16_000, (8, 2)),
        beta_q16_NR=rng.integers(0, 65_537, (8, 2)),
        cusum_q16_NR=rng.integers(0, 4 * 65_536, (8, 2)),
    )
    network = network._replace(
        base_rate_q16=int64(rng.integers(656, 64_881)), integral_q12=int64(rng.integers(-6_000, 18_000))
    )
    said = {
        "answer_G": rng.integers(-1, G, G),
        "confidence_q16_G": rng.integers(0, 65_537, G),
        "revealed_D": (rng.random(D) < 0.9).astype(np.int64),
        "verdict_q16_DC": rng.integers(0, 65_537, (D, G)),
        "evidence_DC": rng.integers(0, 2, (D, G)),
    }
    dice = {
        "generators": draws(seed, G),
        "discriminators": draws(seed + 1_000, D),
        "candidate": draws(seed + 2_000),
        "audit": draws(seed + 3_000),
        "is_canary": int64(rng.integers(0, 2)),
        "truth_C": rng.integers(0, 2, G),
    }
    return network, nodes, said, dice


@cache
def on_jax() -> tuple[Any, Any]:
    with jax.enable_x64(True):
        return jax.jit(life), jax.jit(jax.vmap(life, in_axes=(None, 0, 0, 0, 0)))


def assert_same_bits(one: Any, other: Any) -> None:
    ones, others = jax.tree.leaves(one), jax.tree.leaves(other)
    assert len(ones) == len(others) > 60
    for a, b in zip(ones, others, strict=True):
        assert np.asarray(b).dtype == np.int64 == np.asarray(a).dtype
        assert np.array_equal(np.asarray(a), np.asarray(b))


def test_numpy_jit_and_vmap_give_the_same_bits() -> None:
    cases = [random_case(seed) for seed in (*range(38), 81, 86)]  # the last two accept
    plain = [life(PARAMS, *case) for case in cases]
    with jax.enable_x64(True):
        one_by_one, at_once = on_jax()
        many = jax.tree.map(lambda *leaves: np.stack(leaves), *cases)
        together = jax.tree.map(np.asarray, at_once(PARAMS, *many))
        for i, case in enumerate(cases[:5]):
            assert_same_bits(plain[i], jax.tree.map(np.asarray, one_by_one(PARAMS, *case)))
    for i in range(len(cases)):
        assert_same_bits(plain[i], jax.tree.map(lambda leaf, i=i: leaf[i], together))
    assert {int(case[1].accepted) >= 0 for case in plain} == {True, False}


def test_nothing_sorts_in_the_compiled_step() -> None:
    with jax.enable_x64(True):
        text = on_jax()[0].lower(PARAMS, *random_case(0)).as_text()
    assert "stablehlo.scatter" in text
    assert "stablehlo.sort" not in text


def test_a_task_from_prompt_to_settlement() -> None:
    """Opening locks what settling pays: three sure generators, four verdicts for the truth, a canary."""
    network, nodes = network_and_nodes(PARAMS)
    network, nodes, round = settle.open_task(PARAMS, network, nodes, ASKER, MICRO, 0, draws(3, G), draws(5, D))
    assert set(round.generator_G.tolist()) <= {1, 2, 3}
    assert set(round.discriminator_D.tolist()) <= {4, 5, 6, 7}
    assert network.burned_micro == MICRO
    assert network.task_escrow_micro == MICRO + round.emission_micro
    locked = np.bincount(round.generator_G, minlength=8) * round.wager_micro_R[0]
    locked = locked + np.bincount(round.discriminator_D, minlength=8) * round.wager_micro_R[1]
    assert nodes.locked_micro_N.tolist() == locked.tolist()
    round = round._replace(
        answer_G=int64([0, 0, 0]),
        confidence_q16_G=int64([62_000] * 3),
        revealed_D=int64([1] * D),
        verdict_q16_DC=int64([[1_000, 0, 0]] * D),
        evidence_DC=int64([[1, 0, 0]] * D),
    )
    network, nodes, outcome, paid = settle.settle_task(
        PARAMS, network, nodes, round, draws(7), draws(8), 4, int64(1), ASKER
    )
    assert (outcome.accepted, outcome.reason, outcome.drawn, outcome.is_random_audit) == (0, 0, 0, 0)
    assert outcome.difficulty_q16 == 0
    assert paid.fee_micro_N.sum() == 3 * round.flat_fee_micro_R[0] + 4 * round.flat_fee_micro_R[1]
    assert nodes.locked_micro_N.tolist() == locked.tolist()  # a canary's wagers wait for the truth
    network, nodes, won = settle.settle_audit(PARAMS, network, nodes, round, outcome, int64([1, 0, 0]), int64(0))
    assert not nodes.locked_micro_N.any()
    assert network.purse_reserved_micro == 0
    assert (won.wager_micro_N[round.generator_G] > 0).all()
    assert (won.wager_micro_N[round.discriminator_D] > 0).all()
    assert (nodes.beta_q16_NR[round.generator_G, 0] > 32_768).all()
    assert (nodes.good_q8_NR[round.discriminator_D, 1] == 256).all()
    assert network.integral_q12 == 0  # canaries do not enter
    assert network.base_rate_q16 == 29_491 + (-29_491 >> 6)
    assert compute_supply_micro(network, nodes) == SUPPLY_CAP_MICRO


@pytest.mark.parametrize(("is_random", "accepted", "moves"), [(1, 0, True), (0, 0, False), (1, -1, False)])
def test_only_randomly_audited_acceptances_move_the_integral(is_random: int, accepted: int, moves: bool) -> None:
    round = round_of()
    network, nodes = lock(*network_and_nodes(PARAMS), round)
    *_, outcome, _ = settle.settle_task(PARAMS, network, nodes, round, draws(1), draws(2), -1, int64(1), ASKER)
    outcome = outcome._replace(accepted=int64(accepted))
    after, *_ = settle.settle_audit(PARAMS, network, nodes, round, outcome, int64([0, 1, 0]), int64(is_random))
    assert (after.integral_q12 != 0) == moves


def test_the_beacon_audits_at_the_published_rate_but_no_canary() -> None:
    round = round_of()
    network, nodes = lock(*network_and_nodes(PARAMS), round)
    dice = draws(9, 400)
    pick = lambda draw, is_canary: int(
        settle.settle_task(PARAMS, network, nodes, round, draws(1), draw, -1, is_canary, ASKER)[2].is_random_audit
    )
    picked = [pick(draw, 0) for draw in dice]
    assert picked == [int(int.from_bytes(bytes(d.tolist()), "big") % 65_536 < 20_000) for d in dice]
    assert 80 < sum(picked) < 165  # 400 * .305
    assert not any(pick(draw, 1) for draw in dice[:20])
