"""Scanned, rematerialised and plain blocks are one function; what differs is compile work and memory."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from deslm_jax.layers import KeysValues, attend

ENC = np.array([[4, 9, 12, 30, 21, 5, 8, 11, 0], [4, 8, 17, 0, 0, 0, 0, 0, 0]], np.int32)
DEC = np.array([[1, 14, 25, 33, 0], [1, 17, 28, 0, 0]], np.int32)


@pytest.fixture(scope="module")
def deep(tiny, make_loud):
    """(config, params, logits, gradients) of a generator whose windows differ, with dropout, its blocks run plainly."""
    change = {"encoder_layers": 3, "decoder_layers": 2, "window": (1, 1, 3), "attention_dropout": 0.2}
    cfg = GeneratorConfig(**tiny | change, max_target_len=6, dropout=0.3, global_tokens="first")
    params = make_loud(Generator(cfg))
    return cfg, params, *_logits_and_gradients(cfg, params, jax.random.key(3))


def _loss(cfg, params, key):
    inputs = (ENC, DEC)
    logits = Generator(cfg).apply({"params": params}, *inputs, deterministic=False, rngs={"dropout": key})
    return jnp.sum(jax.nn.logsumexp(logits, axis=-1) * np.linspace(0.5, 1.5, DEC.size).reshape(DEC.shape)), logits


@partial(jax.jit, static_argnums=0)
def _logits_and_gradients(cfg, params, key):
    (_, logits), gradients = jax.value_and_grad(_loss, argnums=1, has_aux=True)(cfg, params, key)
    return logits, gradients


@pytest.mark.parametrize(("remat", "scan"), [("full", False), ("dots", True)])
def test_how_blocks_are_run_changes_no_number(deep, remat, scan):
    cfg, params, logits, gradients = deep
    other = dataclasses.replace(cfg, remat=remat, scan_layers=scan)
    other_logits, other_gradients = _logits_and_gradients(other, params, jax.random.key(3))
    np.testing.assert_allclose(other_logits, logits, atol=2e-5)
    for a, b in zip(jax.tree.leaves(other_gradients), jax.tree.leaves(gradients), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * max(1.0, np.abs(b).max()))


def test_the_weights_do_not_depend_on_how_blocks_are_run(deep):
    cfg, params = deep[:2]
    shapes = jax.tree.map(np.shape, params)
    for change in ({"scan_layers": True}, {"remat": "full"}, {"remat": "dots", "scan_layers": True}):
        model = Generator(dataclasses.replace(cfg, **change))
        drawn = jax.eval_shape(model.init, jax.random.key(0), ENC, DEC)["params"]
        assert jax.tree.map(lambda leaf: leaf.shape, drawn) == shapes


def _program_size(cfg):
    model = Generator(cfg)
    params = jax.eval_shape(model.init, jax.random.key(0), ENC, DEC)["params"]
    return jax.jit(lambda params: model.apply({"params": params}, ENC, DEC)).lower(params).as_text().count("\n")


def test_a_scanned_model_is_one_program_however_deep(tiny):
    sizes = {
        (scan, layers): _program_size(
            GeneratorConfig(**tiny | {"encoder_layers": layers}, decoder_layers=layers, scan_layers=scan)
        )
        for scan in (False, True)
        for layers in (2, 6)
    }
    # What grows with depth is only the stacking of weights, about one line a weight.
    assert sizes[True, 6] - sizes[True, 2] < 0.5 * (sizes[False, 6] - sizes[False, 2])
    assert sizes[True, 6] < sizes[False, 6]


def test_remat_keeps_less_for_the_backward(tiny):
    """By XLA's own account: nothing kept < products kept < everything kept."""
    cfg = DiscriminatorConfig(**tiny | {"encoder_layers": 4, "max_source_len": 32, "d_ff": 64}, match_embedding=False)
    ids = jnp.ones((8, 32), jnp.int32)

    def temporary_bytes(remat):
        model = Discriminator(dataclasses.replace(cfg, remat=remat, scan_layers=True))
        params = jax.eval_shape(model.init, jax.random.key(0), ids)["params"]
        gradient = jax.grad(lambda params: model.apply({"params": params}, ids).sum())
        return jax.jit(gradient).lower(params).compile().memory_analysis().temp_size_in_bytes

    kept = {remat: temporary_bytes(remat) for remat in ("none", "dots", "full")}
    assert kept["full"] < 0.8 * kept["dots"] and kept["dots"] < 0.8 * kept["none"], kept


