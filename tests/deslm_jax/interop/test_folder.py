"""A folder in the Hugging Face layout becomes a model folder and comes back; what is wrong with one is said."""

import json
import os
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from deslm_jax import Generator, Tokenizer, from_pretrained, interop
from deslm_jax.bundle import load_bundle, save_bundle
from deslm_jax.interop.longformer import FreshHead
from deslm_jax.tree import flatten
from tests.deslm_jax.interop.golden import read_golden


def assert_same(found, wanted):
    """Parameter trees of the same bits."""
    found, wanted = dict(flatten(found)), dict(flatten(wanted))
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def save(bundle, folder):
    """Save a bundle as it is."""
    return save_bundle(folder, **{name: value for name, value in bundle._asdict().items() if name != "kind"})


@pytest.mark.parametrize("name", ["led", "longformer_two_labels"])
def test_there_and_back(hf_folder, tmp_path, name):
    theirs, golden = hf_folder(name), read_golden(name)
    bundle = interop.read_folder(theirs)
    ours = load_bundle(save(bundle, tmp_path / "ours"))
    assert (ours.kind, ours.config, ours.tokenizer.sha256) == (bundle.kind, bundle.config, bundle.tokenizer.sha256)
    assert sorted(os.listdir(tmp_path / "ours")) == [
        "calibration.json",
        "config.json",
        "manifest.json",
        "params.npz",
        "tokenizer.json",
    ]
    again = interop.write_folder(tmp_path / "again", ours)
    state = interop.read_weights(again)
    assert state.keys() == golden.state.keys()
    assert all(np.array_equal(state[key], golden.state[key]) for key in state)
    reread = interop.read_folder(again)
    assert reread.config == bundle.config
    assert reread.tokenizer.encode("Lima, Lim") == bundle.tokenizer.encode("Lima, Lim")


def test_from_pretrained_loads_theirs_and_ours(hf_folder, tmp_path):
    theirs = hf_folder("led")
    assert interop.is_hf_folder(theirs)
    model, params, tokenizer, config = from_pretrained(theirs)
    assert isinstance(model, Generator)
    assert tokenizer.decode(tokenizer.encode("Lima?")) == "Lima?"
    ours = save(interop.read_folder(theirs), tmp_path / "ours")
    assert not interop.is_hf_folder(ours)
    assert_same(from_pretrained(ours)[1], params)
    assert from_pretrained(ours)[3] == config


def test_what_generation_config_says_of_forced_tokens_counts(hf_folder):
    folder = hf_folder("led")
    (folder / "generation_config.json").write_text(json.dumps({"forced_bos_token_id": 0, "num_beams": 4}))
    config = interop.read_folder(folder).config
    assert (config.forced_bos_id, config.forced_eos_id, config.start_id) == (0, None, 2)
    # transformers' generate reads this file and no longer config.json: where they differ it is right
    (folder / "config.json").write_text(json.dumps(read_golden("led").config | {"decoder_start_token_id": 2}))
    (folder / "generation_config.json").write_text(json.dumps({"decoder_start_token_id": 3}))
    assert interop.read_folder(folder).config.start_id == 3


def test_shards_and_sixteen_bits(hf_folder):
    folder = hf_folder("led")
    whole = interop.read_folder(folder)
    state = {name: value.astype(ml_dtypes.bfloat16) for name, value in interop.read_weights(folder).items()}
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    places = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for file in set(places.values()):
        interop.write_weights(folder / file, {name: state[name] for name in names if places[name] == file})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    found = interop.read_folder(folder)
    rounded = {name: value.astype(ml_dtypes.bfloat16).astype(np.float32) for name, value in flatten(whole.params)}
    assert all(np.array_equal(value, rounded[name]) for name, value in flatten(found.params))
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ValueError, match=r"incomplete: its index names model-00002-of-00002.safetensors"):
        interop.read_folder(folder)
    interop.write_weights(folder / "model-00002-of-00002.safetensors", {"another": np.ones(1, np.float32)})
    with pytest.raises(ValueError, match=r"00002.safetensors lacks the tensor"):
        interop.read_folder(folder)
    for index in ("junk", "{}", '{"weight_map": {"a": "../elsewhere.safetensors"}}', '{"weight_map": {"a": 3}}'):
        (folder / "model.safetensors.index.json").write_text(index)
        with pytest.raises(ValueError, match=r"index.json lists no shards of this folder"):
            interop.read_folder(folder)


def test_weights_that_are_not_there_or_cannot_be_read(hf_folder):
    folder = hf_folder("led")
    (folder / "model.safetensors").write_bytes(b"junk" * 9)
    with pytest.raises(ValueError, match=r"model.safetensors is no safetensors file that can be read"):
        interop.read_folder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"has no weights: model.safetensors or"):
        interop.read_folder(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(ValueError, match=r"a pickle only.*make safetensors where torch is installed.*save_pretrained"):
        interop.read_folder(folder)


def test_configs_and_vocabularies_that_do_not_fit(hf_folder):
    folder = hf_folder("led")
    golden = read_golden("led").config
    for values, sentence in [
        ({"model_type": "bart"}, "model_type 'bart'; only led and longformer are read"),
        (golden | {"encoder_layerdrop": 0.5}, "led: The config's encoder_layerdrop 0.5 is not supported"),
        (golden | {"pad_token_id": 3}, "the config's pad_token_id is 3, but the vocabulary's 1"),
        ([], "config.json is not a JSON object"),
    ]:
        (folder / "config.json").write_text(json.dumps(values))
        with pytest.raises(ValueError, match=sentence):
            interop.read_folder(folder)
    (folder / "config.json").write_text(json.dumps(golden))
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    vocabulary |= {f"word{i}": len(vocabulary) + i for i in range(9)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    with pytest.raises(ValueError, match=r"the vocabulary has 66 entries, but the model 61 rows"):
        interop.read_folder(folder)
    (folder / "vocab.json").unlink()
    with pytest.raises(ValueError, match="has no vocabulary"):
        interop.read_folder(folder)
    (folder / "config.json").unlink()
    assert not interop.is_hf_folder(folder)
    with pytest.raises(ValueError, match=r"is not a model folder: it has no config.json"):
        interop.read_folder(folder)


def test_nothing_is_written_unless_all_of_it_can_be(hf_folder, tmp_path, monkeypatch):
    bundle = interop.read_folder(hf_folder("led"))
    before = sorted(os.listdir(tmp_path))
    sentencepiece = Tokenizer.train(["a b c d"], 300)
    for change, sentence in [
        ({"tokenizer": sentencepiece}, "vocabulary is SentencePiece's"),
        ({"config": replace(bundle.config, norm="pre")}, "LED cannot express norm"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            interop.write_folder(tmp_path / "out", bundle._replace(**change))

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deslm_jax.folders.os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        interop.write_folder(tmp_path / "out", bundle)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_missing_package_is_one_sentence(hf_folder, monkeypatch):
    folder = hf_folder("led")

    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

    monkeypatch.setattr("deslm_jax.optional.import_module", absent)
    with pytest.raises(ValueError, match=r"needs the package safetensors, .* pip install 'deslm-jax\[interop\]'"):
        interop.read_folder(folder)


def test_a_base_model_gets_a_fresh_head(hf_folder):
    folder = hf_folder("longformer_two_labels")
    state = {name: value for name, value in interop.read_weights(folder).items() if "classifier" not in name}
    interop.write_weights(folder / "model.safetensors", state)
    with pytest.warns(FreshHead):
        bundle = interop.read_folder(folder)
    assert (bundle.kind, bundle.config.n_labels) == ("discriminator", 1)
