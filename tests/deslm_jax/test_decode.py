"""Cached decoding is the full forward pass, one token at a time."""

import dataclasses
from functools import partial

import jax
import numpy as np
import pytest

from deslm_jax import Generator, GeneratorConfig
from deslm_jax.decode import Beam, Greedy, Sample, _searched, _written, generate

PROMPTS = np.array([[4, 9, 12, 30, 21, 0], [4, 8, 0, 0, 0, 0], [4, 33, 17, 19, 35, 28]], np.int32)


@partial(jax.jit, static_argnums=0)
def _full(cfg, params, enc, dec):
    return jax.nn.log_softmax(Generator(cfg).apply({"params": params}, enc, dec))


def _check_against_full(cfg, params, prompts, out):
    """Every token written is the argmax of the full pass over what was written before, at its log-probability."""
    ids, lengths = np.asarray(out.ids_BU), np.asarray(out.lengths_B)
    start = np.full((len(ids), 1), cfg.bos_id, np.int32)
    log_p = np.asarray(_full(cfg, params, prompts, np.concatenate([start, ids[:, :-1]], axis=1)))
    for b, n in enumerate(lengths):
        np.testing.assert_array_equal(ids[b, :n], log_p[b, :n].argmax(axis=-1))
        np.testing.assert_allclose(out.token_log_probability_BU[b, :n], log_p[b, :n].max(axis=-1), atol=2e-5)
        assert (ids[b, n:] == cfg.pad_id).all() and (np.asarray(out.token_log_probability_BU)[b, n:] == 0).all()
        assert bool(out.finished_B[b]) == (ids[b, n - 1] == cfg.eos_id)
        assert (ids[b, : n - 1] != cfg.eos_id).all()
    np.testing.assert_allclose(out.log_probability_B, np.asarray(out.token_log_probability_BU).sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(out.confidence_B, np.exp(out.log_probability_B), rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"positions": "rotary", "decoder_layers": 2},
        {"positions": "learned", "feed_forward": "gated", "use_bias": False},
        {"positions": "sinusoidal", "global_projections": True},
        {"positions": "rotary", "n_kv_heads": 1, "norm": "post", "embedding_norm": True, "final_norm": False},
        {"positions": "learned", "decoder_window": 2, "decoder_globals": 1, "tied_embeddings": False},
    ],
)
def test_cached_decoding_is_the_full_forward_pass(tiny, make_loud, change):
    cfg = GeneratorConfig(**tiny, **change, max_target_len=6)
    different = 0
    for seed in range(3):
        params = make_loud(Generator(cfg), seed)
        out = generate(cfg, params, PROMPTS)
        _check_against_full(cfg, params, PROMPTS, out)
        different += len(np.unique(np.asarray(out.ids_BU), axis=0))
    assert different > 4  # the answers depend on the prompts: the check is not about one constant answer


def test_a_finished_row_stops_and_the_others_go_on(tiny_generator):
    cfg, params = tiny_generator
    free = np.asarray(generate(cfg, params, PROMPTS).ids_BU)
    # Declare a token of the first answer to be the end: the rows that write it must stop there.
    cfg = dataclasses.replace(cfg, eos_id=int(free[0, 2]))
    out = generate(cfg, params, PROMPTS)
    _check_against_full(cfg, params, PROMPTS, out)
    ends = [list(row).index(cfg.eos_id) + 1 if cfg.eos_id in row else len(row) for row in free]
    np.testing.assert_array_equal(out.lengths_B, ends)
    assert out.lengths_B[0] <= 3 and bool(out.finished_B[0])


def test_the_batch_and_its_padding_do_not_matter(tiny_generator):
    cfg, params = tiny_generator
    whole = generate(cfg, params, PROMPTS)
    alone = generate(cfg, params, PROMPTS[1:2, :2])
    np.testing.assert_array_equal(alone.ids_BU[0], whole.ids_BU[1])
    np.testing.assert_allclose(alone.log_probability_B[0], whole.log_probability_B[1], atol=1e-5)


def test_a_shorter_room_cuts_the_answer(tiny_generator):
    cfg, params = tiny_generator
    short = generate(cfg, params, PROMPTS, max_len=2)
    assert short.ids_BU.shape == (3, 2)
    np.testing.assert_array_equal(short.ids_BU, generate(cfg, params, PROMPTS).ids_BU[:, :2])


