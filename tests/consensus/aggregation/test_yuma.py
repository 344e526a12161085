"""Yuma 3 against subtensor's published bonds and dividends, a case worked by hand, and the quantile's definition."""

import numpy as np
import pytest

from consensus.aggregation.votes import make_votes
from consensus.aggregation.yuma import YumaParams, compute_consensus, settle_epoch, yuma
from consensus.validation.bonds import SCENARIOS, TOLERANCE, play

# subtensor's tests: bonds of the three validators in both servers, epochs 1, 3 and 5.
PUBLISHED_BONDS = {
    "kappa_moves_first": {
        1: [[0.0908, 0.1013], [0.3697, 0.0], [0.3697, 0.0]],
        3: [[0.0731, 0.2742], [0.2765, 0.1924], [0.4306, 0.1013]],
        5: [[0.0588, 0.4139], [0.2157, 0.3478], [0.3089, 0.2742]],
    },
    "kappa_moves_last": {
        1: [[0.1924, 0.0], [0.0908, 0.2987], [0.1924, 0.0]],
        3: [[0.2416, 0.1013], [0.0731, 0.5580], [0.1531, 0.3697]],
        5: [[0.1903, 0.2742], [0.0588, 0.6430], [0.1225, 0.4910]],
    },
    "liquid_alpha_disabled": {
        1: [[0.0494, 0.0], [0.0494, 0.0], [0.0494, 0.0]],
        3: [[0.0963, 0.0], [0.0963, 0.0], [0.0719, 0.0244]],
        5: [[0.1409, 0.0], [0.1409, 0.0], [0.1178, 0.0232]],
    },
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_published_dividends_and_bonds(scenario):
    epochs = play(scenario)
    for epoch, dividends in zip(epochs, scenario.dividends, strict=True):
        np.testing.assert_allclose(epoch.dividend_V, dividends, atol=TOLERANCE)
    for number, bonds in PUBLISHED_BONDS.get(scenario.name, {}).items():
        np.testing.assert_allclose(epochs[number].bond_VS, bonds, atol=TOLERANCE)


def test_a_case_worked_by_hand():
    stake_V = np.array([5.0, 3.0, 2.0])
    weight_VS = np.array([[6.0, 4.0], [1.0, 4.0], [1.0, 0.0]])  # shares (.6, .4), (.2, .8), (1, 0)
    params = YumaParams(kappa=0.5, is_liquid=0.0, bond_rate=0.1, bonds_penalty=1.0)
    epoch = settle_epoch(params, stake_V, weight_VS, np.zeros((3, 2)))
    np.testing.assert_allclose(epoch.consensus_S, [0.6, 0.4])  # .7 of the stake gives server 0 at least .6
    np.testing.assert_allclose(epoch.incentive_S, [0.6, 0.4])  # .48 and .32 after clipping
    np.testing.assert_allclose(epoch.trust_V, [1.0, 0.6, 0.6])
    np.testing.assert_allclose(epoch.bond_VS, [[0.06, 0.04], [0.02, 0.04], [0.06, 0.0]])
    # Shares of the bonds (3/7, 1/7, 3/7) and (1/2, 1/2, 0), by incentive, by stake.
    np.testing.assert_allclose(epoch.dividend_V, [0.625, 0.234375, 0.140625])


def test_bonds_may_follow_the_weights_or_what_is_left_of_them():
    stake_V, weight_VS = np.array([8.0, 1.0]), np.array([[1.0, 0.0], [0.0, 1.0]])
    fixed = YumaParams(is_liquid=0.0, bond_rate=1.0)
    free = settle_epoch(fixed, stake_V, weight_VS, np.zeros((2, 2)))
    clipped = settle_epoch(fixed._replace(bonds_penalty=1.0), stake_V, weight_VS, np.zeros((2, 2)))
    assert free.bond_VS.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert clipped.bond_VS.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_without_any_consensus_bonds_move_at_the_fixed_rate():
    params = YumaParams(bond_rate=0.04)
    epoch = settle_epoch(params, np.ones(3), np.eye(3), np.zeros((3, 3)))
    assert not epoch.consensus_S.any()
    np.testing.assert_allclose(epoch.bond_VS, 0.04 * np.eye(3))


@pytest.mark.parametrize("kappa", [0.1, 0.5, 0.7])
def test_consensus_is_the_greatest_weight_with_enough_stake_behind_it(kappa):
    rng = np.random.default_rng(3)
    for _ in range(20):
        stake_V, weight_VS = rng.random(5), rng.integers(0, 4, size=(5, 3)) / 4
        found_S = compute_consensus(stake_V, weight_VS, kappa)
        for server in range(3):
            weights = weight_VS[:, server].tolist()
            backed = [w for w in weights if stake_V[weight_VS[:, server] >= w].sum() >= kappa * stake_V.sum()]
            assert found_S[server] == max(backed)


def test_no_stake_weights_or_bonds_give_zeros_not_nans():
    epoch = settle_epoch(YumaParams(), np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2)))
    for leaf in epoch:
        assert not leaf.any()


def test_as_a_vote_the_stakes_median_decides():
    answers, sure = [[0, 1, 1, 1], [0, 1, 1, 1], [-1, 1, 1, 2], [-1] * 4], [[0.9] * 4] * 4
    votes = make_votes(answers, 3, sure, [6.0, 1.0, 1.0, 1.0])
    assert yuma(votes, 3).answer_T.tolist() == [0, 0, 1, -1]
    assert yuma(votes._replace(weight_N=np.array([2.0, 1.0, 1.0, 1.0])), 3).answer_T.tolist() == [1, 1, 1, -1]
    assert yuma(votes._replace(weight_N=np.zeros(4)), 3).answer_T.tolist() == [-1] * 4