def test_remat_of_all_but_products_does_not_sweep_attention_again(tiny):
    """Counted in loops: the forward's and the backward's; with "full" the forward's a second time."""
    cfg = DiscriminatorConfig(
        **tiny | {"encoder_layers": 1, "max_source_len": 512}, dense_up_to=8, match_embedding=False
    )
    ids = jnp.ones((1, 512), jnp.int32)

    def loops(remat):
        model = Discriminator(dataclasses.replace(cfg, remat=remat))
        params = jax.eval_shape(model.init, jax.random.key(0), ids)["params"]
        gradient = jax.grad(lambda params: model.apply({"params": params}, ids).sum())
        return jax.jit(gradient).lower(params).as_text().count("stablehlo.while")

    assert 0 < loops("none") == loops("dots") < loops("full")


def test_grouped_heads_are_heads_repeated():
    noise = np.random.default_rng(0)
    draw = lambda *shape: noise.normal(size=shape).astype(np.float32)
    q, kv, mask = draw(2, 5, 6, 4), KeysValues(draw(2, 7, 2, 4), draw(2, 7, 2, 4)), noise.random((2, 5, 7)) > 0.3
    whole = KeysValues(*(np.repeat(x, 3, axis=2) for x in kv))
    np.testing.assert_allclose(attend(q, kv, mask), attend(q, whole, mask), atol=1e-6)


def test_a_model_of_grouped_heads_is_one_with_its_key_heads_repeated(tiny, make_loud):
    grouped = GeneratorConfig(
        **tiny | {"n_heads": 4, "d_model": 16}, n_kv_heads=2, max_target_len=6, global_projections=True
    )
    params = make_loud(Generator(grouped))

    def repeat_heads(path, leaf):
        fused = {"query_key_value": 4, "key_value": 0, "global_key_value": 0}.get(path[-2].key)
        if fused is None:
            return leaf
        heads = leaf.reshape(*leaf.shape[:-1], -1, 4)
        repeated = np.concatenate([heads[..., :fused, :], np.repeat(heads[..., fused:, :], 2, axis=-2)], axis=-2)
        return repeated.reshape(*leaf.shape[:-1], -1)

    whole = jax.tree_util.tree_map_with_path(repeat_heads, params)
    run = lambda cfg, params: jax.jit(lambda params: Generator(cfg).apply({"params": params}, ENC, DEC))(params)
    expected = run(dataclasses.replace(grouped, n_kv_heads=None), whole)
    np.testing.assert_allclose(run(grouped, params), expected, atol=2e-5)


def test_a_post_norm_block_ends_normed(tiny, make_loud):
    """Without a final norm the encoder's output is that of the last block's norm: here mean 0, variance 1."""
    cfg = GeneratorConfig(**tiny, norm="post", final_norm=False)
    params = make_loud(Generator(cfg))
    norm = params["encoder"]["block_0"]["feed_forward_norm"]
    norm["scale"], norm["bias"] = np.ones_like(norm["scale"]), np.zeros_like(norm["bias"])
    encode = jax.jit(lambda params: Generator(cfg).apply({"params": params}, ENC, method="encoded"))
    encoded = np.asarray(encode(params).out_BSC)
    np.testing.assert_allclose(encoded[ENC != 0].mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(encoded[ENC != 0].var(axis=-1), 1, atol=1e-4)
