"""Profiles: the numbers that drive agents come back when agents are measured; files and scenarios read them."""

import json
from pathlib import Path

import numpy as np
import pytest

from consensus import presets
from consensus.simulator.agents import answer_questions, draw_questions, judge_answers, make_dice
from consensus.simulator.gaussian_fits import correlate, find_latent, fit_signal, split_blindness
from consensus.simulator.measuring import Opinion, Question, Seen, measure
from consensus.simulator.networks import Group, Models, make_network
from consensus.simulator.profiles import (
    KindProfile,
    ModelLine,
    Profile,
    RoleProfile,
    Sight,
    count_wrong_answers,
    make_kinds,
    make_models,
    read_profile,
    solve_trap,
    write_profile,
)
from consensus.simulator.scenario import make_scenario
from consensus.simulator.views import WORDINGS
from consensus.units import Q16

PROFILE = Profile(
    kinds=(
        KindProfile(
            *("taught", 0.7, 0.6),
            accuracy=0.6,
            prior=0.6,
            coincidence=0.3,
            evidence=1.0,
            generators=Sight(2.5, bias=0.3, temperature=0.8, shared=0.1, trapped=0.4, blind=0.05),
            verifiers=Sight(4.5, bias=-0.2, temperature=0.5, shared=0.6, trapped=0.7, blind=0.03),
        ),
        KindProfile(
            *("untaught", 0.3, 0.4),
            accuracy=0.2,
            prior=0.2,
            coincidence=0.04,
            evidence=0.8,
            generators=Sight(1.5, bias=-0.5, temperature=1.3, shared=0.5),
            verifiers=Sight(3.0, bias=0.5, temperature=0.75, shared=0.2),
        ),
    ),
    generators=RoleProfile(3, 0.0, Sight(2.0, 0.0, 1.0, 0.3)),
    verifiers=RoleProfile(2, 0.0, Sight(4.0, 0.0, 0.6, 0.4)),
    cap=0.98,
    guess=0.01,
    kappa=1.6,
    models=(ModelLine("a", "generator", 10, 0.7, 0.6, 0.1),),
)
GROUPS = [Group("g", 6, "generator"), Group("d", 6, "discriminator")]


