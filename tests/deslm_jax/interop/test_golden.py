"""Our models give the stored numbers of transformers, and every known mistake is found out. Needs no torch."""

from dataclasses import replace

import numpy as np
import pytest

from deslm_jax.decode import generate
from tests.deslm_jax.interop.cases import CASES, TARGET_LEN, make_inputs
from tests.deslm_jax.interop.comparison import (
    GRADIENTS,
    LOGITS,
    answers_of,
    gradient_differences,
    load,
    logit_difference,
    logits_of,
)
from tests.deslm_jax.interop.faults import IN_CONFIG, Trial, cheap_faults
from tests.deslm_jax.interop.golden import FOLDER, read_golden

INPUTS = make_inputs()
WITH_GRADIENTS = ("led", "longformer_two_labels")  # each a compilation of many seconds; the others' in `test_live`


@pytest.fixture(scope="module")
def reference():
    """(golden, our model, what gives our logits) of a case, made once."""
    made = {}

    def get(name):
        if name not in made:
            golden = read_golden(name)
            run = (lambda *args: answers_of(*args).logits) if name in WITH_GRADIENTS else logits_of
            made[name] = golden, load(CASES[name].kind, golden.config, golden.state), run
        return made[name]

    return get


@pytest.mark.parametrize("name", CASES)
def test_logits_are_theirs(reference, name):
    golden, model, run = reference(name)
    assert logit_difference(run(*model, INPUTS), golden.logits) < LOGITS


def test_the_sparse_implementation_gives_their_logits_too(reference):
    """Inputs this short are computed dense unless `dense_up_to` says otherwise; public models are not."""
    golden, model, _ = reference("led_untied")
    sparse = replace(model.config, dense_up_to=0)
    assert logit_difference(logits_of(sparse, model.params, INPUTS), golden.logits) < LOGITS


@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_loss_and_gradients_are_theirs(reference, name):
    golden, model, _ = reference(name)
    answers = answers_of(*model, INPUTS)
    np.testing.assert_allclose(answers.loss, golden.loss, rtol=1e-5)
    found = gradient_differences(model.config, answers.gradients, golden.gradients)
    assert max(found.values()) < GRADIENTS, found
    assert len(found) == len(golden.state) - (name == "led")  # all but final_logits_bias, a buffer there


def test_greedy_tokens_are_theirs(reference):
    golden, model, _ = reference("led")
    ids_BS, mask_BS, global_BS = INPUTS.ids_BS.astype(np.int32), INPUTS.mask_BS > 0, INPUTS.global_BS > 0
    for marked, wanted in ((global_BS, golden.greedy_global_BU), (global_BS & False, golden.greedy_BU)):
        written = generate(*model, ids_BS, mask_BS, global_mask=marked, max_len=TARGET_LEN)
        np.testing.assert_array_equal(written.ids_BU, wanted)
    assert (golden.greedy_BU != golden.greedy_global_BU).any()


@pytest.mark.parametrize("name", CASES)
def test_faults_of_weights_and_inputs_are_found_out(reference, name):
    golden, model, run = reference(name)
    for fault, plant in cheap_faults(model.config).items():
        wrong, inputs = plant(Trial(model, INPUTS))
        assert logit_difference(run(*wrong, inputs), golden.logits) > 2 * LOGITS, fault


@pytest.mark.parametrize("fault", IN_CONFIG)
def test_faults_of_the_config_are_found_out(reference, fault):
    golden, model, _ = reference("longformer_one_label")  # the quickest to compile; LED's are in `test_live`
    wrong, inputs = IN_CONFIG[fault](Trial(model, INPUTS))
    assert logit_difference(logits_of(*wrong, inputs), golden.logits) > 2 * LOGITS


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000
