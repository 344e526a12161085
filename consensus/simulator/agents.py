"""What is asked, and what the models of the seated nodes make of it: questions, answers, confidences, verdicts.

A generator knows a question or not, and is right if a Gaussian number falls below the quantile of its accuracy. That
number is shared in part by all recipes (the question is hard), in part by the nodes of one recipe, and in part a
node's own; so errors correlate. Its confidence is the log-odds of a Gaussian signal that separates right from wrong by
d', with what calibration leaves: a temperature and a bias. A verifier is such a signal on every candidate. No Gaussian
errs as often at its far end as models do: there are wrong answers to which a recipe is *blind*. A generator is as sure
of such an answer as of a right one; a verifier sees neither truth nor falsehood, its signal is noise. And there are
*traps*, questions whose one wrong answer catches everybody: all who err give it, and all recipes may be blind to it at
once. All integers, and a draw depends on (seed, round, purpose, question, recipe or node) alone.
"""

from enum import IntEnum
from typing import NamedTuple

from consensus.rules.log_odds import logit_q12, sigmoid_q16
from consensus.simulator.draws import Key, draw_q16, draw_uint32, make_key
from consensus.simulator.normal import draw_normal_q12, quantile_q12, square_root_q16
from consensus.simulator.setting import Demand, Skill
from consensus.simulator.views import TRUTH, WORDINGS
from consensus.state import DISCRIMINATOR, GENERATOR, Array
from consensus.units import Q16, as_int64, mul_q16, namespace, total


class Stream(IntEnum):
    """One purpose of random numbers each."""

    LOAD, CANARY, KIND, POISON = range(4)
    KNOWS, LUCK, LURE, WRONG = range(4, 8)
    ERROR_SHARED, ERROR_RECIPE, ERROR_OWN, SURE_RECIPE, SURE_OWN = range(8, 13)
    VERDICT_SHARED, VERDICT_RECIPE, VERDICT_OWN, EVIDENCE = range(13, 17)
    ORDER, TELL, DICE_0, DICE_1 = range(17, 21)
    GENERATOR_SEATS, DISCRIMINATOR_SEATS, CANDIDATE, AUDIT = range(21, 25)
    FIRST_FREE = 25  # to 34: for policies and experiments
    TRAP, SURE_TRAPPED, SURE_BLIND, VERDICT_TRAPPED, VERDICT_BLIND = range(35, 40)


STREAMS = 40


class Questions(NamedTuple):
    """The T places of one round."""

    place_T: Array  # 0 to T - 1
    is_open_T: Array  # 1 if the place is used
    is_canary_T: Array
    kind_T: Array
    is_poisoned_T: Array  # 1 if the knowledge base supports the favourite wrong answer
    is_trap_T: Array  # 1 if all who err give the favourite wrong answer


class Dice(NamedTuple):
    """Draws for one round of one run: of a purpose, by question and somebody. Made by `make_dice`."""

    keys: Key  # one key a stream
    round: Array
    places: int  # T

    def key(self, stream: int) -> Key:
        """The key of one purpose."""
        return Key(self.keys.first[stream], self.keys.second[stream])

    def q16(self, stream: Stream, place: Array, who: Array) -> Array:
        """Uniform, 0 to 65,535, in the common shape of `place` and `who`."""
        return draw_q16(self.key(stream), who * self.places + place)

    def normal_q12(self, stream: Stream, place: Array, who: Array) -> Array:
        """Standard normal."""
        return draw_normal_q12(self.key(stream), who * self.places + place)


def make_dice(seed: Array, round: Array, places: int) -> Dice:
    """The keys of one round, all made at once."""
    xp = namespace(round)
    stream = xp.arange(STREAMS, dtype=xp.int64)
    return Dice(make_key(stream * 0 + seed, stream * 0 + round, stream), round, places)


def draw_questions(demand: Demand, canary_rate_q16: Array, dice: Dice) -> Questions:
    """What is asked in a round; canaries at the given rate, unless the asker leads with more of them."""
    xp = namespace(demand.class_K)
    place_T = xp.arange(dice.places, dtype=xp.int64)
    zeros_T = xp.zeros_like(place_T)
    later_q16 = xp.where(demand.later_canary_q16 < 0, canary_rate_q16, demand.later_canary_q16)
    rate_q16 = xp.where(dice.round < demand.lead_rounds, demand.lead_canary_q16, later_q16)
    is_canary_T = as_int64(dice.q16(Stream.CANARY, place_T, zeros_T) < rate_q16)
    share_TK = xp.where((is_canary_T == 1)[:, None], demand.canary_share_q16_K[None, :], demand.share_q16_K[None, :])
    edge_TK = xp.cumsum(share_TK, axis=1, dtype=xp.int64)
    kind_T = total(dice.q16(Stream.KIND, place_T, zeros_T)[:, None] >= edge_TK[:, :-1], axis=1)
    return Questions(
        place_T=place_T,
        is_open_T=as_int64(dice.q16(Stream.LOAD, place_T, zeros_T) < demand.load_q16),
        is_canary_T=is_canary_T,
        kind_T=kind_T,
        is_poisoned_T=as_int64(dice.q16(Stream.POISON, place_T, zeros_T) < demand.poison_q16_K[kind_T]),
        is_trap_T=as_int64(dice.q16(Stream.TRAP, place_T, zeros_T) < demand.trap_q16_K[kind_T]),
    )