def see_agents(profile: Profile, models: Models, questions: int = 1_500) -> Seen:
    """What nodes 1 to 6 answer and nodes 7 to 12 judge, every node on every question."""
    kinds = make_kinds(profile)
    static, setting = make_network(presets.demo(), GROUPS, kinds, models, tasks=questions)
    dice = make_dice(np.int64(1), np.int64(0), static.tasks)
    asked = draw_questions(setting.demand, np.int64(Q16 // 5), dice)
    node_TG = np.broadcast_to(np.arange(1, 7), (questions, 6))
    recipe_N = setting.conduct.recipe_NR
    answer_TG, sure_TG, _ = answer_questions(setting.demand, setting.skill, dice, asked, node_TG, recipe_N[node_TG, 0])
    node_TD = node_TG + 6
    verdict_TDC, found_TDC = judge_answers(setting.skill, dice, asked, node_TD, recipe_N[node_TD, 1], answer_TG)
    answers, verdicts = [], []
    for t in range(questions):
        for s in range(6):
            key = int(answer_TG[t, s])
            stated = int(sure_TG[t, s]) / Q16
            answers.append(Opinion(str(t), f"g{s}", f"m{recipe_N[s + 1, 0]}", str(key), stated, key == 0))
            for key, q, found in {
                (int(answer_TG[t, c]), int(verdict_TDC[t, s, c]), bool(found_TDC[t, s, c])) for c in range(6)
            }:
                verdicts.append(
                    Opinion(str(t), f"d{s}", f"v{recipe_N[s + 7, 1]}", str(key), q / Q16, key // WORDINGS != 0, found)
                )
    rows = zip(asked.kind_T.tolist(), asked.is_canary_T.tolist(), strict=True)
    return Seen(
        tuple(Question(str(t), kinds[kind].name, bool(canary)) for t, (kind, canary) in enumerate(rows)),
        tuple(answers),
        tuple(verdicts),
    )


def test_what_drives_agents_comes_back() -> None:
    found = measure(see_agents(PROFILE, make_models(PROFILE)))
    kinds = {kind.name: kind for kind in found.kinds}
    for wanted in PROFILE.kinds:
        got = kinds[wanted.name]
        assert got.accuracy == pytest.approx(wanted.accuracy, abs=0.03)
        assert got.coincidence == pytest.approx(wanted.coincidence, abs=0.04)
        assert got.evidence == pytest.approx(wanted.evidence, abs=0.03)
        assert got.share == pytest.approx(wanted.share, abs=0.04)
        assert got.canary_share == pytest.approx(wanted.canary_share, abs=0.06)
        for saw, told in ((got.generators, wanted.generators), (got.verifiers, wanted.verifiers)):
            assert saw.separation == pytest.approx(told.separation, rel=0.1)
            assert saw.temperature == pytest.approx(told.temperature, rel=0.12)
            assert saw.shared == pytest.approx(told.shared, abs=0.1)
            assert saw.trapped == pytest.approx(told.trapped, abs=0.12) or wanted.coincidence < 0.1
            assert saw.blind == pytest.approx(told.blind, abs=0.02)
        middle = lambda kind, sight, prior: sight.bias + sight.temperature * np.log(prior / (1 - prior))
        for role, prior in (("generators", None), ("verifiers", 0.5)):
            saw, told = (
                middle(kind, getattr(kind, role), kind.prior if prior is None else prior) for kind in (got, wanted)
            )
            assert saw == pytest.approx(told, abs=0.25)
    for got_role, wanted_role in ((found.generators, PROFILE.generators), (found.verifiers, PROFILE.verifiers)):
        assert (got_role.models, got_role.own) == (wanted_role.models, 0.0)
    sights = [kind.verifiers.separation for kind in found.kinds]
    assert min(sights) < found.verifiers.mean.separation < max(sights)
    assert found.cap == pytest.approx(PROFILE.cap, abs=1e-3)


def test_a_nodes_own_share_is_found() -> None:
    """Generators err with .3 in common and half of the rest a node's own."""
    models = make_models(PROFILE)._replace(generator_own=0.5, verifier_own=0.4)
    found = measure(see_agents(PROFILE, models, 700))
    assert found.generators.own == pytest.approx(0.5, abs=0.15)
    assert found.verifiers.own == pytest.approx(0.4, abs=0.15)


def test_a_signal_is_found_behind_its_cap() -> None:
    """Half of the draws lie beyond the cap: the naive mean would be .8 too small."""
    draws = np.random.default_rng(1)
    side = np.where(draws.random(6_000) < 0.6, 1, -1)
    log_odds = np.clip(0.5 + 3.0 * side + 2.0 * draws.standard_normal(6_000), -3.9, 3.9)
    found = fit_signal(log_odds, side, np.zeros(6_000, int), 2, 3.9)
    assert found.means == pytest.approx((0.5, 0.5), abs=0.12)
    assert found.differences == pytest.approx((6.0, 6.0), rel=0.04), "a label without rows is like the others"
    assert found.deviation == pytest.approx(2.0, rel=0.04)
    assert found.blind[0] < 0.01


def test_the_blind_are_found_beside_a_signal() -> None:
    """A tenth of the wrong ones show nothing; half of the traps are shared by both models, .02 of the rest is not."""
    draws = np.random.default_rng(2)
    is_trap = draws.random(2_000) < 0.2
    is_caught = is_trap & (draws.random(2_000) < 0.5)
    blind_2N = np.stack([is_caught | (draws.random(2_000) < 0.02) for _ in range(2)])
    right = -4.0 + 1.5 * draws.standard_normal(2_000)
    wrong_2N = np.where(blind_2N, 0.0, 4.0) + 1.5 * draws.standard_normal((2, 2_000))
    log_odds = np.clip(np.concatenate([right, *wrong_2N]), -3.9, 3.9)
    side, label = np.repeat([-1, 1, 1], 2_000), np.zeros(6_000, int)
    found = fit_signal(log_odds, side, label, 1, 3.9, wrong=1, blind_at=0.0)
    assert found.blind[0] == pytest.approx(blind_2N.mean(), abs=0.02)
    assert found.differences[0] == pytest.approx(8.0, rel=0.05)
    likely_2N = [
        list(zip(*found.weigh(row, label[:2_000], 3.9), strict=True)) for row in log_odds[2_000:].reshape(2, -1)
    ]
    rows = [(float(trap), models) for trap, models in zip(is_trap, zip(*likely_2N, strict=True), strict=True)]
    trapped, blind = split_blindness(rows)
    assert trapped == pytest.approx(0.5, abs=0.08)
    assert blind == pytest.approx(0.02, abs=0.012)
    assert split_blindness([]) == (0.0, 0.0)


def test_latent_correlation() -> None:
    """Threshold at the mean: the seen correlation of .5 is asin(.5) * 2 / pi = 1/3."""
    assert find_latent(1 / 3, lambda z: (z > 0) - 0.5) == pytest.approx(0.5, abs=0.03)
    assert find_latent(-0.1, lambda z: z) == 0.0
    assert correlate([(1.0, 1.0), (-1.0, -1.0)]) == pytest.approx(1.0)
    assert correlate([]) == 0.0


@pytest.mark.parametrize("coincidence", [0.9, 0.28, 0.13, 0.04, 0.0])
def test_traps_give_the_coincidence(coincidence: float) -> None:
    trap, many = solve_trap(coincidence), count_wrong_answers(coincidence)
    assert trap + (1 - trap) / many == pytest.approx(coincidence, abs=1.1e-3)
    assert 0 <= trap <= 1


def test_files_and_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_profile(PROFILE, path)
    assert read_profile(path) == PROFILE
    groups = [{"name": "g", "nodes": 3, "role": "generator"}, {"name": "d", "nodes": 3, "role": "discriminator"}]
    scenario = make_scenario({"profile": str(path), "groups": groups, "models": {"cap": 0.9}})
    assert scenario.kinds == ("taught", "untaught")
    static, setting = make_network(
        presets.demo(),
        [Group(row["name"], 3, row["role"]) for row in groups],
        make_kinds(PROFILE),
        make_models(PROFILE)._replace(cap=0.9),
    )
    for mine, other in zip(scenario.setting.skill, setting.skill, strict=True):
        assert np.array_equal(mine, other)
    assert np.array_equal(scenario.setting.demand.trap_q16_K, setting.demand.trap_q16_K)
    assert scenario.static == static
    said = {"verifier_separation": 2.0, "generator_shared": 0.5}
    skill = make_scenario({"profile": str(path), "groups": groups, "models": said}).setting.skill
    assert (skill.separation_q12_KRM[:, 1] == 2 * 4096).all() and (skill.shared_q16_KR[:, 0] == 32_768).all()
    assert np.array_equal(skill.temperature_q12_KRM, setting.skill.temperature_q12_KRM), "the rest is the profile's"


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "[" * 100_000, '{"format": 2}', '{"format": 2, "kinds": 3}', '{"format": 2, "kinds": [{}]}']
)
def test_a_file_that_is_no_profile_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"is no profile; make one with: deslm profile"):
        read_profile(path)


def test_a_profile_of_another_version_or_with_what_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_profile(PROFILE, path)
    plain = json.loads(path.read_text())
    for change, sentence in (
        ({"format": 1}, "another version"),
        ({"format": 3}, "another version"),
        ({"cap": float("nan")}, "is no profile"),
        ({"guess": "0.1"}, "is no profile"),
        ({"kappa": True}, "is no profile"),
        ({"kinds": []}, "names no kind"),
    ):
        path.write_text(json.dumps(plain | change))
        with pytest.raises(ValueError, match=sentence):
            read_profile(path)
    del plain["format"]  # as the first version wrote it
    path.write_text(json.dumps(plain))
    with pytest.raises(ValueError, match="another version"):
        read_profile(path)


def test_a_run_without_mistakes_is_refused() -> None:
    right = Opinion("q", "g", "m", "a", 0.9, True)
    with pytest.raises(ValueError, match="no generator both right and wrong"):
        measure(Seen((Question("q", "taught", False),), (right,), (right,)))
