"""What the attackers' policies say, seat by seat, on views made by hand."""

import numpy as np

from consensus.simulator import policies
from consensus.simulator.views import (
    GROUP_LIE,
    SURE_NOT_Q16,
    SURE_Q16,
    TRUTH,
    WORDINGS,
    DiscriminatorView,
    GeneratorView,
    Public,
    Self,
)
from consensus.units import Q16


def ints(*values: object) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def make_self(dials: tuple[int, int, int], allies: list[tuple[int, int]], knows: tuple[int, ...] = (1, 0)) -> Self:
    """Two seats, of nodes 5 and 6 in group 2."""
    two = ints(0, 0)
    return Self(
        node=ints(5, 6),
        group=ints(2, 2),
        dial_SP=ints(dials, dials),
        bonded_micro=two,
        beta_q16=two,
        cusum_q16=two,
        good_q8=two,
        bad_q8=two,
        seats=two + 1,
        allies_SR=ints(*allies),
        dice_q16=ints((100, 0), (60_000, 0)),
        knows_canary=ints(*knows),
    )


PUBLIC = Public(ints(0), ints(0), ints(30_000), ints(0), 5, 15)
STRONG, WEAK = (3, 8), (3, 7)


def make_generator(dials: tuple[int, int, int] = (0, 0, 0), seen: int = -1) -> GeneratorView:
    me = make_self(dials, [STRONG, WEAK])
    return GeneratorView(
        PUBLIC, me, ints(16, 32), ints(20_000, 50_000), ints(0, 0), ints(seen, seen), ints(40_000, 40_000)
    )


def make_discriminator(dials: tuple[int, int, int] = (0, 0, 0)) -> DiscriminatorView:
    me = make_self(dials, [STRONG, WEAK])
    q = ints((60_000, 10_000, 30_000), (34_000, 32_000, 33_000))
    return DiscriminatorView(
        PUBLIC, me, q, ints((1, 0, 1), (1, 1, 1)), ints((3, 1, 1), (3, 1, 1)), ints((1, 0, 0), (0, 0, 1))
    )


def test_a_patient_cartel_strikes_where_it_is_strong_and_is_honest_elsewhere() -> None:
    said = policies.schemer(make_generator((*STRONG, 0)))
    assert said.answer.tolist() == [(GROUP_LIE + 2) * WORDINGS, 32]
    assert said.confidence_q16.tolist() == [SURE_Q16, 50_000]
    judged = policies.scheming_discriminator(make_discriminator((*STRONG, 0)))
    assert judged.verdict_q16_SC.tolist() == [[SURE_NOT_Q16, SURE_Q16, SURE_Q16], [34_000, 32_000, 33_000]]


def test_a_paraphraser_says_the_same_in_words_of_its_own() -> None:
    said = policies.paraphraser(make_generator((1_000, 0, 0)))  # the dice are 100 and 60,000
    assert said.answer.tolist() == [16 + 1 + 5, 32]
    assert (said.answer // WORDINGS).tolist() == [1, 2]
    assert policies.paraphraser(make_generator((Q16, 0, 0))).answer.tolist() == [22, 39]


def test_selective_nodes_reveal_what_they_are_sure_of() -> None:
    assert policies.selective_generator(make_generator((Q16 // 2, 0, 0))).reveals.tolist() == [0, 1]
    assert policies.selective_discriminator(make_discriminator((20_000, 0, 0))).reveals.tolist() == [1, 0]


def test_who_knows_a_canary_works_on_it_alone() -> None:
    said = policies.canary_wise_generator(make_generator())
    assert said.works.tolist() == [1, 0]
    assert said.confidence_q16.tolist() == [20_000, SURE_Q16]
    judged = policies.canary_wise_discriminator(make_discriminator())
    assert judged.works.tolist() == [1, 0]
    assert judged.verdict_q16_SC[1].tolist() == [30_000] * 3


def test_an_insider_has_the_canarys_answer_and_approves_his_friends() -> None:
    said = policies.insider_generator(make_generator())
    assert said.answer.tolist() == [TRUTH, 32]
    assert said.confidence_q16.tolist() == [SURE_Q16, 50_000]
    judged = policies.insider_discriminator(make_discriminator())
    assert judged.verdict_q16_SC.tolist() == [[SURE_NOT_Q16, SURE_Q16, SURE_Q16], [34_000, 32_000, 33_000]]


def test_a_follower_repeats_what_it_reads_if_that_is_surer() -> None:
    assert policies.follower(make_generator(seen=48)).answer.tolist() == [48, 32]
    assert policies.follower(make_generator(seen=48)).confidence_q16.tolist() == [40_000, 50_000]
    assert policies.follower(make_generator(seen=-1)).answer.tolist() == [16, 32]


def test_the_crowd_reader_counts_seats_and_the_gullible_obey_their_group() -> None:
    crowd = policies.crowd_reader(make_discriminator())
    alone, step = policies.CROWD_ALONE_Q16, policies.CROWD_STEP_Q16
    assert crowd.verdict_q16_SC.tolist() == [[alone - 2 * step, alone, alone]] * 2
    assert crowd.works.tolist() == [0, 0]
    told = policies.gullible(make_discriminator())
    assert told.verdict_q16_SC.tolist() == [[SURE_NOT_Q16, 10_000, 30_000], [34_000, 32_000, SURE_NOT_Q16]]
    assert told.evidence_SC.tolist() == [[1, 0, 1], [1, 1, 1]]
