"""The synthetic pools are what their names say, and the comparison counts what it says it counts."""

import numpy as np
import pytest

from consensus.aggregation import POOLS, aggregate, compare, make_pool, make_votes
from consensus.aggregation.comparison import AUDITED, MEASURED, measure_skills, score, score_best_node
from consensus.aggregation.pools import BOAST


def right_shares(pool):
    return (pool.votes.answer_TN == pool.truth_T[:, None]).mean(axis=0)


def correlations(pool):
    """Correlation of being wrong between every two nodes."""
    return np.corrcoef((pool.votes.answer_TN != pool.truth_T[:, None]).T)


def find_ring(pool):
    """The nodes that say .99."""
    return np.flatnonzero((pool.votes.confidence_TN == BOAST).all(axis=0))


def test_independent_nodes_are_as_good_as_they_say_and_err_apart():
    pool = make_pool("independent", tasks=4_000, nodes=6)
    np.testing.assert_allclose(right_shares(pool), pool.votes.confidence_TN[0], atol=0.03)
    assert np.abs(correlations(pool) - np.eye(6)).max() < 0.06


def test_boasters_are_the_worst_and_keep_their_skill():
    pool = make_pool("boasters", tasks=4_000, nodes=6)
    assert set(find_ring(pool)) == set(np.argsort(pool.skill_N)[:2])
    np.testing.assert_allclose(right_shares(pool), pool.skill_N, atol=0.03)


def test_clones_err_together_and_families_apart():
    copies = 0.7
    pool = make_pool("clones", tasks=4_000, nodes=6, strength=copies)
    together = correlations(pool)
    for first, second in ((0, 1), (2, 3), (4, 5)):
        assert together[first, second] == pytest.approx(copies**2, abs=0.12)
    assert abs(together[0, 2]) < 0.06
    family_skill_N = pool.skill_N.reshape(3, 2).mean(axis=1).repeat(2)
    expected_N = copies * family_skill_N + (1 - copies) * pool.skill_N
    np.testing.assert_allclose(right_shares(pool), expected_N, atol=0.03)


@pytest.mark.parametrize(("name", "size"), [("colluders", 3), ("whales", 2)])
def test_colluders_tell_one_lie(name, size):
    pool = make_pool(name, tasks=300, nodes=9)
    ring = find_ring(pool)
    assert len(ring) == size
    lies_TN = pool.votes.answer_TN[:, ring]
    assert (lies_TN == lies_TN[:, :1]).all()
    assert (lies_TN[:, 0] != pool.truth_T).all()
    share = pool.votes.weight_N[ring].sum() / pool.votes.weight_N.sum()
    assert (share == pytest.approx(0.6)) == (name == "whales")


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_is_a_function_of_its_seed(name):
    one, same, other = (make_pool(name, tasks=20, nodes=6, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.votes.answer_TN, same.votes.answer_TN)
    assert (one.votes.answer_TN != other.votes.answer_TN).any()
    with pytest.raises(ValueError, match="there is no kind of pool"):
        make_pool(name + "!")
    with pytest.raises(ValueError, match="is outside 0 to 1; it is "):
        make_pool(name, strength=1.5)


@pytest.mark.parametrize(
    ("name", "strength", "size"), [("colluders", 0.0, 0), ("colluders", 1.0, 9), ("boasters", 0.5, 4)]
)
def test_strength_is_a_dial(name, strength, size):
    assert len(find_ring(make_pool(name, tasks=5, nodes=9, strength=strength))) == size


def test_accuracy_and_abstentions_are_counted():
    pool = make_pool("independent", tasks=4, nodes=3)
    truth_T = np.array([3, 1, 0, 2])
    answer_TN = np.stack([truth_T, truth_T, (truth_T + 1) % 4], axis=1)
    answer_TN[0], answer_TN[1] = -1, (truth_T[1] + 1) % 4
    pool = pool._replace(votes=pool.votes._replace(answer_TN=answer_TN), truth_T=truth_T)
    assert score(pool, "majority") == (0.5, 0.25)
    assert score_best_node(pool) == 0.5
    assert score(pool, "majority", jit=True) == (0.5, 0.25)


def test_audited_tasks_are_not_counted_again():
    one = compare(["majority"], ["colluders"], seeds=[3], tasks=20, audits=40)[0]
    pool = make_pool("colluders", tasks=60, seed=3)
    right_T = aggregate("majority", pool.votes, pool.candidates).answer_T == pool.truth_T
    assert one.accuracy == pytest.approx(right_T[40:].mean())
    assert one.accuracy != pytest.approx(right_T.mean())


def test_the_error_is_that_of_a_mean_over_seeds():
    run = lambda seeds: compare(["majority"], ["colluders"], seeds=seeds, tasks=30, audits=0)[0]
    each = [run([seed]).accuracy for seed in range(4)]
    together = run(range(4))
    assert together.accuracy == pytest.approx(np.mean(each))
    assert together.error == pytest.approx(np.std(each, ddof=1) / 2)
    assert run([0]).error == 0


def test_skills_are_measured_by_the_rule_of_succession():
    votes = make_votes([[0, 1, -1], [2, 2, -1], [1, 0, 1]], 3)
    np.testing.assert_allclose(measure_skills(votes, np.array([0, 2, 1]), 3), [4 / 6, 2 / 6, 2 / 4])


def test_audits_are_what_saves_the_law_from_colluders():
    rules = ("majority", "log-odds", "law", AUDITED, MEASURED)
    scores = compare(rules, ["colluders"], seeds=range(2), tasks=60, audits=150, nodes=9)
    found = {one.rule: one.accuracy for one in scores}
    assert list(found) == [*rules, "best node"]
    assert found[AUDITED] > 0.8 > found["majority"]
    assert found[MEASURED] > 0.8
    assert found["log-odds"] < 0.1
    assert found["law"] < 0.1
    assert all(one.pool == "colluders" and one.error >= 0 for one in scores)
