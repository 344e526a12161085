"""The report's sentences, its curves, and what it refuses: each against a case worked out by hand or by brute force."""

import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deslm.report import check_report_data, reliability
from deslm.report.data import Candidate, DiscriminatorSeat, GeneratorSeat, Score, Unknown, Verdict
from deslm.report.explain import accept_rules, headline, lead


@pytest.mark.parametrize(
    "module", ["deslm.errors", "deslm.report.measure", "deslm.report.explain", "deslm.report.markup"]
)
def test_examples_in_docstrings(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def sound_round(played):
    """A round that meets every condition: two generators, three of four discriminator seats, a clear margin."""
    verdict = Verdict(0, 0.1, 1.0, ("Lima is the capital of Peru.",))
    return played._replace(
        candidates=(Candidate("Lima", 2.0, 1.5, 2.0, True),),
        generators=(
            GeneratorSeat("gen-1", 2, 0, 0.9, 0.5, 1.0, True),
            GeneratorSeat("gen-2", 1, 0, 0.9, 0.5, 1.0, True),
        ),
        discriminators=(
            DiscriminatorSeat("dis-1", 3, (verdict,), 0.5, True),
            DiscriminatorSeat("dis-2", 1, (), 0.5, False),
        ),
        margin=2.0,
        threshold=1.4,
        accepted=0,
        drawn=None,
        payments=(),
    )


def failed_rules(played) -> list[int]:
    return [index for index, rule in enumerate(accept_rules(played)) if not rule.passed]


def test_a_sound_round_meets_every_rule(report_data):
    assert failed_rules(sound_round(report_data.rounds[0])) == []


def test_each_rule_fails_alone(report_data):
    played = sound_round(report_data.rounds[0])
    one, two = played.generators
    late = played.discriminators[0]._replace(seats=1)
    assert failed_rules(played._replace(discriminators=(late, played.discriminators[1]))) == [0]
    assert failed_rules(played._replace(generators=(one, two._replace(node="gen-1")))) == [1]
    against = (played.candidates[0]._replace(discriminator_score=0.0),)
    assert failed_rules(played._replace(candidates=against)) == [2]
    assert failed_rules(played._replace(margin=1.39)) == [3]
    assert failed_rules(played._replace(margin=1.4)) == []


def test_exactly_two_thirds_is_enough(report_data):
    played = sound_round(report_data.rounds[0])
    seats = tuple(seat._replace(seats=count) for seat, count in zip(played.discriminators, (2, 1), strict=True))
    assert failed_rules(played._replace(discriminators=seats)) == []


def test_support_is_asked_of_the_best_candidate(report_data):
    played = sound_round(report_data.rounds[0])
    worse = Candidate("Quito", -1.0, 0.0, -2.0, False)
    assert failed_rules(played._replace(candidates=(worse, *played.candidates), accepted=1)) == []


def test_nobody_answered(report_data):
    silent = report_data.rounds[0]._replace(candidates=(), generators=(), discriminators=(), accepted=None, drawn=None)
    assert failed_rules(silent) == [0, 1, 2, 3]


def test_rules_agree_with_the_decisions_of_a_whole_run(report_data):
    for played in report_data.rounds:
        assert (failed_rules(played) == []) == (played.accepted is not None)


def test_the_headline_counts(report_data):
    scores = (
        Score("majority", "Majority of the seats", 300, 240, 70),
        Score("consensus", "The network", 300, 241, 0),
        Score("best_node", "Best single node (gen-3)", 300, 240, 52),
    )
    data = report_data._replace(scores=scores, unknown=Unknown(60, 57, 2, 1))
    assert headline(data) == "The network answered 241 of 300 questions and got none wrong."
    text = " ".join(lead(data))
    assert text.startswith(
        "It abstained on the other 59. Answering as many, the majority of the seats got 70 wrong, the best single node "
        "(gen-3) 52. Of 60 more questions, about subjects that no model was taught, it abstained on 57 and accepted 2 "
        "right and 1 wrong guesses. All 4 dishonest nodes lost stake, and the median honest node gained "
    )
    assert text.endswith("Replaying the ledger gave the same state, to the last micro-token.")
    assert "no model was taught, it answered none." in " ".join(lead(data._replace(unknown=Unknown(60, 60, 0, 0))))
    assert "do not trust" in " ".join(lead(data._replace(supply_error_micro=1)))


def test_a_dishonest_node_that_gains_is_not_hidden(report_data):
    cheat = next(node for node in report_data.nodes if not node.is_honest)
    nodes = tuple(
        node._replace(stake_after=node.stake_before + 5) if node is cheat else node for node in report_data.nodes
    )
    assert "3 of 4 dishonest nodes lost stake" in " ".join(lead(report_data._replace(nodes=nodes)))


answers = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]) | st.floats(0, 1), st.booleans()), max_size=30)


@given(answers)
def test_reliability_counts_every_statement_once(pairs):
    found = reliability("stated", pairs)
    assert sum(each.size for each in found.bins) == len(pairs)
    assert sum(each.observed * each.size for each in found.bins) == pytest.approx(sum(right for _, right in pairs))
    assert sum(each.stated * each.size for each in found.bins) == pytest.approx(sum(stated for stated, _ in pairs))
    gap = sum(each.size * abs(each.stated - each.observed) for each in found.bins)
    assert found.ece == pytest.approx(gap / max(1, len(pairs)))


def test_reliability_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"1\.2 is not a probability"):
        reliability("stated", [(1.2, True)])


def test_check_accepts_a_sound_run(report_data):
    check_report_data(report_data)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: {"scores": d.scores[1:]}, "exactly one score of kind consensus"),
        (lambda d: {"scores": (d.scores[0]._replace(accepted=999), *d.scores[1:])}, "more accepted than asked"),
        (lambda d: {"unknown": d.unknown._replace(abstained=99)}, "do not add up"),
        (lambda d: {"nodes": (*d.nodes, d.nodes[0])}, "2 nodes are called gen-1"),
        (lambda d: {"nodes": d.nodes[1:]}, "names gen-1, which is none of the nodes"),
        (lambda d: {"rounds": (*d.rounds, d.rounds[0])}, "2 rounds have the number 1"),
        (lambda d: {"rounds": (d.rounds[0]._replace(accepted=9),)}, "round 1 points to a candidate"),
        (lambda d: {"rounds": (d.rounds[0]._replace(drawn=-1),)}, "round 1 points to a candidate"),
        (lambda d: {"rounds": (d.rounds[0]._replace(difficulty=1.5),)}, r"a probability outside \[0, 1\]"),
        (lambda d: {"rounds": (d.rounds[0]._replace(margin=float("nan")),)}, "not a number"),
        (lambda d: {"nodes": (d.nodes[0]._replace(stake=((2, 1.0), (1, 1.0))), *d.nodes[1:])}, "do not rise"),
        (lambda d: {"nodes": (d.nodes[0]._replace(reputation=((1, 2.0),)), *d.nodes[1:])}, "a reputation outside"),
    ],
)
def test_check_names_the_fault(report_data, change, fault):
    with pytest.raises(ValueError, match=fault):
        check_report_data(report_data._replace(**change(report_data)))