def test_bad_arguments_are_one_sentence(tiny_generator):
    cfg, params = tiny_generator
    for length in (0, 7, 2.5, "3"):
        with pytest.raises(ValueError, match=f"an integer between 1 and max_target_len 6, not {length!r}"):
            generate(cfg, params, PROMPTS, max_len=length)
    rows = jax.random.split(jax.random.key(0), 2)
    for bad, word in (
        ({"method": Sample()}, "pass rng"),
        ({"method": Sample(), "rng": np.zeros(2, np.uint32)}, "rng must be one key"),
        ({"method": Sample(), "rng": rows}, "one for each of the 3 rows"),
        ({"method": Sample(), "rng": 0}, "rng must be one key"),
        ({"method": Beam}, "method must be Greedy.*, not <class"),
        ({"method": "beam"}, "method must be Greedy.*, not 'beam'"),
        ({"cache": "rings"}, "cache must be .* not 'rings'"),
        ({"cache": "ring"}, "decoder_window"),
        ({"min_len": -1}, "min_len must be an integer of at least 0"),
        ({"no_repeat_ngram": 1.5}, "no_repeat_ngram must be"),
    ):
        with pytest.raises(ValueError, match=word):
            generate(cfg, params, PROMPTS, **bad)
    few = dataclasses.replace(cfg, max_globals=2, dense_up_to=1)
    for mask in (None, PROMPTS != 0):
        with pytest.raises(ValueError, match="more global tokens than max_globals 2"):
            generate(few, params, PROMPTS, global_mask=mask)
    with pytest.raises(ValueError, match="a row of ids for each prompt"):
        generate(cfg, params, PROMPTS[0])
    for nothing in (PROMPTS[:0], PROMPTS[:, :0]):
        with pytest.raises(ValueError, match="at least one prompt of one token"):
            generate(cfg, params, nothing)
    assert Sample(temperature=np.float32(0.5), top_k=np.int64(3)).top_k == 3 and Beam(n=np.int32(2)).n == 2
    for name in ("decoder_start_id", "forced_bos_id", "forced_eos_id"):
        with pytest.raises(ValueError, match=f"{name} {cfg.vocab_size} is not in the vocabulary"):
            dataclasses.replace(cfg, **{name: cfg.vocab_size})


def test_padding_takes_no_slot_of_a_global_and_a_caller_may_jit(tiny_generator):
    cfg, params = tiny_generator
    cfg = dataclasses.replace(cfg, max_globals=2, dense_up_to=1)
    mask = np.arange(PROMPTS.shape[1])[None] < 2
    mask = np.broadcast_to(mask, PROMPTS.shape)
    everywhere = np.ones(PROMPTS.shape, np.float32)  # any number but 0 marks
    out = jax.jit(lambda ids: generate(cfg, params, ids, mask, everywhere).log_probability_B)(PROMPTS)
    np.testing.assert_allclose(out, generate(cfg, params, PROMPTS, mask, everywhere).log_probability_B, atol=1e-5)
    assert np.isfinite(out).all()


def _own_log_probability(cfg, params, prompts, out):
    """What the full forward pass says of each token written; 0 after the end."""
    ids, lengths = np.asarray(out.ids_BU), np.asarray(out.lengths_B)
    start = np.full((len(ids), 1), cfg.start_id, np.int32)
    log_p = np.asarray(_full(cfg, params, prompts, np.concatenate([start, ids[:, :-1]], axis=1)))
    own = np.take_along_axis(log_p, ids[..., None], axis=2)[..., 0]
    return np.where(np.arange(ids.shape[1])[None] < lengths[:, None], own, 0.0)


@pytest.mark.parametrize(
    "change",
    [
        {"decoder_layers": 2},
        {"decoder_globals": 2, "n_kv_heads": 1},
        {"decoder_globals": 1, "positions": "learned"},
    ],
    ids=str,
)
def test_a_ring_is_the_full_forward_pass_under_its_window(tiny, make_loud, change):
    """Drawn answers: greedy ones of untrained models repeat one token, and equal keys hide a wrong slot."""
    cfg = GeneratorConfig(**tiny, **change, decoder_window=3, max_target_len=16, eos_id=39)
    params = make_loud(Generator(cfg))
    out = generate(cfg, params, PROMPTS, method=Sample(temperature=2.0), rng=jax.random.key(1), cache="ring")
    assert min(out.lengths_B) > 3 + 1 + cfg.decoder_globals + 2  # every ring has turned
    np.testing.assert_allclose(out.token_log_probability_BU, _own_log_probability(cfg, params, PROMPTS, out), atol=2e-5)
    wide = dataclasses.replace(cfg, decoder_window=None)
    difference = np.abs(out.token_log_probability_BU - _own_log_probability(wide, params, PROMPTS, out))
    assert difference[:, :4].max() < 2e-5 < 1e-2 < difference[:, 6:].max()  # the window matters, once it is passed


