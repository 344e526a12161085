"""EM against loops in plain Python, against the truth it must find, and against the data it was published with."""

from itertools import pairwise
from math import log, prod

import numpy as np
import pytest

from consensus.aggregation.dawid_skene import dawid_skene, fit_dawid_skene
from consensus.aggregation.majority import majority
from consensus.aggregation.votes import make_votes, mark_choices
from consensus.validation.fits import count_observations


def em_by_loops(counts, rounds):
    """The paper's equations 2.3 to 2.5 on lists of floats; the posterior after `rounds` rounds."""
    tasks, nodes, classes = len(counts), len(counts[0]), len(counts[0][0])
    said = [[sum(counts[t][n][c] for n in range(nodes)) for c in range(classes)] for t in range(tasks)]
    posterior = [[x / sum(row) for x in row] for row in said]
    for _ in range(rounds):
        prior = [sum(row[c] for row in posterior) / tasks for c in range(classes)]
        confusion = []
        for n in range(nodes):
            rows = [
                [sum(posterior[t][c] * counts[t][n][k] for t in range(tasks)) for k in range(classes)]
                for c in range(classes)
            ]
            confusion.append([[x / sum(row) if sum(row) else 1.0 for x in row] for row in rows])
        joint = [
            [
                prior[c] * prod(confusion[n][c][k] ** counts[t][n][k] for n in range(nodes) for k in range(classes))
                for c in range(classes)
            ]
            for t in range(tasks)
        ]
        posterior = [[x / sum(row) for x in row] for row in joint]
    return posterior, sum(log(sum(row)) for row in joint)


@pytest.mark.parametrize("rounds", [1, 3, 8])
def test_em_does_what_the_papers_equations_say(rounds):
    counts = count_observations()
    posterior, log_likelihood = em_by_loops(counts.astype(int).tolist(), rounds + 1)
    fit = fit_dawid_skene(counts, iterations=rounds)
    np.testing.assert_allclose(fit.posterior_TC, posterior, atol=1e-9)
    assert float(fit.log_likelihood) == pytest.approx(log_likelihood, rel=1e-9)


def test_em_never_lowers_the_likelihood():
    scores = [float(fit_dawid_skene(count_observations(), rounds).log_likelihood) for rounds in range(15)]
    assert all(after >= before - 1e-9 for before, after in pairwise(scores))
    assert scores[-1] > scores[0] + 1


PRIOR = np.array([0.5, 0.3, 0.2])
CONFUSIONS = np.array(
    [
        [[0.90, 0.05, 0.05], [0.10, 0.80, 0.10], [0.05, 0.15, 0.80]],
        [[0.70, 0.20, 0.10], [0.20, 0.60, 0.20], [0.10, 0.30, 0.60]],
        [[0.80, 0.10, 0.10], [0.05, 0.90, 0.05], [0.30, 0.10, 0.60]],
        [[0.20, 0.70, 0.10], [0.10, 0.20, 0.70], [0.70, 0.10, 0.20]],  # consistently wrong: as good as a witness
        [[0.40, 0.30, 0.30], [0.40, 0.30, 0.30], [0.40, 0.30, 0.30]],  # knows nothing
    ]
)


def plant(tasks, seed=0):
    """Votes of nodes with these confusion matrices, and the truth."""
    rng = np.random.default_rng(seed)
    truth_T = rng.choice(3, size=tasks, p=PRIOR)
    below_TNL = rng.random((tasks, 5, 1)) < np.cumsum(CONFUSIONS, axis=2)[:, truth_T].swapaxes(0, 1)
    return make_votes(below_TNL.argmax(axis=2), 3), truth_T


def test_planted_confusion_matrices_are_recovered():
    votes, truth_T = plant(tasks=3_000)
    fit = fit_dawid_skene(mark_choices(votes, 3), iterations=60)
    np.testing.assert_allclose(fit.prior_C, PRIOR, atol=0.03)
    np.testing.assert_allclose(fit.confusion_NCL, CONFUSIONS, atol=0.05)
    accuracy = float((fit.posterior_TC.argmax(axis=1) == truth_T).mean())
    assert accuracy > float((majority(votes, 3).answer_T == truth_T).mean()) + 0.05


def test_smoothing_is_added_to_every_count():
    counts = mark_choices(make_votes([[0, 0], [0, 0], [1, 1]], 2), 2)
    sharp, smooth = fit_dawid_skene(counts), fit_dawid_skene(counts, smoothing=0.5)
    np.testing.assert_allclose(sharp.confusion_NCL, [np.eye(2)] * 2, atol=1e-9)
    expected_NCL = np.einsum("tc,tnl->ncl", smooth.posterior_TC, counts) + 0.5
    expected_NCL /= expected_NCL.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(smooth.confusion_NCL, expected_NCL, atol=1e-6)


def test_the_posterior_is_calibrated():
    votes, truth_T = plant(tasks=3_000)
    decision = dawid_skene(votes, 3)
    sure_T = decision.score_TC.max(axis=1)
    right_T = decision.answer_T == truth_T
    for low, high in ((0.4, 0.7), (0.7, 0.9), (0.9, 1.01)):
        chosen = (sure_T >= low) & (sure_T < high)
        assert right_T[chosen].mean() == pytest.approx(sure_T[chosen].mean(), abs=0.06)


def test_agreement_is_what_it_believes():
    """Three nodes that lie together outweigh two that are right: no rule without truth can know better."""
    truth_T = np.random.default_rng(0).integers(0, 3, size=200)
    votes = make_votes(np.stack([truth_T, truth_T, *[(truth_T + 1) % 3] * 3], axis=1), 3)
    assert float((dawid_skene(votes, 3).answer_T == truth_T).mean()) == 0.0


def test_a_task_without_votes_is_left_open():
    votes = make_votes([[0, 0, 1], [-1, -1, -1], [1, 1, 1]], 2)
    assert dawid_skene(votes, 2).answer_T.tolist() == [0, -1, 1]
