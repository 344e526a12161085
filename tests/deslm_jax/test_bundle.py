"""A model folder comes back whole, or says in one sentence which file is wrong."""

import json
import os

import jax
import numpy as np
import pytest

from deslm_jax import DiscriminatorConfig, Generator, GeneratorConfig, Tokenizer, folders, from_pretrained
from deslm_jax import bundle as bundles
from deslm_jax.bundle import load_bundle, save_bundle
from deslm_jax.calibration import Calibration
from deslm_jax.initial import init_params

CALIBRATION = Calibration(1.5, -0.2, 0.9)


@pytest.fixture(scope="module")
def content(tiny, tokenizer):
    """What `save_bundle` takes, for a small generator."""
    config = GeneratorConfig(**tiny | {"vocab_size": tokenizer.vocab_size})
    params = init_params(Generator(config), 0)
    return {"config": config, "params": params, "tokenizer": tokenizer, "calibration": CALIBRATION}


@pytest.fixture
def folder(content, tmp_path):
    """A saved model folder."""
    return save_bundle(tmp_path / "model", **content, provenance={"seed": 7})


def test_a_bundle_comes_back(content, folder):
    loaded = load_bundle(folder)
    assert (loaded.kind, loaded.config, loaded.calibration) == ("generator", content["config"], CALIBRATION)
    assert loaded.tokenizer.sha256 == content["tokenizer"].sha256 and loaded.provenance == {"seed": 7}
    jax.tree.map(np.testing.assert_array_equal, loaded.params, content["params"])
    model, params, tokenizer, config = from_pretrained(folder)
    assert isinstance(model, Generator) and model.cfg == config and tokenizer.vocab_size == config.vocab_size
    assert jax.tree.structure(params) == jax.tree.structure(content["params"])


def test_the_same_model_gives_the_same_bytes(content, folder, tmp_path):
    other = save_bundle(tmp_path / "again", **content, provenance={"seed": 7})
    for file in folder.iterdir():
        assert file.read_bytes() == (other / file.name).read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["again", "model"]


@pytest.mark.parametrize("name", ["config.json", "params.npz", "tokenizer.model", "calibration.json"])
def test_a_changed_or_missing_file_is_named(folder, name):
    original = (folder / name).read_bytes()
    flipped = bytearray(original)
    flipped[len(flipped) // 2] ^= 1
    for damaged in (bytes(flipped), original[:-1], b""):
        (folder / name).write_bytes(damaged)
        with pytest.raises(ValueError, match=name):
            load_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{name} is missing"):
        load_bundle(folder)


def test_another_tokenizer_is_refused(folder):
    Tokenizer.train(["another corpus", "of text"], 300).save(folder / "tokenizer.model")
    with pytest.raises(ValueError, match="not the tokenizer this model was trained with"):
        load_bundle(folder)


def _rewrite(folder, name, change):
    """Changes a JSON file and the manifest's sha256 with it, as someone who means to would."""
    values = json.loads((folder / name).read_bytes())
    change(values)
    (folder / name).write_text(json.dumps(values))
    if name != "manifest.json":
        digest = bundles.hashlib.sha256((folder / name).read_bytes()).hexdigest()
        _rewrite(folder, "manifest.json", lambda manifest: manifest["sha256"].update({name: digest}))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("manifest.json", lambda m: m.update(format_version=99), "format version 99"),
        ("manifest.json", lambda m: m.update(sha256=[]), "lists no sha256"),
        ("manifest.json", lambda m: m.update(kind="discriminator"), "but the manifest says 'discriminator'"),
        ("config.json", lambda c: c.update(kind="judge"), "is of kind 'judge'"),
        ("config.json", lambda c: c.update(colour="red"), "no field 'colour'"),
        ("config.json", lambda c: c.update(d_ff=25), "kernel has shape"),
        ("config.json", lambda c: c.update(decoder_layers=2), "decoder_1/.* is missing"),
        ("config.json", lambda c: c.update(vocab_size=999), "320 pieces, but the model 999"),
        ("calibration.json", lambda c: c.update(cap=2), "cap in"),
    ],
)
def test_a_consistent_lie_is_found_too(folder, name, change, words):
    _rewrite(folder, name, change)
    with pytest.raises(ValueError, match=words):
        load_bundle(folder)


def test_no_model_folder_and_no_json_are_one_sentence(folder, tmp_path):
    with pytest.raises(ValueError, match="is not a model folder"):
        load_bundle(tmp_path / "nothing")
    (folder / "manifest.json").write_bytes(b"\xff{")
    with pytest.raises(ValueError, match=r"manifest.json is not a JSON object"):
        load_bundle(folder)


def test_pickles_are_never_read(folder, content):
    weights = {"encoder/x": np.array([object()], dtype=object)}
    np.savez(folder / "params.npz", **weights)
    digest = bundles.hashlib.sha256((folder / "params.npz").read_bytes()).hexdigest()
    _rewrite(folder, "manifest.json", lambda manifest: manifest["sha256"].update({"params.npz": digest}))
    with pytest.raises(ValueError, match=r"params.npz holds no weights that can be read"):
        load_bundle(folder)


def test_what_does_not_fit_is_not_saved(content, tmp_path):
    wrong = [
        ({"config": 3}, "configures neither"),
        ({"config": DiscriminatorConfig(vocab_size=320)}, "of this discriminator"),
        ({"tokenizer": Tokenizer.train(["a b"], 300)}, "but the tokenizer"),
    ]
    for change, words in wrong:
        with pytest.raises(ValueError, match=words):
            save_bundle(tmp_path / "model", **content | change)
    assert os.listdir(tmp_path) == []


def test_a_failing_disk_leaves_the_old_model(content, folder, monkeypatch):
    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_bundle(folder, **content, provenance={"seed": 8})
    assert load_bundle(folder).provenance == {"seed": 7}
    assert os.listdir(folder.parent) == ["model"]


def test_a_failing_rename_puts_the_old_model_back(content, folder, monkeypatch):
    rename = bundles.Path.rename

    def refuse_the_new(self, target):
        if "new" in self.name:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(bundles.Path, "rename", refuse_the_new)
    with pytest.raises(OSError, match="Input/output"):
        save_bundle(folder, **content, provenance={"seed": 8})
    assert load_bundle(folder).provenance == {"seed": 7}
    assert os.listdir(folder.parent) == ["model"]


def test_saving_again_replaces_and_clears_what_a_killed_save_left(content, folder):
    (folder.parent / ".model.new-draft").mkdir()
    save_bundle(folder, **content, provenance={"seed": 9})
    assert load_bundle(folder).provenance == {"seed": 9}
    assert os.listdir(folder.parent) == ["model"]
