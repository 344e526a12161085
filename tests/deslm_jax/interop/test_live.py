"""Side by side with transformers on another batch of another length, where torch is installed."""

import warnings

import numpy as np
import pytest

from deslm_jax.interop import from_hf_led, from_hf_longformer
from deslm_jax.interop.longformer import FreshHead
from tests.deslm_jax.interop.cases import CASES, Inputs, make_inputs
from tests.deslm_jax.interop.comparison import (
    GRADIENTS,
    LOGITS,
    answers_of,
    gradient_differences,
    load,
    logit_difference,
    logits_of,
)
from tests.deslm_jax.interop.faults import IN_CONFIG, IN_LED_CONFIG, IN_LONGFORMER_CONFIG, Trial, cheap_faults
from tests.deslm_jax.interop.golden import read_golden

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
torch_reference = pytest.importorskip("tests.deslm_jax.interop.torch_reference")

INPUTS = make_inputs(29, seed=11)
WITH_GRADIENTS = ("led_untied", "longformer_one_label")  # the others' are in `test_golden`
CONFIG_FAULTS = [("led", fault) for fault in IN_CONFIG | IN_LED_CONFIG]
CONFIG_FAULTS += [("longformer_two_labels", fault) for fault in IN_CONFIG | IN_LONGFORMER_CONFIG]


@pytest.fixture(autouse=True, scope="module")
def _their_warnings():
    """torch and transformers warn of their own affairs."""
    transformers.logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="torch|transformers")
        yield


@pytest.fixture(scope="module")
def reference():
    """(torch model, its answers to INPUTS, our model, what gives our logits) of a case, made once."""
    made = {}

    def get(name):
        if name not in made:
            theirs = torch_reference.build(name)
            ours = load(CASES[name].kind, theirs.config.to_dict(), torch_reference.state_of(theirs))
            run = (lambda *args: answers_of(*args).logits) if name in WITH_GRADIENTS else logits_of
            made[name] = theirs, torch_reference.answers(theirs, INPUTS), ours, run
        return made[name]

    return get


@pytest.mark.parametrize("name", CASES)
def test_logits_are_theirs(reference, name):
    _, theirs, model, run = reference(name)
    assert logit_difference(run(*model, INPUTS), theirs.logits) < LOGITS


@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_loss_and_gradients_are_theirs(reference, name):
    _, theirs, model, _ = reference(name)
    answers = answers_of(*model, INPUTS)
    np.testing.assert_allclose(answers.loss, theirs.loss, rtol=1e-5)
    found = gradient_differences(model.config, answers.gradients, theirs.gradients)
    assert max(found.values()) < GRADIENTS, found


@pytest.mark.parametrize("name", CASES)
def test_the_golden_files_hold_what_transformers_answers(reference, name):
    golden = read_golden(name)
    theirs = torch_reference.answers(reference(name)[0], make_inputs())
    np.testing.assert_allclose(golden.logits, theirs.logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(golden.loss, theirs.loss, rtol=1e-5)
    if golden.greedy_BU is not None:
        np.testing.assert_array_equal(golden.greedy_BU, theirs.greedy_BU)
        np.testing.assert_array_equal(golden.greedy_global_BU, theirs.greedy_global_BU)


@pytest.mark.parametrize("name", CASES)
def test_faults_of_weights_and_inputs_are_found_out(reference, name):
    _, theirs, model, run = reference(name)
    for fault, plant in cheap_faults(model.config).items():
        wrong, inputs = plant(Trial(model, INPUTS))
        assert logit_difference(run(*wrong, inputs), theirs.logits) > LOGITS, fault


@pytest.mark.parametrize(("name", "fault"), CONFIG_FAULTS)
def test_faults_of_the_config_are_found_out(reference, name, fault):
    _, theirs, model, _ = reference(name)
    plant = (IN_CONFIG | IN_LED_CONFIG | IN_LONGFORMER_CONFIG)[fault]
    wrong, inputs = plant(Trial(model, INPUTS))
    assert logit_difference(logits_of(*wrong, inputs), theirs.logits) > LOGITS


@pytest.mark.parametrize("length", [1, 48])
def test_the_shortest_and_the_longest_input(reference, length):
    theirs, _, model, _ = reference("longformer_two_labels")
    ids = np.random.RandomState(length).randint(4, 61, (2, length))
    ones, nothing = np.ones_like(ids), np.zeros_like(ids)
    given = Inputs(ids, ones, nothing, nothing, nothing, np.zeros(2, np.int64))
    wanted = torch_reference.forward(theirs, given).detach().numpy()
    assert logit_difference(logits_of(*model, given), wanted) < LOGITS


def test_checkpoints_without_a_head_of_ours_load(reference):
    led, _, model, _ = reference("led")
    bare = torch_reference.state_of(led.led)
    config, params = from_hf_led(led.config.to_dict(), bare)
    assert not config.logits_bias
    np.testing.assert_array_equal(params["embedding"]["token_table"], model.params["embedding"]["token_table"])
    longformer, _, model, _ = reference("longformer_two_labels")
    masked = transformers.LongformerForMaskedLM(longformer.config)
    pooled = transformers.LongformerModel(longformer.config)
    for other, names in ((masked, "longformer.encoder"), (pooled, "encoder")):
        state = torch_reference.state_of(other)
        assert any(name.startswith(names) for name in state)
        with pytest.warns(FreshHead, match="no classification head"):
            config, params = from_hf_longformer(other.config.to_dict(), state)
        assert config.n_labels == 1
        np.testing.assert_array_equal(
            params["embedding"]["token_table"], other.get_input_embeddings().weight.detach().numpy()
        )
        assert params["head_0"]["kernel"].std() > 0.1
