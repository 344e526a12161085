"""`deslm convert`: both directions, what it prints, what it refuses."""

import os
import shutil

import numpy as np
import pytest

from deslm.cli import main
from tests.deslm_jax.interop.conftest import hf_folder  # noqa: F401 - a fixture


def test_there_and_back(hf_folder, tmp_path, capsys):  # noqa: F811
    from deslm_jax import from_pretrained, interop

    theirs = hf_folder("led")
    assert main(["convert", str(theirs), str(tmp_path / "ours")]) == 0
    assert "a generator of 22,645 parameters in our own layout" in capsys.readouterr().out
    assert main(["convert", "--to-hf", str(tmp_path / "ours"), str(tmp_path / "back")]) == 0
    assert "in the Hugging Face layout" in capsys.readouterr().out
    before, after = interop.read_weights(theirs), interop.read_weights(tmp_path / "back")
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert from_pretrained(tmp_path / "back")[3] == from_pretrained(tmp_path / "ours")[3]


def test_a_fresh_head_is_said(hf_folder, tmp_path, capsys):  # noqa: F811
    from deslm_jax import interop

    theirs = hf_folder("longformer_two_labels")
    state = {name: value for name, value in interop.read_weights(theirs).items() if "classifier" not in name}
    interop.write_weights(theirs / "model.safetensors", state)
    assert main(["convert", str(theirs), str(tmp_path / "ours")]) == 0
    assert "note: The checkpoint has no classification head" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("link", "is there already"),
        ("nowhere/..", "is there already"),
        ("file/out", "which is no folder; name another"),
    ],
)
def test_places_where_no_folder_can_be(hf_folder, tmp_path, capsys, target, sentence):  # noqa: F811
    theirs = hf_folder("led")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    before = sorted(os.listdir(tmp_path))
    assert main(["convert", str(theirs), f"{tmp_path}/{target}"]) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    ("spoil", "arguments", "sentence"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), [], "has no weights"),
        (lambda folder: (folder / "vocab.json").unlink(), [], "has no vocabulary"),
        (shutil.rmtree, [], "is no folder; name one that holds a model"),
        (lambda folder: (folder.parent / "out").mkdir(), [], "is there already; name a folder that is not"),
        (lambda folder: None, ["--to-hf"], "is not a model folder: it has no manifest.json"),
    ],
)
def test_refusals_are_one_sentence_and_leave_nothing(hf_folder, tmp_path, capsys, spoil, arguments, sentence):  # noqa: F811
    theirs = hf_folder("led")
    spoil(theirs)
    before = sorted(os.listdir(tmp_path))
    assert main(["convert", *arguments, str(theirs), str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == before
