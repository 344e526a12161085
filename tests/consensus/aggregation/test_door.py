"""Every rule by its name: NumPy, jit and vmap agree, order of nodes and of tasks is nothing, mistakes are named."""

import doctest
import importlib

import jax
import numpy as np
import pytest

from consensus.aggregation import RULES, aggregate, make_votes
from tests.consensus.aggregation.voters import draw_votes

CANDIDATES = 3


SWEPT = {  # a setting of each rule that has one, as a sweep varies it
    "log-odds": {"clip": [1e-4, 0.2]},
    "bradley-terry": {"clip": [1e-3, 0.2]},
    "dawid-skene": {"smoothing": [0.1, 0.5]},
    "yuma": {"kappa": [0.5, 0.3]},
    "law": {"kappa": [1.5, 0.5], "rho": [0.3, 0.5], "beta": [0.5, 0.9]},
}


@pytest.mark.parametrize("name", RULES)
def test_jit_and_vmap_over_votes_and_settings_give_numpys_answers(name):
    pair = [draw_votes(tasks=6, nodes=5, candidates=CANDIDATES, seed=seed) for seed in (0, 1)]
    sweep = {setting: np.array(values) for setting, values in SWEPT.get(name, {}).items()}
    run = jax.jit(jax.vmap(lambda votes, settings: aggregate(name, votes, CANDIDATES, **settings)))
    with jax.enable_x64(True):
        both = run(jax.tree.map(lambda *leaves: np.stack(leaves), *pair), sweep)
        for i, votes in enumerate(pair):
            expected = aggregate(name, votes, CANDIDATES, **{setting: values[i] for setting, values in sweep.items()})
            np.testing.assert_allclose(np.asarray(both.score_TC[i]), expected.score_TC, rtol=1e-9, atol=1e-12)
            assert np.asarray(both.answer_T[i]).tolist() == expected.answer_T.tolist()


@pytest.mark.parametrize("name", sorted(set(RULES) - {"law"}))
def test_single_precision_is_enough(name):
    votes = draw_votes(tasks=6, nodes=5, candidates=CANDIDATES, seed=2)
    single = jax.tree.map(jax.numpy.asarray, votes._replace(answer_TN=votes.answer_TN.astype(np.int32)))
    single = single._replace(confidence_TN=single.confidence_TN.astype(np.float32))
    found, expected = aggregate(name, single, CANDIDATES), aggregate(name, votes, CANDIDATES)
    np.testing.assert_allclose(np.asarray(found.score_TC), expected.score_TC, rtol=2e-3, atol=2e-5)


def test_the_law_asks_for_64_bits():
    votes = jax.tree.map(jax.numpy.asarray, draw_votes(tasks=2, nodes=3, candidates=2, seed=0))
    with pytest.raises(TypeError, match="enable_x64"):
        aggregate("law", votes, 2)


@pytest.mark.parametrize("name", RULES)
def test_nothing_depends_on_the_order_of_nodes_or_tasks(name):
    votes = draw_votes(tasks=8, nodes=6, candidates=CANDIDATES, seed=3)
    node_N, task_T = np.random.default_rng(0).permutation(6), np.random.default_rng(1).permutation(8)
    other = votes._replace(
        answer_TN=votes.answer_TN[task_T][:, node_N],
        confidence_TN=votes.confidence_TN[task_T][:, node_N],
        weight_N=votes.weight_N[node_N],
    )
    straight, shuffled = aggregate(name, votes, CANDIDATES), aggregate(name, other, CANDIDATES)
    np.testing.assert_allclose(shuffled.score_TC, straight.score_TC[task_T], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_everybody_agrees(name):
    votes = make_votes([[1] * 5, [2] * 5, [0] * 5], CANDIDATES, [[0.8] * 5] * 3)
    assert aggregate(name, votes, CANDIDATES).answer_T.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("majorty", {}, "no aggregation rule 'majorty'; did you mean 'majority'"),
        ("???", {}, "there are majority, stake-weighted"),
        ("yuma", {"kapa": 0.4}, "no setting 'kapa'; did you mean 'kappa'"),
        ("majority", {"clip": 0.4}, "no setting 'clip'; it has none"),
    ],
)
def test_a_mistake_is_named_with_what_was_meant(name, settings, sentence):
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")):
        aggregate(name, make_votes([0, 1], 2), 2, **settings)


def test_settings_reach_the_rule():
    votes = make_votes([0, 1, 1], 2, weight_N=[2.0, 2.0, 1.0])
    assert aggregate("yuma", votes, 2).answer_T.tolist() == [1]
    assert aggregate("yuma", votes, 2, kappa=0.3).score_TC[0, 0] > aggregate("yuma", votes, 2).score_TC[0, 0]


@pytest.mark.parametrize("module", ["", ".votes", ".bradley_terry", ".comparison"])
def test_docstring_examples_run(module):
    failed, tried = doctest.testmod(importlib.import_module(f"consensus.aggregation{module}"))
    assert tried > 0
    assert failed == 0
