"""Agents have the skill that is claimed: accuracies, correlations and calibration of many questions."""

import hashlib

import numpy as np
import pytest

from consensus import presets
from consensus.simulator import agents
from consensus.simulator.draws import make_key
from consensus.simulator.networks import Group, Kind, Models, make_network
from consensus.simulator.normal import draw_normal_q12, get_table, make_table, quantile_q12, square_root_q16
from consensus.simulator.views import WORDINGS

T = 6_000
GROUPS = [Group("g", 4, "generator"), Group("d", 4, "discriminator")]


def ask(kind: Kind, models: Models) -> tuple:
    """Questions, answers and confidences of nodes 1 to 4 and verdicts of 5 to 8 on (truth, lure, another)."""
    static, setting = make_network(presets.demo(), GROUPS, [kind], models, tasks=T)
    dice = agents.make_dice(np.int64(5), np.int64(3), static.tasks)
    questions = agents.draw_questions(setting.demand, np.int64(0), dice)
    node_TG = np.broadcast_to(np.arange(1, 5), (T, 4))
    recipe_TG = setting.conduct.recipe_NR[node_TG, 0]
    said = agents.answer_questions(setting.demand, setting.skill, dice, questions, node_TG, recipe_TG)
    node_TD = np.broadcast_to(np.arange(5, 9), (T, 4))
    answer_TC = np.broadcast_to(np.array([0, 1, 5]) * WORDINGS, (T, 3))
    recipe_TD = setting.conduct.recipe_NR[node_TD, 1]
    judged = agents.judge_answers(setting.skill, dice, questions, node_TD, recipe_TD, answer_TC)
    return questions, said, judged, recipe_TG


def test_generators_have_the_accuracy_and_the_coincidence_that_are_claimed() -> None:
    kind = Kind("facts", 1, 1, knows=0.7, accuracy=0.7, guess=0.04)
    _, (answer_TG, confidence_TG, lucky_TG), _, recipe_TG = ask(kind, Models())
    right_TG = answer_TG == 0
    assert abs(right_TG.mean() - (0.49 + 0.3 * 0.04)) < 0.02
    assert abs(lucky_TG.mean() - 0.04) < 0.01
    assert recipe_TG[0].tolist() == [0, 1, 2, 0]
    assert np.array_equal(answer_TG[:, 0], answer_TG[:, 3]), "nodes of one recipe agree where nothing is their own"
    wrong_T = ~right_TG[:, 0] & ~right_TG[:, 1]
    assert abs((answer_TG[wrong_T, 0] == answer_TG[wrong_T, 1]).mean() - 0.21) < 0.03
    sure_T = confidence_TG[:, 0]
    auroc = np.mean(sure_T[right_TG[:, 0]][:, None] > sure_T[~right_TG[:, 0]][None, :])
    assert abs(auroc - 0.86) < 0.02
    assert sure_T.max() <= round(0.98 * 65536)


def test_a_share_of_errors_is_a_nodes_own() -> None:
    kind = Kind("facts", 1, 1, knows=1.0, accuracy=0.6)
    same = []
    for own in (0.0, 0.5, 1.0):
        _, (answer_TG, _, _), _, _ = ask(kind, Models(generator_own=own, generator_shared=0.0))
        same.append(np.corrcoef(answer_TG[:, 0] == 0, answer_TG[:, 3] == 0)[0, 1])
    assert same[0] == pytest.approx(1.0)
    assert 0.2 < same[1] < 0.5
    assert abs(same[2]) < 0.05


def test_verifiers_separate_true_from_false_and_err_together() -> None:
    _, _, (verdict_TDC, evidence_TDC), _ = ask(Kind("facts", 1, 1, evidence=0.9), Models())
    says_false_TDC = verdict_TDC > 32_768
    assert abs(says_false_TDC[:, :, 0].mean() - 0.05) < 0.01
    assert abs(says_false_TDC[:, :, 1:].mean() - 0.95) < 0.01
    errors = np.corrcoef(~says_false_TDC[:, 0, 1], ~says_false_TDC[:, 1, 1])[0, 1]
    assert 0.75 < errors < 0.97
    assert abs(evidence_TDC.mean() - 0.9) < 0.01
    # Of statements made with .8 about as many hold.
    near = np.abs(verdict_TDC[..., 1] / 65536 - 0.8) < 0.05
    true = np.abs(verdict_TDC[..., 0] / 65536 - 0.8) < 0.05
    assert abs(near.sum() / (near.sum() + true.sum()) - 0.8) < 0.08


def test_a_poisoned_answer_looks_true() -> None:
    _, _, (verdict_TDC, _), _ = ask(Kind("facts", 1, 1, poison=1.0), Models())
    assert (verdict_TDC[:, :, 1] > 32_768).mean() < 0.1
    assert (verdict_TDC[:, :, 2] > 32_768).mean() > 0.9


