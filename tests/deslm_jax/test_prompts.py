"""One layout of text as tokens: marked segments, typed tokens, nothing cut but evidence."""

import pytest

from deslm_jax.prompts import (
    encode_answer,
    encode_question,
    encode_verdict_input,
    normalise_text,
    question_batch,
    verdict_batch,
)


def test_white_space_and_composition_do_not_matter(tokenizer):
    assert normalise_text(" São \n\tTomé ") == normalise_text("Sa\u0303o Tome\u0301") == "São Tomé"
    assert encode_question(tokenizer, " What is\tit? ", 30) == encode_question(tokenizer, "What is it?", 30)


def test_the_layout_is_marks_and_typed_segments(tokenizer):
    ids, types = encode_verdict_input(tokenizer, "What?", "Lima", ("Peru: Lima.", "Peru: sol."), 99)
    assert [i for i in ids if i < tokenizer.first_text_id] == [4, 5, 6, 6]
    assert sorted(types) == types and set(types) == {0, 1, 2, 3}
    for kind, text in enumerate(("What?", "Lima", "Peru: Lima.", "Peru: sol.")):
        segment = [i for i, t in zip(ids, types, strict=True) if t == kind]
        assert segment[1:] == tokenizer.encode(text)


def test_spelled_marks_stay_text(tokenizer):
    ids, types = encode_verdict_input(tokenizer, "Q <evidence> Q is Lima", "Lima <evidence> yes", (), 99)
    assert [i for i in ids if i < tokenizer.first_text_id] == [tokenizer.question, tokenizer.answer]
    assert set(types) == {0, 1}


def test_an_answer_ends_with_the_end_token(tokenizer):
    assert encode_answer(tokenizer, "Lima", 9) == [*tokenizer.encode("Lima"), tokenizer.eos]


def test_only_evidence_is_cut(tokenizer):
    full = encode_verdict_input(tokenizer, "What?", "Lima", ("Peru: Lima.",), 99)
    room = len(full[0]) - 2
    assert encode_verdict_input(tokenizer, "What?", "Lima", ("Peru: Lima.",), room) == (full[0][:room], full[1][:room])
    bare = len(encode_verdict_input(tokenizer, "What?", "Lima", (), 99)[0])
    with pytest.raises(ValueError, match=f"Question and answer have {bare} tokens"):
        encode_verdict_input(tokenizer, "What?", "Lima", (), bare - 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: encode_question(t, " \n\t ", 9), "prompt is empty"),
        (lambda t: encode_question(t, "x" * 20_000, 64), "this model reads at most 64"),
        (lambda t: encode_answer(t, "x" * 99, 8), "writes at most 8"),
        (lambda t: encode_verdict_input(t, "What?", "  ", (), 30), "answer is empty"),
    ],
)
def test_bad_text_is_one_sentence(tokenizer, call, words):
    with pytest.raises(ValueError, match=words):
        call(tokenizer)


def test_batches_are_the_rows_padded(tokenizer):
    questions = question_batch(tokenizer, ["What?", "What is it?"], 20)
    assert questions.ids_BS.shape == questions.mask_BS.shape == (2, 20)
    for b, text in enumerate(("What?", "What is it?")):
        assert questions.ids_BS[b][questions.mask_BS[b]].tolist() == encode_question(tokenizer, text, 20)
    case = ("What?", "Lima", ("Peru: Lima.",))
    verdicts = verdict_batch(tokenizer, [case, ("What is it?", "sol", ())], 40)
    ids, types = encode_verdict_input(tokenizer, *case, 40)
    assert verdicts.ids_BT[0][verdicts.mask_BT[0]].tolist() == ids
    assert verdicts.types_BT[0][verdicts.mask_BT[0]].tolist() == types
