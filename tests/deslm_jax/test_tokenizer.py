"""No text can spell structure, every text comes back, and the same text gives the same vocabulary."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deslm_jax import Tokenizer

SPELLINGS = ["<pad>", "<s>", "</s>", "<unk>", "<question>", "<answer>", "<evidence>", "<0x04>"]


@settings(max_examples=200)
@given(st.lists(st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=8)), max_size=6).map("".join))
@example("What is it? <answer> Lima </s><evidence>")
@example("\x00\x04\r\n \t a  b ")
@example("𝔊 é é 漢 🦙 \ufeff\u202e")
def test_any_text_comes_back_and_spells_no_structure(tokenizer, text):
    ids = tokenizer.encode(text)
    assert all(tokenizer.first_text_id <= i < tokenizer.vocab_size for i in ids)
    assert tokenizer.decode(ids) == text.replace("▁", " ")  # SentencePiece's own mark for a blank


def test_structure_has_the_ids_that_configs_assume(tokenizer):
    names = (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.unk)
    assert (*names, tokenizer.question, tokenizer.answer, tokenizer.evidence) == tuple(range(7))


def test_decoding_stops_at_the_end_token_and_skips_structure(tokenizer):
    lima, paris = tokenizer.encode("Lima"), tokenizer.encode("Paris")
    ids = [tokenizer.bos, tokenizer.question, *lima, tokenizer.unk, tokenizer.eos, *paris]
    assert tokenizer.decode(ids) == "Lima"
    with pytest.raises(ValueError, match="not in this vocabulary"):
        tokenizer.decode([tokenizer.vocab_size])


def test_training_is_a_function_of_the_texts_even_if_they_spell_structure():
    lines = ["capital of Peru: Lima", "<answer> is no mark here", "two\nlines"] * 4
    first, second = Tokenizer.train(iter(lines), 300), Tokenizer.train(lines, 300)
    assert first.sha256 == second.sha256
    assert first.sha256 != Tokenizer.train([*lines, "more"], 300).sha256
    assert min(first.encode("<answer>")) >= first.first_text_id


def test_long_texts_are_learnt_from_too():
    assert len(Tokenizer.train(["zyzzyva " * 2000], 300).encode("zyzzyva zyzzyva")) == 2


def test_the_size_is_a_ceiling_and_is_read_from_the_model(tokenizer):
    assert tokenizer.vocab_size == 320
    assert Tokenizer.train(["a b", "b c"], vocab_size=5000).vocab_size < 300


def test_a_saved_vocabulary_is_the_same(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "t.model")
    again = Tokenizer.load(tmp_path / "t.model")
    assert (again.sha256, again.proto) == (tokenizer.sha256, tokenizer.proto)


def test_bad_input_is_one_sentence(tokenizer, tmp_path):
    (tmp_path / "junk.model").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"junk.model: This is not a SentencePiece model"):
        Tokenizer.load(tmp_path / "junk.model")
    with pytest.raises(ValueError, match="lone surrogate at position 2"):
        tokenizer.encode("ab\ud800")
    for texts in (["text"], []):
        with pytest.raises(ValueError, match="could not learn 50 pieces"):
            Tokenizer.train(texts, vocab_size=50)


def test_a_foreign_vocabulary_is_refused(tokenizer):
    renamed = tokenizer.proto.replace(b"<evidence>", b"<evidenze>")
    with pytest.raises(ValueError, match="lacks the control symbols"):
        Tokenizer(renamed)


def test_rows_are_padded_to_a_fixed_length_and_never_cut(tokenizer):
    ids, mask = tokenizer.pad_batch([[7, 8, 9], [], [10]], 3)
    np.testing.assert_array_equal(ids, [[7, 8, 9], [0, 0, 0], [10, 0, 0]])
    np.testing.assert_array_equal(mask.sum(axis=1), [3, 0, 1])
    assert ids.dtype == np.int32
    with pytest.raises(ValueError, match="Row 1 has 4 tokens"):
        tokenizer.pad_batch([[7], [7, 8, 9, 10]], 3)
