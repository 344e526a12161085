"""The attacks that are computed: exhaustion, prices and budgets by the rules themselves, and ablations that fail."""

import numpy as np
import pytest

from consensus import presets
from consensus.rules.tally import tally_round
from consensus.simulator.attacks import ablations, bribery, correlation, equivocation, reveals, spam
from consensus.simulator.attacks.cast import ATTACKER, attackers, make_setting
from consensus.simulator.attacks.sampling import draw_samples
from consensus.units import Q16

LAW = presets.demo()


def test_conflicts_need_a_third_and_cost_it() -> None:
    assert equivocation.count_conflicts((1, 1, 1)) == (0, 1)  # all three sign both: the only way
    below, beyond = equivocation.count_conflicts((2, 2, 1, 1))
    assert below == 0
    assert beyond > 0
    assert equivocation.take(LAW, 0.5) == pytest.approx(1.0)
    assert equivocation.take(LAW, 0.01) == pytest.approx(0.05 + 0.95 * 3 * 0.0095 / 0.9995, abs=1e-3)


def test_the_better_of_two_draws_is_worth_what_enumeration_says() -> None:
    share, seats = 0.3, 6
    chance = [np.prod([share if bit else 1 - share for bit in map(int, f"{n:06b}")]) for n in range(64)]
    held = [n.bit_count() for n in range(64)]
    better = sum(
        p * q * max(a, b) for p, a in zip(chance, held, strict=True) for q, b in zip(chance, held, strict=True)
    )
    assert reveals._better_of_two(seats, share) == pytest.approx(better - seats * share)
    assert reveals._better_of_two(1_000, share) == pytest.approx(reveals._better_of_two(1_001, share), rel=1e-3)
    assert reveals.strike_chance(1.0) == pytest.approx(1.0)


def test_a_hidden_reveal_costs_the_wager_that_an_audit_finds() -> None:
    generator, discriminator = reveals.compute_price(LAW)
    # mu x flat fee: 6 x .3/5 and 60 x .05/15 of a pot, and .1 % of the least stake, 1,000 tokens of 215.6 a pot
    assert generator == pytest.approx(0.36 + 1 / 215.6, abs=0.003)
    assert discriminator == pytest.approx(0.20 + 1 / 215.6, abs=0.003)


def test_prices_of_spam() -> None:
    assert spam.price_challenge(LAW) == pytest.approx((2.0, 0.4), abs=1e-4)
    assert spam.list_flood_fees(LAW, 3) == pytest.approx([1.0, 1.125, 1.265625])
    assert spam.count_flood_blocks(LAW, 10) == 20
    assert spam.most_difficulty(LAW) == pytest.approx(1.25 * 0.7, abs=1e-3)
    assert 40 <= spam.count_undoing(LAW) <= 50  # (1 - .02) / .02


def test_a_bribe_turns_the_fewest_seats_and_makes_them_lose() -> None:
    sample = next(
        sample
        for i, sample in enumerate(draw_samples(make_setting(LAW), 0, 16))
        if i >= 96 and bribery.find_bribe(LAW, sample)
    )
    bribe = bribery.find_bribe(LAW, sample)
    assert bribe is not None
    counts_C = np.bincount(sample.round.answer_G[sample.round.answer_G >= 0], minlength=5) * (1 - sample.truth_C)
    lie = int(counts_C.argmax())
    accepted = [bribery._accepts(LAW, sample, bribery.turn(sample.round, lie, n)) for n in range(bribe.seats + 1)]
    assert accepted[-1] == lie
    assert lie not in accepted[:-1]
    honest, lied = (bribery.expect_wagers(LAW, sample, bribery.turn(sample.round, lie, n)) for n in (0, bribe.seats))
    assert (honest - lied)[: bribe.seats].sum() == pytest.approx(bribe.budget)
    assert (lied >= honest)[bribe.seats :].all()  # who stays honest wins what the bribed lose


def test_the_law_votes_with_the_majority_of_equals_and_the_jury_is_beta_binomial() -> None:
    assert correlation.decide_counts(LAW).tolist() == [False] * 11 + [True] * 11
    assert correlation.compute_accuracy(0.6, 0.1) == pytest.approx(0.70418, abs=1e-4)
    skill, rho, accuracy = correlation.measure_jury(LAW, 1.0, 4_000)
    assert rho == pytest.approx(1.0, abs=1e-9)
    assert accuracy == pytest.approx(skill)


def test_misreports_pay_under_the_rules_that_the_law_refuses_and_under_no_other() -> None:
    for belief in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert ablations.find_best_report(belief, ablations.wager) == pytest.approx(belief, abs=0.006)
    assert ablations.find_best_report(0.3, ablations.multiply_false_flags) == pytest.approx(0.125, abs=0.006)
    for belief in (0.83, 0.88, 0.93):
        assert ablations.find_best_report(belief, ablations.slash_on_top) == pytest.approx(0.8, abs=0.002)
    assert ablations.find_best_report(0.7, ablations.clip_score) == 1.0
    assert ablations.find_best_report(0.7, ablations.share_pot) < 0.65


def test_stake_counted_twice_weighs_a_whale_by_its_stake() -> None:
    setting = make_setting(LAW, *(attackers(1, role, "honest", 0.4) for role in ("generator", "discriminator")))
    sample = next(iter(draw_samples(setting, 1, 1)))
    twice = ablations.count_stake_twice(sample.nodes)
    whale = int(np.flatnonzero(setting.conduct.group_N == ATTACKER)[0])
    stake_N = setting.conduct.stake_micro_N
    ratio = stake_N[whale] / stake_N[stake_N > 0].mean()
    assert twice.beta_q16_NR[whale, 0] / sample.nodes.beta_q16_NR[whale, 0] == pytest.approx(ratio, rel=1e-3)
    is_whale_N = setting.conduct.group_N == ATTACKER
    round, lie = ablations.lie_with(sample.round, is_whale_N)
    if lie >= 0:
        assert (round.answer_G[is_whale_N[round.generator_G]] == lie).all()
        assert (round.answer_G[~is_whale_N[round.generator_G]] != lie).all()
        assert tally_round(LAW, sample.network, sample.nodes, round).seats_on_C[lie] > 0
    assert ablations.lie_with(sample.round, is_whale_N & False)[1] == -1


def test_pay_for_agreement_pays_whoever_agrees() -> None:
    sample = next(iter(draw_samples(make_setting(LAW), 0, 1)))
    all_false = sample.round._replace(verdict_q16_DC=sample.round.verdict_q16_DC * 0 + Q16)
    paid_D = ablations.pay_for_agreement(LAW, sample, all_false)
    assert paid_D == pytest.approx([paid_D[0]] * 15)
    assert paid_D[0] > 0
