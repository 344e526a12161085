"""A byte-level vocabulary gives Hugging Face's ids, every text comes back, and no text can spell structure."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deslm_jax.byte_level import ByteLevelTokenizer
from deslm_jax.prompts import encode_verdict_input, question_batch

tokenizers = pytest.importorskip("tokenizers")

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LINES = [
    "What is the capital of Peru? Lima is the capital, isn't it?",
    "The window's  width\twas 512 tokens in 2020; they'll say 16,384.",
    "Bogotá, São Paulo, 東京, Žilina\n\nand 🦙 llamas",
]
texts = st.lists(
    st.one_of(st.sampled_from([*SPECIAL, "<mask>", "Ġ", " ", "\n", "'s", "the"]), st.text(max_size=8)), max_size=6
).map("".join)


@pytest.fixture(scope="module")
def vocabulary_folder(tmp_path_factory):
    """vocab.json and merges.txt as in GPT-2 and RoBERTa, learnt from three lines; <mask> is the last id."""
    learnt = tokenizers.Tokenizer(tokenizers.models.BPE())
    learnt.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=380, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    learnt.train_from_iterator(LINES * 3, trainer)
    folder = tmp_path_factory.mktemp("vocabulary")
    vocabulary = {**learnt.get_vocab(), "<mask>": learnt.get_vocab_size()}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    merges = json.loads(learnt.to_str())["model"]["merges"]
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def byte_level(vocabulary_folder):
    return ByteLevelTokenizer.load(vocabulary_folder)


@settings(max_examples=200)
@given(texts)
@example("What is it? <s> Lima </s></s><mask>")
@example("\x00\x04\r\n \t a  b ")
@example("𝔊 é é 漢 🦙 \ufeff\u202e")
def test_any_text_comes_back_and_spells_no_structure(byte_level, text):
    ids = byte_level.encode(text)
    assert all(byte_level.first_text_id <= i < byte_level.vocab_size - 1 for i in ids)  # the last one is <mask>
    assert byte_level.decode(ids) == text


def test_ids_equal_those_of_hugging_face(vocabulary_folder, byte_level):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.RobertaTokenizer.from_pretrained(vocabulary_folder)

    @settings(max_examples=200)
    @given(texts, texts)
    def check(text, second):
        plain = theirs(text, add_special_tokens=False, split_special_tokens=True).input_ids
        assert byte_level.encode(text) == plain
        assert byte_level.encode_whole(text) == theirs(text, split_special_tokens=True).input_ids
        assert byte_level.encode_whole(text, second) == theirs(text, second, split_special_tokens=True).input_ids
        assert byte_level.decode(plain) == theirs.decode(plain)

    check()
    marks = (theirs.bos_token_id, theirs.pad_token_id, theirs.eos_token_id, theirs.unk_token_id)
    assert (byte_level.bos, byte_level.pad, byte_level.eos, byte_level.unk) == marks == (0, 1, 2, 3)
    assert byte_level.vocab_size == len(theirs)


@pytest.mark.parametrize("prefix", [False, True])
def test_tokenizer_json_and_the_pair_of_files_are_the_same_vocabulary(vocabulary_folder, tmp_path, prefix):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((vocabulary_folder / name).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"add_prefix_space": prefix}))
    pair = ByteLevelTokenizer.load(tmp_path)
    assert (pair.encode("Lima") == pair.encode(" Lima")) == prefix
    (tmp_path / "tokenizer.json").write_bytes(pair.proto)
    (tmp_path / "vocab.json").write_text("{}")  # not looked at any more
    again = ByteLevelTokenizer.load(tmp_path)
    assert (again.proto, again.sha256) == (pair.proto, pair.sha256)
    assert [again.encode(line) for line in LINES] == [pair.encode(line) for line in LINES]


def test_truncation_and_padding_stored_with_a_vocabulary_are_left_out(byte_level):
    values = json.loads(byte_level.proto)
    values["truncation"] = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    cut = ByteLevelTokenizer(json.dumps(values).encode())
    assert cut.encode(LINES[0]) == byte_level.encode(LINES[0])


def test_prompts_take_it_like_any_other(byte_level):
    ids, mask = question_batch(byte_level, ["What is the capital?", "Lima"], 24)
    assert ids[1].tolist() == [0, *byte_level.encode("Lima"), *[1] * int((~mask[1]).sum())]
    ids, types = encode_verdict_input(byte_level, "capital?", "Lima", ["Lima is"], 24)
    parts = [byte_level.encode(text) for text in ("capital?", "Lima", "Lima is")]
    assert ids == [0, *parts[0], 2, *parts[1], 2, *parts[2]]
    assert types == [0] * (1 + len(parts[0])) + [1] * (1 + len(parts[1])) + [2] * (1 + len(parts[2]))


def test_decoding_stops_at_the_end_token_and_skips_structure(byte_level):
    ids = [byte_level.bos, byte_level.pad, *byte_level.encode("Lima"), byte_level.unk, byte_level.eos, 50]
    assert byte_level.decode(ids) == "Lima"
    with pytest.raises(ValueError, match="not in this vocabulary"):
        byte_level.decode([byte_level.vocab_size])


def test_bad_input_is_one_sentence_that_names_the_file(vocabulary_folder, byte_level, tmp_path):
    with pytest.raises(ValueError, match=r"has no vocabulary: tokenizer.json, or vocab.json and merges.txt"):
        ByteLevelTokenizer.load(tmp_path)
    with pytest.raises(ValueError, match="lone surrogate at position 2"):
        byte_level.encode("ab\ud800")
    values = json.loads(byte_level.proto)
    for change, sentence in [
        ({"model": {**values["model"], "type": "WordPiece"}}, "WordPiece vocabulary"),
        ({"decoder": None}, "BPE vocabulary with a None decoder"),
        ({"model": "BPE"}, "a None vocabulary"),
        ({"added_tokens": values["added_tokens"][1:]}, "no special token <s>"),
        ({"pre_tokenizer": {"type": "?"}}, "cannot be read"),
    ]:
        (tmp_path / "tokenizer.json").write_text(json.dumps(values | change))
        with pytest.raises(ValueError, match=sentence):
            ByteLevelTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(ValueError, match=r"tokenizer.json is not a JSON object"):
        ByteLevelTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    vocabulary = (vocabulary_folder / "vocab.json").read_text(encoding="utf-8")
    merges = (vocabulary_folder / "merges.txt").read_text(encoding="utf-8")
    for name, broken, sentence in [
        ("vocab.json", "junk", r"vocab.json is not a JSON object"),
        ("merges.txt", merges + "a b c\n", r"merges.txt has the line 'a b c'"),
        ("merges.txt", merges + "zzzz yyyy\n", r"vocab.json and merges.txt do not fit"),
        ("added_tokens.json", "{}", r"write one with transformers"),
    ]:
        (tmp_path / "vocab.json").write_text(vocabulary, encoding="utf-8")
        (tmp_path / "merges.txt").write_text(merges, encoding="utf-8")
        (tmp_path / name).write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=sentence):
            ByteLevelTokenizer.load(tmp_path)
    (tmp_path / "added_tokens.json").unlink()
    (tmp_path / "merges.txt").write_bytes(merges.encode("utf-16"))
    with pytest.raises(ValueError, match=r"merges.txt is not UTF-8 text"):
        ByteLevelTokenizer.load(tmp_path)
