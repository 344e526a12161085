"""What the seated nodes of a round do: their models' opinions, turned by their policies into answers and verdicts.

All tasks of a round at once. This is the wire of the simulation: what comes out is what a `Round` of the law holds.
"""

from typing import NamedTuple

from consensus.simulator.agents import Dice, Questions, Stream, answer_questions, judge_answers, number_answers
from consensus.simulator.committee import count_same, is_first
from consensus.simulator.policies import apply_discriminators, apply_generators
from consensus.simulator.setting import Setting
from consensus.simulator.views import WORDINGS, DiscriminatorView, GeneratorView, Public, Self
from consensus.state import DISCRIMINATOR, GENERATOR, Array, Network, Nodes, Round
from consensus.units import as_int64, namespace, total


class Acted(NamedTuple):
    """A round's tasks with all that their seats reveal. Leaves with a leading T."""

    round: Round
    truth_TC: Array
    effort_micro_TG: Array
    effort_micro_TD: Array


def act(setting: Setting, dice: Dice, network: Network, nodes: Nodes, questions: Questions, rounds: Round) -> Acted:
    """Answers, then verdicts on them. Silent and empty seats say nothing."""
    xp = namespace(network.height)
    demand, skill, conduct = setting.demand, setting.skill, setting.conduct
    T, G = rounds.generator_G.shape
    D = rounds.discriminator_D.shape[1]
    column = lambda x: xp.broadcast_to(xp.reshape(x, (-1, 1)), (T, 1))
    public = Public(
        round=column(dice.round),
        task_class=column(demand.class_K[questions.kind_T]),
        base_rate_q16=column(network.base_rate_q16),
        integral_q12=column(network.integral_q12),
        generator_seats=G,
        discriminator_seats=D,
    )
    seat_TG, seat_TD = rounds.generator_G, rounds.discriminator_D
    self_TG = look(setting, dice, nodes, questions, rounds, GENERATOR)
    recipe_TG = conduct.recipe_NR[self_TG.node, GENERATOR]
    answer_TG, confidence_TG, lucky_TG = answer_questions(demand, skill, dice, questions, self_TG.node, recipe_TG)
    is_hidden = demand.commits_hide == 1
    first_T1 = lambda x_TG: xp.broadcast_to(x_TG[:, :1], x_TG.shape)
    spoken = apply_generators(
        GeneratorView(
            public=public,
            self=self_TG,
            answer=answer_TG,
            confidence_q16=confidence_TG,
            lucky=lucky_TG,
            seen_answer=xp.where(is_hidden, -1, first_T1(answer_TG)),
            seen_confidence_q16=xp.where(is_hidden, 0, first_T1(confidence_TG)),
        ),
        conduct.policy_NR[self_TG.node, GENERATOR],
    )
    is_two_way_TG = xp.broadcast_to((demand.wrong_answers_K[questions.kind_T] == 1)[:, None], (T, G))
    said_TG = xp.where(is_two_way_TG, xp.minimum(spoken.answer // WORDINGS, 1) * WORDINGS, spoken.answer)
    said_TG = xp.where((seat_TG >= 0) & (spoken.reveals == 1), said_TG, -1)
    number_TG, answer_TC = number_answers(dice, questions.place_T, said_TG)

    self_TD = look(setting, dice, nodes, questions, rounds, DISCRIMINATOR)
    recipe_TD = conduct.recipe_NR[self_TD.node, DISCRIMINATOR]
    verdict_TDC, evidence_TDC = judge_answers(skill, dice, questions, self_TD.node, recipe_TD, answer_TC)
    proposed_TGC = number_TG[:, :, None] == xp.arange(G, dtype=xp.int64)[None, None, :]
    is_ours_TDG = self_TD.group[:, :, None] == self_TG.group[:, None, :]
    ours_TDC = total(is_ours_TDG[:, :, :, None] & proposed_TGC[:, None, :, :], axis=2) > 0
    judged = apply_discriminators(
        DiscriminatorView(
            public=public,
            self=self_TD,
            verdict_q16_SC=verdict_TDC,
            evidence_SC=evidence_TDC,
            seats_on_SC=xp.broadcast_to(total(proposed_TGC, axis=1)[:, None, :], verdict_TDC.shape),
            ours_SC=as_int64(ours_TDC),
        ),
        conduct.policy_NR[self_TD.node, DISCRIMINATOR],
    )
    round = rounds._replace(
        task_class=demand.class_K[questions.kind_T],
        answer_G=number_TG,
        confidence_q16_G=xp.where(number_TG >= 0, spoken.confidence_q16, 0),
        revealed_D=judged.reveals * as_int64(seat_TD >= 0),
        verdict_q16_DC=judged.verdict_q16_SC,
        evidence_DC=judged.evidence_SC,
    )
    return Acted(
        round=round,
        truth_TC=as_int64((answer_TC >= 0) & (answer_TC // WORDINGS == 0)),
        effort_micro_TG=_effort(skill.effort_micro_RM[GENERATOR][recipe_TG], seat_TG, spoken.works),
        effort_micro_TD=_effort(skill.effort_micro_RM[DISCRIMINATOR][recipe_TD], seat_TD, judged.works),
    )


def look(setting: Setting, dice: Dice, nodes: Nodes, questions: Questions, rounds: Round, role: int) -> Self:
    """What each seat's node knows of itself; an empty seat looks through the asker's eyes and is not heard."""
    seats_R = rounds.generator_G, rounds.discriminator_D
    seat_TS = seats_R[role]
    xp = namespace(seat_TS)
    node_TS, conduct = xp.maximum(seat_TS, 0), setting.conduct
    place_TS = xp.broadcast_to(questions.place_T[:, None], node_TS.shape)
    tells_TS = dice.q16(Stream.TELL, place_TS, node_TS) < setting.demand.canary_tell_q16
    dice_TS2 = [dice.q16(stream, place_TS, node_TS) for stream in (Stream.DICE_0, Stream.DICE_1)]
    group_TS = conduct.group_N[node_TS]
    return Self(
        node=node_TS,
        group=group_TS,
        dial_SP=conduct.dial_NP[node_TS],
        bonded_micro=nodes.bonded_micro_N[node_TS],
        beta_q16=nodes.beta_q16_NR[node_TS, role],
        cusum_q16=nodes.cusum_q16_NR[node_TS, role],
        good_q8=nodes.good_q8_NR[node_TS, role],
        bad_q8=nodes.bad_q8_NR[node_TS, role],
        seats=count_same(seat_TS),
        allies_SR=xp.stack([_count_allies(conduct.group_N, group_TS, seat_TX) for seat_TX in seats_R], axis=-1),
        dice_q16=xp.stack(dice_TS2, axis=-1),
        knows_canary=as_int64(tells_TS & (questions.is_canary_T[:, None] == 1)),
    )


def _count_allies(group_N: Array, group_TS: Array, seat_TX: Array) -> Array:
    """How many of the seats X the node of each seat S shares its group with."""
    group_TX = namespace(seat_TX).where(seat_TX >= 0, group_N[namespace(seat_TX).maximum(seat_TX, 0)], -1)
    return total(group_TS[:, :, None] == group_TX[:, None, :], axis=2)


def _effort(effort_micro_TS: Array, seat_TS: Array, works_TS: Array) -> Array:
    """A node that works pays once a task, at its first seat."""
    return namespace(seat_TS).where(is_first(seat_TS) & (works_TS == 1), effort_micro_TS, 0)
