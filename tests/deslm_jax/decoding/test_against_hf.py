"""Tokens and scores of Hugging Face `generate`, option by option, where torch and transformers are installed.

Greedy answers of golden models are compared everywhere, by `tests/deslm_jax/interop`.
"""

import dataclasses

import numpy as np
import pytest

from deslm_jax.decode import Beam, Greedy, generate

pytest.importorskip("torch", reason="`make setup EXTRAS=parity`")
pytest.importorskip("transformers", reason="`make setup EXTRAS=parity`")
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch and transformers, about themselves
LENGTH = 12


@pytest.fixture(scope="module")
def models():
    """(config, weights, HF's model, prompts): the same weights on both sides, an end token that is often likely."""
    import torch

    from benchmarks.decode import make_case

    case = make_case("toy", 32, 6, (2, LENGTH), 1, alone=False)
    bias_V = np.zeros(case.cfg.vocab_size, np.float32)
    bias_V[case.cfg.eos_id] = 3.0
    case.peer.model.final_logits_bias = torch.from_numpy(bias_V)[None]
    cfg = dataclasses.replace(case.cfg, logits_bias=True)
    return cfg, {**case.params, "logits_bias": bias_V}, case.peer.model, case.ids_BS


@pytest.mark.parametrize(
    ("method", "ours", "theirs"),
    [
        (Greedy(), {"no_repeat_ngram": 2, "min_len": 3}, {"no_repeat_ngram_size": 2, "min_new_tokens": 3}),
        (Beam(n=3, n_best=3), {}, {}),
        (Beam(n=3, n_best=2, length_penalty=1.3, early_stopping="never"), {}, {}),
        (
            Beam(n=4, n_best=3, length_penalty=2.0, early_stopping=True),
            {"no_repeat_ngram": 3, "min_len": 2},
            {"no_repeat_ngram_size": 3, "min_new_tokens": 2},
        ),
    ],
    ids=str,
)
def test_tokens_and_scores_are_those_of_generate(models, method, ours, theirs):
    import torch

    cfg, params, peer, ids_BS = models
    if isinstance(method, Beam):
        theirs = theirs | {"num_beams": method.n, "num_return_sequences": method.n_best}
        theirs |= {"length_penalty": method.length_penalty, "early_stopping": method.early_stopping}
    ids = torch.from_numpy(ids_BS.astype(np.int64))
    with torch.inference_mode():
        out = peer.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=LENGTH, do_sample=False,
            return_dict_in_generate=True, output_scores=True, **theirs,
        )  # fmt: skip
    tokens_BU = out.sequences[:, 1:].numpy()
    padded_BU = np.pad(tokens_BU, ((0, 0), (0, LENGTH - tokens_BU.shape[1])), constant_values=cfg.pad_id)
    written = generate(cfg, params, ids_BS, max_len=LENGTH, method=method, **ours)
    np.testing.assert_array_equal(written.ids_BU, padded_BU)
    if isinstance(method, Beam):
        np.testing.assert_allclose(written.score_B, out.sequences_scores.numpy(), atol=2e-5)
