"""A network small enough for tests, with every policy in it, and how two states are compared."""

import jax
import numpy as np

from consensus import presets
from consensus.simulator.networks import Group, Kind, Models, make_network
from consensus.simulator.policies import DISCRIMINATORS, GENERATORS
from consensus.simulator.setting import Setting, Static

KINDS = (
    Kind("taught", share=0.6, canary_share=0.7),
    Kind("untaught", share=0.2, canary_share=0.2, knows=0.0),
    Kind("two-way", share=0.2, canary_share=0.1, task_class=1, guess=0.5, wrong_answers=1, evidence=0.7),
)


def make_small(**changes: object) -> tuple[Static, Setting]:
    """All policies of both tables, and honest nodes; four tasks a round, three in flight a place."""
    groups = [
        Group("generators", 4, "generator"),
        Group("discriminators", 4, "discriminator"),
        Group("both", 2, "both"),
        *(Group(f"G {name}", 1, "generator", name, dials=(6, 3)) for name in GENERATORS if name != "honest"),
        *(Group(f"D {name}", 1, "discriminator", name, dials=(6, 3)) for name in DISCRIMINATORS if name != "honest"),
    ]
    options = {"tasks": 3, "lag": 2, "generator_seats": 3, "discriminator_seats": 4, "load": 0.9, "canary_tell": 0.5}
    models = Models(generator_own=0.2, verifier_own=0.1)
    return make_network(presets.demo(), groups, KINDS, models, **{**options, **changes})


def make_gullible(setting: Setting) -> Setting:
    """The network with a low threshold, a poisoned knowledge base and many random audits: it accepts what is false."""
    law = setting.law._replace(
        theta0_q16=np.int64(40_000),
        tau_min_q12=np.int64(1),
        rho_q16_KR=setting.law.rho_q16_KR * 0,
        canary_rate_q16=np.int64(16_384),
        random_audit_rate_q16=np.int64(32_768),
        cusum_limit_q16=np.int64(20_000),
        jail_blocks=np.int64(2),
    )
    return setting._replace(
        law=law, demand=setting.demand._replace(poison_q16_K=setting.demand.poison_q16_K * 0 + 65_536)
    )


def assert_same_bits(one: object, other: object) -> None:
    """Fail with the first leaf that differs in value, shape or dtype."""
    pairs = zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True)
    for (path, mine), theirs in pairs:
        assert mine.dtype == theirs.dtype == np.int64, f"{jax.tree_util.keystr(path)} is {mine.dtype}, {theirs.dtype}"
        assert np.array_equal(mine, theirs), f"{jax.tree_util.keystr(path)}: {mine} != {theirs}"