def test_who_errs_in_a_trap_gives_the_favourite_and_nobody_sees_it() -> None:
    """Every second question is a trap; all generators are sure of its answer, all verifiers see nothing in it."""
    kind = Kind("facts", 1, 1, knows=1.0, accuracy=0.5, lure=0.1, trap=0.5)
    plain = ask(kind, Models(verifier_separation=5.0))
    models = Models(verifier_separation=5.0, generator_trapped=1.0, verifier_trapped=1.0)
    questions, (answer_TG, sure_TG, _), (verdict_TDC, _), _ = ask(kind, models)
    is_trap_T = questions.is_trap_T == 1
    assert abs(is_trap_T.mean() - 0.5) < 0.02
    wrong_TG = answer_TG != 0
    assert (answer_TG[is_trap_T][wrong_TG[is_trap_T]] == WORDINGS).all()
    assert abs((answer_TG[~is_trap_T][wrong_TG[~is_trap_T]] == WORDINGS).mean() - 0.1) < 0.02
    mean = lambda where_T, right: sure_TG[where_T][(answer_TG[where_T] == 0) == right].mean()
    assert mean(is_trap_T, False) == pytest.approx(mean(is_trap_T, True), rel=0.02)
    assert mean(~is_trap_T, False) < 0.6 * mean(~is_trap_T, True)
    half_T = (verdict_TDC[is_trap_T, :, 1] > 32_768).mean(axis=1)
    assert 0.45 < half_T.mean() < 0.55, "noise about the middle"
    before = plain[2][0]
    elsewhere = np.broadcast_to(~is_trap_T[:, None, None], before.shape).copy()
    elsewhere[:, :, [0, 2]] = True
    assert np.array_equal(verdict_TDC[elsewhere], before[elsewhere]), "other answers are judged as without traps"


def test_traps_and_poison_are_drawn_apart() -> None:
    questions, *_ = ask(Kind("facts", 1, 1, trap=0.5, poison=0.5), Models())
    assert abs((questions.is_trap_T & questions.is_poisoned_T).mean() - 0.25) < 0.02


def test_a_recipe_is_blind_by_itself() -> None:
    kind, apart = Kind("facts", 1, 1, knows=1.0, accuracy=0.5), {"generator_shared": 0.0, "verifier_shared": 0.0}
    _, (answer_TG, before_TG, _), (plain_TDC, _), _ = ask(kind, Models(verifier_separation=7.0, **apart))
    models = Models(verifier_separation=7.0, verifier_blind=0.2, generator_blind=0.3, **apart)
    _, (again_TG, sure_TG, _), (verdict_TDC, _), _ = ask(kind, models)
    is_off_TDC = verdict_TDC != plain_TDC
    assert not is_off_TDC[:, :, 0].any(), "nobody is blind to the truth"
    blind_TD = is_off_TDC[:, :, 1]
    assert np.array_equal(blind_TD[:, 0], blind_TD[:, 2]), "nodes 5 and 7 run one recipe"
    # The cap hides the blind whose noise alone lies beyond it, .29 of them.
    share = blind_TD.mean()
    assert share == pytest.approx(0.2 * 0.71, abs=0.015)
    assert (blind_TD[:, 0] & blind_TD[:, 1]).mean() == pytest.approx(share**2, abs=0.01)
    assert np.array_equal(answer_TG, again_TG)
    is_surer_TG = sure_TG > before_TG
    assert not (sure_TG < before_TG).any() and not is_surer_TG[answer_TG == 0].any()
    assert abs(is_surer_TG[answer_TG != 0].mean() - 0.3) < 0.03


def test_a_trap_and_a_recipes_own_blindness_are_drawn_apart() -> None:
    kind = Kind("facts", 1, 1, knows=1.0, accuracy=0.5, trap=1.0)
    _, (answer_TG, before_TG, _), _, _ = ask(kind, Models(generator_shared=0.0))
    _, (_, sure_TG, _), _, _ = ask(kind, Models(generator_shared=0.0, generator_trapped=0.5, generator_blind=0.3))
    for node in range(4):
        wrong_T = answer_TG[:, node] != 0
        assert (sure_TG > before_TG)[wrong_T, node].mean() == pytest.approx(1 - 0.5 * 0.7, abs=0.03)


def test_kinds_may_differ_in_what_models_can_do() -> None:
    """What a kind says goes before what the models say, for that kind alone."""
    kinds = [
        Kind("as all", 1, 1, trap=0.25),
        Kind("other", 1, 1, verifier_separation=1.0, verifier_bias=-0.5, generator_shared=0.75, verifier_trapped=1.0),
    ]
    _, setting = make_network(presets.demo(), GROUPS, kinds, Models(verifier_blind=0.5))
    skill = setting.skill
    assert skill.separation_q12_KRM[:, :, 0].tolist() == [[6_144, 13_517], [6_144, 4_096]]
    assert skill.bias_q12_KRM[:, 1, 0].tolist() == [0, -2_048]
    assert skill.shared_q16_KR.tolist() == [[19_661, 63_570], [49_152, 63_570]]
    assert skill.trapped_q16_KR.tolist() == [[0, 0], [0, 65_536]]
    assert skill.blind_q16_KR.tolist() == [[0, 32_768], [0, 32_768]]
    assert setting.demand.trap_q16_K.tolist() == [16_384, 0]


