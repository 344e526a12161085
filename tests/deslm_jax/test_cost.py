"""What a model costs, counted from its config, against XLA's own count and against what can be counted by hand."""

import jax
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from deslm_jax import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from deslm_jax.config import ModelConfig
from deslm_jax.cost import allowed_pairs, backward_flops, count_parameters, forward_flops
from deslm_jax.initial import shapes_of
from deslm_jax.presets import PRESETS, base, led_base, longformer_base, small, tiny

# Every pair is allowed and computed, and products outweigh the rest: XLA counts what we count.
DENSE = {"vocab_size": 400, "d_model": 256, "n_heads": 2, "d_ff": 700, "window": 32, "max_source_len": 32}


def _product_flops(jaxpr):
    """FLOPs of the products in a program, those of the functions it calls included."""
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            contracted = eqn.params["dimension_numbers"][0][0]
            inner = [eqn.invars[0].aval.shape[axis] for axis in contracted]
            total += 2 * int(np.prod(eqn.outvars[0].aval.shape)) * int(np.prod(inner))
        total += sum(_product_flops(called) for called in jaxprs_in_params(eqn.params))
    return total


def _xla_flops(program, *arguments):
    return jax.jit(program).lower(*arguments).cost_analysis()["flops"]


@pytest.mark.parametrize(
    "change", [{}, {"feed_forward": "gated", "n_kv_heads": 1}, {"global_projections": True, "max_globals": 32}]
)
def test_generator_flops_are_those_xla_counts(change):
    cfg = GeneratorConfig(**DENSE | change, max_target_len=16)
    model = Generator(cfg)
    ids = jax.ShapeDtypeStruct((3, 32), np.int32), jax.ShapeDtypeStruct((3, 16), np.int32)
    run = lambda params, enc, dec: model.apply({"params": params}, enc, dec)
    globals_ = 32 if cfg.global_projections else 0
    forward = forward_flops(cfg, batch=3, n_globals=globals_)
    half = 3 * cfg.decoder_layers * 4 * 256 * (16 * 15 // 2)  # the pairs that causality forbids, computed when dense
    # Global rows are computed twice when dense: with the common weights, too.
    twice = 3 * cfg.encoder_layers * 4 * 256 * globals_ * 32
    products = _product_flops(jax.make_jaxpr(run)(shapes_of(model), *ids).jaxpr)
    assert products == forward.total + half + twice
    assert 1.0 <= _xla_flops(run, shapes_of(model), *ids) / forward.total < 1.05
    gradient = jax.grad(lambda *arguments: run(*arguments).sum())
    both = forward.total + backward_flops(cfg, forward)
    assert 0.98 <= _xla_flops(gradient, shapes_of(model), *ids) / both < 1.05


@pytest.mark.parametrize("change", [{}, {"head": "longformer", "n_labels": 2}])
def test_discriminator_flops_are_those_xla_counts(change):
    cfg = DiscriminatorConfig(**DENSE, **change)
    model, ids = Discriminator(cfg), jax.ShapeDtypeStruct((3, 32), np.int32)
    found = _xla_flops(lambda params, ids: model.apply({"params": params}, ids), shapes_of(model), ids)
    assert 1.0 <= found / forward_flops(cfg, batch=3).total < 1.05


@pytest.mark.parametrize(
    ("length", "window", "n_globals"), [(12, 3, 0), (12, 0, 5), (13, 4, 13), (9, 20, 2), (1, 0, 1)]
)
def test_pairs_are_counted_as_the_mask_draws_them(length, window, n_globals):
    place = np.arange(length)
    is_global = np.isin(place, [i * length // max(n_globals, 1) for i in range(n_globals)])
    drawn = (np.abs(place[:, None] - place[None]) <= window) | is_global[:, None] | is_global[None]
    assert allowed_pairs(length, window, n_globals) == drawn.sum()


def test_a_window_makes_the_decoder_cheaper_and_its_globals_dearer():
    flops = lambda **change: forward_flops(GeneratorConfig(**DENSE, max_target_len=16, **change)).attention
    full, near, marked = flops(), flops(decoder_window=3), flops(decoder_window=3, decoder_globals=2)
    place = np.arange(16)
    later, ago = place[None] <= place[:, None], place[:, None] - place[None]
    pairs = lambda seen: 4 * 256 * int((later & seen).sum())
    assert full - near == pairs(ago >= 0) - pairs(ago <= 3)
    assert marked - near == pairs((ago <= 3) | (place[None] < 2)) - pairs(ago <= 3)


def test_what_is_computed_again_is_counted():
    kinds = ("none", "dots", "full")
    none, dots, full = (
        backward_flops(cfg := GeneratorConfig(**DENSE, remat=remat), forward_flops(cfg)) for remat in kinds
    )
    forward = forward_flops(GeneratorConfig(**DENSE))
    assert none < dots < full == pytest.approx(none + forward.total - forward.head)


def test_presets_have_the_sizes_they_are_known_by():
    """led-base-16384 and longformer-base-4096 by Hugging Face's count: weights, and LED's logits bias beside them."""
    assert count_parameters(led_base()) == 161_844_480 + 50_265
    assert count_parameters(longformer_base()) == 148_660_994
    sizes = [
        count_parameters(preset(kind))
        for preset in (tiny, small, base)
        for kind in (DiscriminatorConfig, GeneratorConfig)
    ]
    assert sizes == sorted(sizes)


def test_a_preset_can_be_changed_on_the_way():
    assert {name: preset(d_ff=100).d_ff for name, preset in PRESETS.items()} == dict.fromkeys(PRESETS, 100)
    assert type(small(DiscriminatorConfig)) is DiscriminatorConfig and type(small()) is GeneratorConfig
    with pytest.raises(TypeError, match="widnow"):
        base(widnow=3)


def test_only_the_two_models_have_a_cost():
    with pytest.raises(ValueError, match="ModelConfig describes neither"):
        count_parameters(ModelConfig(vocab_size=30))
