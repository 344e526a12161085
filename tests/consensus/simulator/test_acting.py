"""The wire of the simulation: what seated nodes see, and what a `Round` holds of what they did."""

import numpy as np
import pytest

from consensus.simulator import acting, step
from consensus.simulator.agents import Stream, draw_questions, make_dice
from consensus.simulator.opening import open_round
from consensus.simulator.policies import DISCRIMINATORS, GENERATORS, copycat
from consensus.simulator.setting import Setting
from consensus.simulator.views import SURE_Q16, WORDINGS, DiscriminatorView, GeneratorView
from consensus.simulator.world import start
from tests.consensus.simulator.small import make_small

STATIC, SETTING = make_small(tasks=40, load=0.8)


class Seen:
    """One round acted out, with the views that the policies got."""

    def __init__(self, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
        self.views: list = []
        for name in ("apply_generators", "apply_discriminators"):
            apply = getattr(acting, name)
            monkeypatch.setattr(
                acting, name, lambda view, code, apply=apply: (self.views.append(view), apply(view, code))[1]
            )
        state = start(STATIC, setting)
        dice = make_dice(np.int64(3), np.int64(8), STATIC.tasks)
        self.questions = draw_questions(setting.demand, setting.law.canary_rate_q16, dice)
        beacon = step.draw_beacon(STATIC, dice)
        network, nodes, rounds, _ = open_round(STATIC, setting, state.network, state.nodes, self.questions, beacon)
        self.acted = acting.act(setting, dice, network, nodes, self.questions, rounds)
        self.generator_view: GeneratorView = self.views[0]
        self.discriminator_view: DiscriminatorView = self.views[1]
        monkeypatch.undo()


def test_a_round_holds_what_the_seats_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(SETTING, monkeypatch)
    round, policy_NR = seen.acted.round, SETTING.conduct.policy_NR
    silent_G, silent_D = list(GENERATORS).index("silent"), list(DISCRIMINATORS).index("silent")
    is_empty_TG = round.generator_G < 0
    assert is_empty_TG.any(), "a place without a task is part of what is tested"
    hides_TG = policy_NR[round.generator_G, 0] == silent_G
    assert (round.answer_G[is_empty_TG | hides_TG] == -1).all()
    hides_TD = policy_NR[round.discriminator_D, 1] == silent_D
    assert hides_TD.any()
    assert (round.revealed_D[hides_TD | (round.discriminator_D < 0)] == 0).all()
    for seats, what in ((round.generator_G, round.answer_G), (round.generator_G, round.confidence_q16_G)):
        for t in range(STATIC.tasks):
            for node in set(seats[t].tolist()):
                assert len(set(what[t][seats[t] == node].tolist())) == 1, "a node says one thing from all its seats"
    classes = SETTING.demand.class_K[seen.questions.kind_T]
    assert np.array_equal(round.task_class, classes)
    is_two_way_T = classes == 1
    assert round.answer_G[is_two_way_T].max() <= 1, "a two-way question has two answers"
    assert (seen.acted.truth_TC.sum(axis=1) <= 1 + 15 * (~is_two_way_T)).all()


def test_effort_is_paid_once_a_node_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(SETTING, monkeypatch)
    round, effort_TG = seen.acted.round, seen.acted.effort_micro_TG
    honest_T = [
        {n for n in seats if n > 0 and SETTING.conduct.policy_NR[n, 0] == 0} for seats in round.generator_G.tolist()
    ]
    lazy = [list(GENERATORS).index(name) for name in ("inflator", "garbage", "random")]
    does_nothing_TG = np.isin(SETTING.conduct.policy_NR[round.generator_G, 0], lazy) & (round.generator_G >= 0)
    assert does_nothing_TG.any()
    assert not effort_TG[does_nothing_TG].any()
    cost = int(SETTING.skill.effort_micro_RM[0, 0])
    for t, honest in enumerate(honest_T):
        spent = effort_TG[t][np.isin(round.generator_G[t], list(honest))].sum()
        assert spent == cost * len(honest)


def test_commits_hide_answers_and_the_ablation_shows_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = Seen(SETTING, monkeypatch).generator_view
    assert (hidden.seen_answer == -1).all()
    assert not hidden.seen_confidence_q16.any()
    open_ = SETTING._replace(demand=SETTING.demand._replace(commits_hide=np.int64(0)))
    shown = Seen(open_, monkeypatch).generator_view
    assert (shown.seen_answer == shown.answer[:, :1]).all()
    said = GENERATORS["copycat"](shown)
    assert np.array_equal(said.answer, shown.seen_answer)
    assert np.array_equal(said.confidence_q16, shown.seen_confidence_q16)


def test_discriminators_see_whose_answer_a_candidate_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(SETTING, monkeypatch)
    view, round, group_N = seen.discriminator_view, seen.acted.round, SETTING.conduct.group_N
    for t in range(STATIC.tasks):
        for c in range(STATIC.generator_seats):
            on_it = round.answer_G[t] == c
            assert (view.seats_on_SC[t, :, c] == on_it.sum()).all()
            proposers = set(group_N[round.generator_G[t][on_it]].tolist())
            for d, node in enumerate(round.discriminator_D[t].tolist()):
                if node >= 0:
                    assert view.ours_SC[t, d, c] == (group_N[node] in proposers)


def test_nobody_knows_a_canary_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(SETTING, monkeypatch)
    for view in seen.views:
        knows = view.self.knows_canary == 1
        assert not knows[seen.questions.is_canary_T == 0].any()
        assert 0.2 < knows[seen.questions.is_canary_T == 1].mean() < 0.8


def test_truth_is_meaning_nought(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(SETTING, monkeypatch)
    said = seen.generator_view.answer
    is_open_T = seen.questions.is_open_T == 1
    honest = SETTING.conduct.policy_NR[seen.acted.round.generator_G, 0] == 0
    number = seen.acted.round.answer_G
    for t, g in np.argwhere(honest & (number >= 0) & is_open_T[:, None]):
        meaning = said[t, g] // WORDINGS
        assert seen.acted.truth_TC[t, number[t, g]] == (meaning == 0)


def test_every_question_and_person_has_dice_of_its_own() -> None:
    dice = make_dice(np.int64(1), np.int64(2), 8)
    place_PW, who_PW = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    drawn = [dice.q16(stream, place_PW, who_PW) for stream in (Stream.KNOWS, Stream.LUCK)]
    assert len(np.unique(np.stack(drawn))) > 124, "of 128 numbers of 16 bits one or two may coincide"


def test_a_copycat_that_sees_nothing_is_as_sure_as_its_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Seen(SETTING, monkeypatch).generator_view
    for stated, expected in ((0, SURE_Q16), (58_982, 58_982)):
        dial = np.zeros_like(view.self.dial_SP)
        dial[..., 2] = stated
        said = copycat(view._replace(self=view.self._replace(dial_SP=dial)))
        assert (said.confidence_q16 == expected).all() and (said.works == 0).all()


def test_a_node_with_two_seats_works_once() -> None:
    cost, seats, works = ([[5, 7, 7, 9, 3]], [[3, 4, 4, -1, 2]], [[1, 1, 1, 1, 0]])
    assert acting._effort(np.array(cost), np.array(seats), np.array(works)).tolist() == [[5, 7, 0, 0, 0]]