def test_without_traps_and_blindness_every_draw_is_what_it_was_before_there_were_any() -> None:
    """The digest is of the answers, confidences and verdicts of the commit before (6a3bf48), for these questions."""
    hashed = hashlib.sha256()
    for kind in (Kind("facts", 1, 1, poison=0.1), Kind("two-way", 1, 1, wrong_answers=1)):
        _, said, judged, _ = ask(kind, Models(generator_own=0.2, verifier_own=0.1))
        for leaf in (*said, *judged):
            hashed.update(np.ascontiguousarray(leaf).astype("<i8").tobytes())
    assert hashed.hexdigest()[:16] == "c0e34d6cc1137da0"


def test_every_purpose_has_a_stream_of_its_own() -> None:
    """Two names of one number would be one draw for two purposes; the free ones lie between the taken."""
    numbers = [stream.value for stream in agents.Stream.__members__.values()]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) >= 0 and max(numbers) < agents.STREAMS
    free = agents.Stream.FIRST_FREE
    assert free - 1 in numbers and not {*range(free + 1, free + 10)} & {*numbers}


def test_kinds_come_in_their_shares_and_canaries_in_theirs() -> None:
    kinds = [Kind("a", 0.5, 0.1), Kind("b", 0.3, 0.2), Kind("c", 0.2, 0.7)]
    static, setting = make_network(presets.demo(), GROUPS, kinds, tasks=T, load=0.25)
    dice = agents.make_dice(np.int64(5), np.int64(3), static.tasks)
    questions = agents.draw_questions(setting.demand, np.int64(16_384), dice)
    assert abs(questions.is_canary_T.mean() - 0.25) < 0.02
    assert abs(questions.is_open_T.mean() - 0.25) < 0.02
    for canary, shares in ((0, (0.5, 0.3, 0.2)), (1, (0.1, 0.2, 0.7))):
        kind_T = questions.kind_T[questions.is_canary_T == canary]
        assert np.allclose(np.bincount(kind_T, minlength=3) / len(kind_T), shares, atol=0.04)


def test_answers_are_numbered_apart_from_their_truth() -> None:
    dice = agents.make_dice(np.int64(1), np.int64(1), T)
    place_T = np.arange(T)
    answer_TG = np.broadcast_to(np.array([0, 32, -1, 0, 16]), (T, 5))
    number_TG, answer_TC = agents.number_answers(dice, place_T, answer_TG)
    assert (number_TG[:, 0] == number_TG[:, 3]).all()
    assert (number_TG[:, 2] == -1).all()
    assert np.array_equal(np.sort(number_TG[:, [0, 1, 4]], axis=1), np.broadcast_to([0, 1, 2], (T, 3)))
    assert np.array_equal(
        np.take_along_axis(answer_TC, np.maximum(number_TG, 0), axis=1)[:, [0, 1, 4]], answer_TG[:, [0, 1, 4]]
    )
    assert (answer_TC[:, 3:] == -1).all()
    assert abs((number_TG[:, 0] == 0).mean() - 1 / 3) < 0.03


def test_the_quantile_table_is_the_published_one_and_draws_are_normal() -> None:
    assert get_table().tolist() == make_table()
    z = draw_normal_q12(make_key(np.int64(1), np.int64(2), np.int64(3)), np.arange(40_000)) / 4096
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1) < 0.01
    assert abs((z < -1.645).mean() - 0.05) < 0.005
    assert abs(int(quantile_q12(np.int64(49_152))) / 4096 - 0.67449) < 1e-3
    assert (
        np.abs(square_root_q16(np.arange(0, 65_537, 97)) / 65536 - np.sqrt(np.arange(0, 65_537, 97) / 65536)).max()
        < 2e-5
    )


def test_an_asker_may_lead_with_canaries() -> None:
    """Half of the first three rounds are canaries, none later; without a plan the law's rate holds."""
    _, setting = make_network(presets.demo(), GROUPS, tasks=400)
    led = setting.demand._replace(
        lead_rounds=np.int64(3), lead_canary_q16=np.int64(32_768), later_canary_q16=np.int64(0)
    )
    shares = {}
    for round in (0, 2, 3):
        dice = agents.make_dice(np.int64(1), np.int64(round), 400)
        for name, demand in (("law", setting.demand), ("led", led)):
            shares[name, round] = agents.draw_questions(demand, np.int64(13_107), dice).is_canary_T.mean()
    assert [abs(shares["law", round] - 0.2) < 0.06 for round in (0, 2, 3)] == [True] * 3
    assert [abs(shares["led", round] - 0.5) < 0.08 for round in (0, 2)] == [True] * 2
    assert shares["led", 3] == 0
