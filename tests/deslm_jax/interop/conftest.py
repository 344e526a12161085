"""A model folder in the Hugging Face layout, made without transformers."""

import json

import pytest

from deslm_jax.interop import write_weights
from tests.deslm_jax.interop.cases import BOS, EOS, PAD, VOCABULARY
from tests.deslm_jax.interop.golden import read_golden


def write_vocabulary(folder):
    """vocab.json and merges.txt of 61 entries: four marks, bytes for a small alphabet, two merges, <mask>."""
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST?.,Ġ")
    words = ["<s>", "<pad>", "</s>", "<unk>", *letters, "Li", "Lim", "<mask>"]
    assert [words.index(mark) for mark in ("<s>", "<pad>", "</s>")] == [BOS, PAD, EOS]
    entries = {word: i for i, word in enumerate(words)}
    assert len(entries) <= VOCABULARY
    (folder / "vocab.json").write_text(json.dumps(entries), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nL i\nLi m\n", encoding="utf-8")


@pytest.fixture
def hf_folder(tmp_path):
    """The function that writes the case called `name` as a folder and returns its path."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("safetensors")

    def write(name):
        golden = read_golden(name)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(golden.config))
        write_weights(folder / "model.safetensors", golden.state)
        write_vocabulary(folder)
        return folder

    return write
