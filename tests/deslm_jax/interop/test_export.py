"""transformers loads the folders we write, tokenizer and generation settings included, and gives the same answers."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from deslm_jax import interop
from tests.deslm_jax.interop.cases import make_inputs
from tests.deslm_jax.interop.golden import read_golden

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
torch_reference = pytest.importorskip("tests.deslm_jax.interop.torch_reference")

AUTO = {
    "led": transformers.AutoModelForSeq2SeqLM,
    "led_untied": transformers.AutoModelForSeq2SeqLM,
    "longformer_one_label": transformers.AutoModelForSequenceClassification,
    "longformer_two_labels": transformers.AutoModelForSequenceClassification,
}


@pytest.fixture(autouse=True)
def _their_warnings():
    transformers.logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="torch|transformers")
        yield


@pytest.mark.parametrize("name", AUTO)
def test_transformers_loads_what_we_export(hf_folder, tmp_path, name):
    exported = interop.write_folder(tmp_path / "exported", interop.read_folder(hf_folder(name)))
    model, report = AUTO[name].from_pretrained(exported, output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    logits = torch_reference.forward(model.eval(), make_inputs()).detach().numpy()
    np.testing.assert_allclose(logits, read_golden(name).logits, rtol=1e-4, atol=1e-5)
    tokenizer = transformers.AutoTokenizer.from_pretrained(exported)
    ours = interop.read_folder(exported).tokenizer
    assert tokenizer("Lima, Lim?").input_ids == ours.encode_whole("Lima, Lim?")
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (ours.pad, ours.eos)


@pytest.mark.parametrize("name", ["led", "longformer_one_label"])
def test_we_load_what_transformers_saves(hf_folder, tmp_path, name):
    """Config and weights as save_pretrained writes them, aliases dropped; the vocabulary is put beside them."""
    theirs = hf_folder(name)
    model = torch_reference.build(name)
    model.save_pretrained(theirs)
    golden = read_golden(name)
    state = interop.read_weights(theirs)
    assert state.keys() == golden.state.keys()
    again = interop.read_folder(interop.write_folder(tmp_path / "again", interop.read_folder(theirs)))
    assert again.config == interop.read_folder(theirs).config
    saved = json.loads((theirs / "config.json").read_text())
    assert saved["model_type"] == golden.config["model_type"]


def test_forced_tokens_survive_the_export(hf_folder, tmp_path):
    bundle = interop.read_folder(hf_folder("led"))
    forced = bundle._replace(config=replace(bundle.config, forced_bos_id=0, forced_eos_id=2))
    exported = interop.write_folder(tmp_path / "exported", forced)
    assert interop.read_folder(exported).config == forced.config
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(exported).eval()
    written = torch_reference.greedy(model, make_inputs())
    assert (written[:, 0] == 0).all()
    assert (written == 2).any(axis=1).all()
