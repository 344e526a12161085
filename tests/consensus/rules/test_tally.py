"""R4: the vote, by hand."""

import numpy as np
import pytest

from consensus.rules.tally import tally_round
from tests.consensus.rules.small import int64, network_and_nodes, params_with, round_of

# logit table: .8 (52,429) -> 5,677; .7 (45,875) -> 3,470; .6 (39,322) -> 1,661; b = 29,491 (.45) -> -822
X_80, X_70, X_60, LOGIT_B = 5_678, 3_470, 1_660, -822
KAPPA = 6_144


def tally(round=None, params=None, **network_leaves):
    params = params or params_with()
    network, nodes = network_and_nodes(params)
    network = network._replace(**{name: int64(value) for name, value in network_leaves.items()})
    return tally_round(params, network, nodes, round or round_of())


def test_evidence_of_one_seat() -> None:
    """e = beta (x + kappa) for a generator; e = -beta (logit q - logit b) for a discriminator; beta = 1/2."""
    t = tally()
    assert np.abs(t.generator_evidence_q12_G - (int64([X_80, X_70, X_60]) + KAPPA) // 2).max() <= 2
    x_true = 9_000 + LOGIT_B  # logit .1 = -2.197 = -9,000
    x_false = -(9_000 - LOGIT_B)
    assert np.abs(t.discriminator_evidence_q12_DC[0] - int64([x_true, x_false, 0]) // 2).max() <= 6


def test_scores_add_up_deflated_by_correlation_less_kappa() -> None:
    t = tally()
    e_G, e_DC = t.generator_evidence_q12_G, t.discriminator_evidence_q12_DC
    deflate_G, deflate_D = 1 + 2 * 0.3, 1 + 3 * 0.5
    for j, seats in ((0, [0, 1]), (1, [2])):
        assert (
            t.generator_score_q12_C[j] == np.floor(e_G[seats].sum() / deflate_G)
            or abs(t.generator_score_q12_C[j] - e_G[seats].sum() / deflate_G) <= 1
        )
        assert abs(t.discriminator_score_q12_C[j] - e_DC[:, j].sum() / deflate_D) <= 1
        assert t.score_q12_C[j] == t.generator_score_q12_C[j] + t.discriminator_score_q12_C[j] - KAPPA
    assert t.best == 0
    assert t.margin_q12 == t.score_q12_C[0] - max(0, t.score_q12_C[1])
    assert t.support_q12 == e_DC[:, 0].sum()
    assert (t.generators, t.discriminators, t.distinct_generators) == (3, 4, 3)


def test_a_candidate_that_nobody_proposed_counts_nothing() -> None:
    t = tally(round_of(verdict_q16_DC=[[32_768, 32_768, 0]] * 4, evidence_DC=[[1, 1, 1]] * 4))
    assert t.score_q12_C[2] == 0
    assert not t.discriminator_evidence_q12_DC[:, 2].any()
    assert t.best != 2


def test_clones_count_for_little_more_than_one() -> None:
    """Four verdicts at correlation 1 weigh as much as one."""
    params = params_with(rho_q16_KR=[[0, 65_536]] * 4)
    one = tally(round_of(revealed_D=[1, 0, 0, 0]), params)
    four = tally(round_of(), params)
    assert four.discriminator_score_q12_C.tolist() == one.discriminator_score_q12_C.tolist()
    independent = tally(round_of(), params_with(rho_q16_KR=[[0, 0]] * 4))
    assert independent.discriminator_score_q12_C[0] == 4 * one.discriminator_score_q12_C[0]


def test_no_evidence_and_no_reveal_weigh_nothing() -> None:
    t = tally(round_of(evidence_DC=[[0, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0]], revealed_D=[1, 0, 1, 1]))
    assert not t.discriminator_evidence_q12_DC[:2].any()
    assert t.discriminator_evidence_q12_DC[2:, :2].all()
    t = tally(round_of(answer_G=[0, -1, 0]))
    assert t.generator_evidence_q12_G[1] == 0
    assert (t.generators, t.seats_on_C.tolist()) == (2, [2, 0, 0])


def test_a_verdict_that_says_the_base_rate_weighs_nothing() -> None:
    t = tally(round_of(verdict_q16_DC=[[40_000, 40_000, 0]] * 4), base_rate_q16=40_000)
    assert not t.discriminator_evidence_q12_DC.any()


def test_what_one_seat_adds_is_clipped() -> None:
    """Certainty adds 3 and not 8; a verdict is clipped after the base rate is taken off."""
    t = tally(round_of(confidence_q16_G=[65_536, 0, 65_536], verdict_q16_DC=[[0, 65_536, 0]] * 4))
    assert t.generator_evidence_q12_G.tolist() == [(12_288 + KAPPA) // 2, (-12_288 + KAPPA) // 2, (12_288 + KAPPA) // 2]
    assert t.discriminator_evidence_q12_DC[0].tolist() == [6_144, -6_144, 0]


def test_nobody_answered() -> None:
    t = tally(round_of(answer_G=[-1, -1, -1]))
    assert (t.best, t.margin_q12, t.generators) == (-1, 0, 0)
    assert not t.score_q12_C.any()


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_the_order_of_seats_does_not_matter(order: list[int]) -> None:
    plain = round_of()
    turned = plain._replace(
        **{name: getattr(plain, name)[order] for name in ("generator_G", "answer_G", "confidence_q16_G")}
    )
    assert tally(turned).score_q12_C.tolist() == tally(plain).score_q12_C.tolist()
