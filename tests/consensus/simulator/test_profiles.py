"""Profiles: the numbers that drive agents come back when agents are measured; files and scenarios read them."""

from pathlib import Path

import numpy as np
import pytest

from consensus import presets
from consensus.simulator.agents import answer_questions, draw_questions, judge_answers, make_dice
from consensus.simulator.gaussian_fits import correlate, find_latent, fit_signal
from consensus.simulator.measuring import Opinion, Question, Seen, measure
from consensus.simulator.networks import Group, Models, make_network
from consensus.simulator.profiles import (
    KindProfile,
    ModelLine,
    Profile,
    RoleProfile,
    count_wrong_answers,
    make_kinds,
    make_models,
    read_profile,
    solve_lure,
    write_profile,
)
from consensus.simulator.scenario import make_scenario
from consensus.simulator.views import WORDINGS
from consensus.units import Q16

PROFILE = Profile(
    kinds=(
        KindProfile("taught", 0.8, 0.7, accuracy=0.7, prior=0.6, coincidence=0.2, evidence=1.0),
        KindProfile("untaught", 0.2, 0.3, accuracy=0.1, prior=0.3, coincidence=0.04, evidence=0.8),
    ),
    generators=RoleProfile(3, separation=2.0, bias=0.3, temperature=0.9, shared=0.3, own=0.0),
    verifiers=RoleProfile(2, separation=3.0, bias=-0.2, temperature=0.8, shared=0.6, own=0.0),
    cap=0.98,
    guess=0.01,
    kappa=1.6,
    models=(ModelLine("a", "generator", 10, 0.7, 0.6, 0.1),),
)
GROUPS = [Group("g", 6, "generator"), Group("d", 6, "discriminator")]


def see_agents(profile: Profile, models: Models, questions: int = 3_000) -> Seen:
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
        assert got.prior == pytest.approx(wanted.prior, abs=0.12)
        assert got.evidence == pytest.approx(wanted.evidence, abs=0.03)
        assert got.share == pytest.approx(wanted.share, abs=0.04)
        assert got.canary_share == pytest.approx(wanted.canary_share, abs=0.06)
    for got, wanted in ((found.generators, PROFILE.generators), (found.verifiers, PROFILE.verifiers)):
        assert got.models == wanted.models
        assert got.separation == pytest.approx(wanted.separation, rel=0.06)
        assert got.temperature == pytest.approx(wanted.temperature, rel=0.08)
        assert got.shared == pytest.approx(wanted.shared, abs=0.08)
        assert got.own == 0
    assert found.verifiers.bias == pytest.approx(PROFILE.verifiers.bias, abs=0.12)
    assert found.cap == pytest.approx(PROFILE.cap, abs=1e-3)


def test_a_nodes_own_share_is_found() -> None:
    """Generators err with .3 in common and half of the rest a node's own."""
    models = make_models(PROFILE)._replace(generator_own=0.5, verifier_own=0.4)
    found = measure(see_agents(PROFILE, models, 1_500))
    assert found.generators.own == pytest.approx(0.5, abs=0.15)
    assert found.verifiers.own == pytest.approx(0.4, abs=0.15)


def test_a_signal_is_found_behind_its_cap() -> None:
    """Half of the draws lie beyond the cap: the naive mean would be .8 too small."""
    draws = np.random.default_rng(1)
    side = np.where(draws.random(6_000) < 0.6, 1, -1)
    log_odds = np.clip(0.5 + 3.0 * side + 2.0 * draws.standard_normal(6_000), -3.9, 3.9)
    found = fit_signal(log_odds, side, np.zeros(6_000, int), 2, 3.9)
    assert found.means == pytest.approx((0.5, 0.5), abs=0.12)
    assert found.difference == pytest.approx(6.0, rel=0.04)
    assert found.deviation == pytest.approx(2.0, rel=0.04)


def test_latent_correlation() -> None:
    """Threshold at the mean: the seen correlation of .5 is asin(.5) * 2 / pi = 1/3."""
    assert find_latent(1 / 3, lambda z: (z > 0) - 0.5) == pytest.approx(0.5, abs=0.03)
    assert find_latent(-0.1, lambda z: z) == 0.0
    assert correlate([(1.0, 1.0), (-1.0, -1.0)]) == pytest.approx(1.0)
    assert correlate([]) == 0.0


@pytest.mark.parametrize("coincidence", [0.9, 0.28, 0.13, 0.04, 0.0])
def test_the_lure_gives_the_coincidence(coincidence: float) -> None:
    lure, others = solve_lure(coincidence), count_wrong_answers(coincidence) - 1
    assert lure**2 + (1 - lure) ** 2 / others == pytest.approx(coincidence, abs=1.1e-3)
    assert 0 <= lure <= 1


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
    assert np.array_equal(scenario.setting.demand.lure_q16_K, setting.demand.lure_q16_K)
    assert scenario.static == static


@pytest.mark.parametrize("text", ["", "{}", '{"kinds": 3}', '{"kinds": [{"name": "x"}]}'])
def test_a_file_that_is_no_profile_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"is no profile; make one with: deslm profile"):
        read_profile(path)


def test_a_run_without_mistakes_is_refused() -> None:
    right = Opinion("q", "g", "m", "a", 0.9, True)
    with pytest.raises(ValueError, match="no generator both right and wrong"):
        measure(Seen((Question("q", "taught", False),), (right,), (right,)))