def answer_questions(
    demand: Demand, skill: Skill, dice: Dice, questions: Questions, node_TG: Array, recipe_TG: Array
) -> tuple[Array, Array, Array]:
    """(answer key, confidence Q16, lucky) [T,G]: what each seat's model says, and whether a blind guess would hit."""
    xp = namespace(node_TG)
    place_TG = xp.broadcast_to(questions.place_T[:, None], node_TG.shape)
    kind_TG = xp.broadcast_to(questions.kind_T[:, None], node_TG.shape)
    knows_TG = dice.q16(Stream.KNOWS, place_TG, recipe_TG) < skill.knows_q16_KM[kind_TG, recipe_TG]
    shared_q16_K, own_q16 = skill.shared_q16_KR[:, GENERATOR], skill.own_q16_R[GENERATOR]
    hardness_TG = _mix(
        (shared_q16_K, own_q16),
        kind_TG,
        dice.normal_q12(Stream.ERROR_SHARED, place_TG, place_TG * 0),
        dice.normal_q12(Stream.ERROR_RECIPE, place_TG, recipe_TG),
        dice.normal_q12(Stream.ERROR_OWN, place_TG, node_TG),
    )
    guess_TG = skill.guess_q16_K[kind_TG]
    lucky_TG = dice.q16(Stream.LUCK, place_TG, node_TG) < guess_TG
    chance_TG = xp.where(knows_TG, skill.accuracy_q16_KM[kind_TG, recipe_TG], guess_TG)
    right_TG = hardness_TG < quantile_q12(chance_TG)

    many_TG = demand.wrong_answers_K[kind_TG]
    is_lure_TG = dice.q16(Stream.LURE, place_TG, recipe_TG) < demand.lure_q16_K[kind_TG]
    other_TG = 2 + ((dice.q16(Stream.WRONG, place_TG, recipe_TG) * xp.maximum(many_TG - 1, 1)) >> 16)
    is_trap_TG = xp.broadcast_to(questions.is_trap_T[:, None] == 1, node_TG.shape)
    wrong_TG = xp.where(is_lure_TG | is_trap_TG | (many_TG == 1), 1, other_TG)

    separation_TG = skill.separation_q12_KRM[kind_TG, GENERATOR, recipe_TG]
    noise_TG = _mix(
        (shared_q16_K * 0, own_q16),
        kind_TG,
        hardness_TG * 0,
        dice.normal_q12(Stream.SURE_RECIPE, place_TG, recipe_TG),
        dice.normal_q12(Stream.SURE_OWN, place_TG, node_TG),
    )
    is_blind_TG = _is_blind(skill, GENERATOR, dice, kind_TG, is_trap_TG, place_TG, recipe_TG)
    signal_TG = noise_TG + xp.where(right_TG | is_blind_TG, separation_TG, -separation_TG) // 2
    belief_TG = ((separation_TG * signal_TG) >> 12) + logit_q12(skill.prior_q16_KM[kind_TG, recipe_TG])
    confidence_TG = _state(skill, GENERATOR, kind_TG, recipe_TG, belief_TG)
    return xp.where(right_TG, TRUTH, wrong_TG * WORDINGS), confidence_TG, as_int64(lucky_TG)