@pytest.mark.parametrize(
    ("change", "cache"),
    [({"decoder_layers": 2}, "full"), ({"n_kv_heads": 1, "decoder_window": 2, "decoder_globals": 1}, "ring")],
    ids=str,
)
def test_every_answer_of_a_beam_has_the_probability_the_full_pass_gives(tiny, make_loud, change, cache):
    cfg = GeneratorConfig(**tiny, **change, max_target_len=8)
    params, n = make_loud(Generator(cfg)), 3
    out = generate(cfg, params, PROMPTS, method=Beam(n=n, n_best=n, length_penalty=0.7), cache=cache)
    own = _own_log_probability(cfg, params, np.repeat(PROMPTS, n, axis=0), out)
    np.testing.assert_allclose(out.token_log_probability_BU, own, atol=3e-5)
    np.testing.assert_allclose(out.score_B, own.sum(axis=1) / np.asarray(out.lengths_B) ** 0.7, atol=3e-5)
    assert (np.diff(np.asarray(out.score_B).reshape(-1, n)) <= 0).all()
    assert len(np.unique(out.ids_BU, axis=0)) > n  # hypotheses and prompts differ: the check is not about one answer


def test_one_hypothesis_is_greedy(tiny_generator):
    cfg, params = tiny_generator
    greedy, alone = generate(cfg, params, PROMPTS), generate(cfg, params, PROMPTS, method=Beam(n=1))
    np.testing.assert_array_equal(alone.ids_BU, greedy.ids_BU)
    np.testing.assert_allclose(alone.log_probability_B, greedy.log_probability_B, atol=1e-5)


def test_prompts_in_a_beam_do_not_mix(tiny_generator):
    cfg, params = tiny_generator
    method = Beam(n=3, n_best=2)
    whole = generate(cfg, params, PROMPTS, method=method)
    alone = generate(cfg, params, PROMPTS[1:2, :2], method=method)
    np.testing.assert_array_equal(alone.ids_BU, whole.ids_BU[2:4])
    np.testing.assert_allclose(alone.score_B, whole.score_B[2:4], atol=1e-5)


def test_drawing_cold_is_greedy_and_repeats_itself(tiny_generator):
    cfg, params = tiny_generator
    draw = lambda seed, t: np.asarray(
        generate(cfg, params, PROMPTS, method=Sample(temperature=t), rng=jax.random.key(seed)).ids_BU
    )
    np.testing.assert_array_equal(draw(0, 1e-4), generate(cfg, params, PROMPTS).ids_BU)
    np.testing.assert_array_equal(draw(1, 1.0), draw(1, 1.0))
    assert (draw(1, 1.0) != draw(2, 1.0)).any()


def test_a_key_for_each_row_makes_the_batch_irrelevant(tiny_generator):
    cfg, params = tiny_generator
    keys = jax.random.split(jax.random.key(5), 3)
    whole = generate(cfg, params, PROMPTS, method=Sample(), rng=keys)
    for b in range(3):
        alone = generate(cfg, params, PROMPTS[b : b + 1], method=Sample(), rng=keys[b : b + 1])
        np.testing.assert_array_equal(alone.ids_BU[0], whole.ids_BU[b])


@pytest.mark.parametrize("method", [Greedy(), Beam(n=2)], ids=str)
def test_half_precision_follows_its_own_full_pass(tiny, make_loud, method):
    cfg = GeneratorConfig(**tiny, dtype="bfloat16", max_target_len=6)
    params = make_loud(Generator(cfg))
    out = generate(cfg, params, PROMPTS, method=method)
    assert out.token_log_probability_BU.dtype == np.float32
    np.testing.assert_allclose(out.token_log_probability_BU, _own_log_probability(cfg, params, PROMPTS, out), atol=0.05)


def test_forced_tokens_come_from_the_config(tiny_generator):
    cfg, params = tiny_generator
    forced = dataclasses.replace(cfg, forced_bos_id=7, forced_eos_id=cfg.eos_id)
    out = generate(forced, params, PROMPTS, min_len=5)
    assert (np.asarray(out.ids_BU)[:, 0] == 7).all() and (np.asarray(out.ids_BU)[:, 5] == cfg.eos_id).all()


def test_each_shape_compiles_once(tiny_generator):
    cfg, params = tiny_generator
    cfg = dataclasses.replace(cfg, max_target_len=5)
    written, searched = _written._cache_size(), _searched._cache_size()
    for number in (0.5, 1.0, 2.0):
        for seed in (0, 1):
            generate(cfg, params, PROMPTS, method=Sample(temperature=number), rng=jax.random.key(seed))
        generate(cfg, params, PROMPTS + 0, method=Beam(n=2, length_penalty=number))
    assert (_written._cache_size(), _searched._cache_size()) == (written + 1, searched + 1)