def judge_answers(
    skill: Skill, dice: Dice, questions: Questions, node_TD: Array, recipe_TD: Array, answer_TC: Array
) -> tuple[Array, Array]:
    """(probability Q16 that it is false, evidence found) [T,D,C] of each candidate, by each seat's model."""
    xp = namespace(node_TD)
    shape = (*node_TD.shape, answer_TC.shape[1])
    spread = lambda x_TC: xp.broadcast_to(x_TC[:, None, :], shape)
    meaning_TDC = spread(answer_TC // WORDINGS)
    place_TDC = spread(xp.broadcast_to(questions.place_T[:, None], answer_TC.shape))
    kind_TD1 = xp.broadcast_to(questions.kind_T[:, None, None], (*node_TD.shape, 1))
    recipe_TD1 = recipe_TD[..., None]
    recipes, candidates = skill.bias_q12_KRM.shape[2], answer_TC.shape[1]
    candidate_TDC = spread(xp.broadcast_to(xp.arange(candidates, dtype=xp.int64)[None, :], answer_TC.shape))
    who_TDC = meaning_TDC * recipes + recipe_TD1
    noise_TDC = _mix(
        (skill.shared_q16_KR[:, DISCRIMINATOR], skill.own_q16_R[DISCRIMINATOR]),
        kind_TD1,
        dice.normal_q12(Stream.VERDICT_SHARED, place_TDC, meaning_TDC),
        dice.normal_q12(Stream.VERDICT_RECIPE, place_TDC, who_TDC),
        dice.normal_q12(Stream.VERDICT_OWN, place_TDC, node_TD[..., None] * candidates + candidate_TDC),
    )
    separation_TD1 = skill.separation_q12_KRM[kind_TD1, DISCRIMINATOR, recipe_TD1]
    is_poisoned_TDC = spread((questions.is_poisoned_T[:, None] == 1) & (answer_TC // WORDINGS == 1))
    looks_false_TDC = (meaning_TDC != 0) & ~is_poisoned_TDC
    is_trap_TDC = spread((questions.is_trap_T[:, None] == 1) & (answer_TC // WORDINGS == 1))
    is_blind_TDC = _is_blind(skill, DISCRIMINATOR, dice, kind_TD1, is_trap_TDC, place_TDC, who_TDC)
    shift_TDC = xp.where(looks_false_TDC, separation_TD1, -separation_TD1) // 2
    signal_TDC = noise_TDC + xp.where(looks_false_TDC & is_blind_TDC, 0, shift_TDC)
    verdict_TDC = _state(skill, DISCRIMINATOR, kind_TD1, recipe_TD1, (separation_TD1 * signal_TDC) >> 12)
    found_TDC = dice.q16(Stream.EVIDENCE, place_TDC, meaning_TDC) < skill.evidence_q16_K[kind_TD1]
    return verdict_TDC, as_int64(found_TDC)


def number_answers(dice: Dice, place_T: Array, answer_TG: Array) -> tuple[Array, Array]:
    """(candidate of each seat [T,G], -1 if it did not reveal; answer key of each candidate [T,C], -1 if there is none).

    Candidates are numbered by a hash of the key, as the law numbers them by bytes: no rule can tell the truth by it.
    """
    xp = namespace(answer_TG)
    revealed_TG = answer_TG >= 0
    rank_TG = draw_uint32(dice.key(Stream.ORDER), answer_TG * dice.places + place_T[:, None]).astype(xp.int64)
    order_G = xp.arange(answer_TG.shape[1], dtype=xp.int64)
    is_earlier_GG = order_G[:, None] > order_G[None, :]
    is_same_TGG = (answer_TG[:, :, None] == answer_TG[:, None, :]) & is_earlier_GG[None, :, :]
    is_first_TG = revealed_TG & (total(is_same_TGG, axis=2) == 0)
    is_below_TGG = is_first_TG[:, None, :] & (rank_TG[:, None, :] < rank_TG[:, :, None])
    number_TG = total(is_below_TGG, axis=2)
    is_it_TGC = is_first_TG[:, :, None] & (number_TG[:, :, None] == order_G[None, None, :])
    answer_TC = total(xp.where(is_it_TGC, answer_TG[:, :, None] + 1, 0), axis=1) - 1
    return xp.where(revealed_TG, number_TG, -1), answer_TC


def _mix(shares_q16: tuple[Array, Array], kind: Array, shared: Array, recipe: Array, own: Array) -> Array:
    """One standard normal number of three: by kind a share common to all, of the rest a share that is a node's own."""
    shared_q16_K, own_q16 = shares_q16
    rest_q16_K = Q16 - shared_q16_K
    of_own_q16_K = mul_q16(rest_q16_K, own_q16)
    xp = namespace(rest_q16_K)
    weight_3K = square_root_q16(xp.stack([shared_q16_K, rest_q16_K - of_own_q16_K, of_own_q16_K]))
    return (weight_3K[0][kind] * shared + weight_3K[1][kind] * recipe + weight_3K[2][kind] * own) >> 16


def _is_blind(skill: Skill, role: int, dice: Dice, kind: Array, is_trap: Array, place: Array, who: Array) -> Array:
    """Where a recipe would be blind to an answer if it is wrong: `who` names the recipe, and the answer if any."""
    trapped, blind = ((Stream.SURE_TRAPPED, Stream.SURE_BLIND), (Stream.VERDICT_TRAPPED, Stream.VERDICT_BLIND))[role]
    is_caught = is_trap & (dice.q16(trapped, place, place * 0) < skill.trapped_q16_KR[kind, role])
    return is_caught | (dice.q16(blind, place, who) < skill.blind_q16_KR[kind, role])


def _state(skill: Skill, role: int, kind: Array, recipe: Array, belief_q12: Array) -> Array:
    """A belief as the probability that is stated: temperature, bias, sigmoid, cap."""
    xp = namespace(belief_q12)
    temperature_q12, bias_q12 = skill.temperature_q12_KRM[kind, role, recipe], skill.bias_q12_KRM[kind, role, recipe]
    stated_q12 = ((belief_q12 * temperature_q12) >> 12) + bias_q12
    return xp.clip(sigmoid_q16(stated_q12), Q16 - skill.cap_q16, skill.cap_q16)
