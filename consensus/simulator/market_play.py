"""Plays the frozen benchmark market: on JAX in one compiled scan, or the same lines on NumPy, round after round.

    setting, market = make_setting(seed=7), open_market(65_536)
    market = play(setting, market, rounds=100)                # every node answers in every round
    market = play(setting, market, rounds=100, seats=64)      # a committee does
    digest(market)                                            # the same on every machine and device

A sweep is a setting and a market whose leaves have a leading axis (`stack`): the same bits as one at a time.
"""

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from consensus.simulator.market import Market, Setting, answer, seat, step_committee, step_dense, unseat
from consensus.units import namespace


def play(
    setting: Setting, market: Market, rounds: int, seats: int | None = None, shardings: tuple[Any, Market] | None = None
) -> Market:
    """The market after so many rounds, as NumPy arrays; `seats` is the size of the committee, None for all nodes.

    `shardings` (for the setting, and for each leaf of the market) spreads the arrays over devices. Raises ValueError
    for an impossible committee. Works with 64-bit types whatever the caller's JAX configuration is.
    """
    check_play(market, rounds, seats)
    with jax.enable_x64(True):
        given = jax.device_put((setting, market), shardings) if shardings else jax.device_put((setting, market))
        played = program(rounds, seats, setting.seed.ndim == 1)(*given)
        result = Market(*(np.asarray(leaf) for leaf in played))
    check_types(result)
    return result


def play_numpy(setting: Setting, market: Market, rounds: int, seats: int | None = None) -> Market:
    """`play` of one setting by NumPy alone."""
    check_play(market, rounds, seats)
    run = begin(setting, market, seats)
    for _ in range(rounds):
        run = next_round(setting, run, seats)
    result = Market(*(np.asarray(leaf) for leaf in end(run, seats)))
    check_types(result)
    return result


@functools.cache
def program(rounds: int, seats: int | None, is_batched: bool) -> Callable[[Setting, Market], Market]:
    """The compiled rounds; gives back the market in the memory it came in. Call and trace it in `jax.enable_x64`."""

    def run(setting: Setting, market: Market) -> Market:
        step = lambda run, _: (next_round(setting, run, seats), None)
        return end(lax.scan(step, begin(setting, market, seats), length=rounds)[0], seats)

    return jax.jit(jax.vmap(run) if is_batched else run, donate_argnums=1)


def begin(setting: Setting, market: Market, seats: int | None) -> tuple[Market, Any]:
    """A market and what its rounds work with: what nodes say next, asked once a round, or the nodes in rows."""
    if seats is not None:
        return seat(market, seats)
    node_N = namespace(market.skill_q16_N).arange(market.skill_q16_N.shape[0], dtype=np.uint32)
    return market, answer(setting, market.round, market.skill_q16_N, node_N)


def next_round(setting: Setting, run: tuple[Market, Any], seats: int | None) -> tuple[Market, Any]:
    """One round of what `begin` began."""
    if seats is not None:
        return step_committee(setting, *run)
    return begin(setting, step_dense(setting, *run), None)


def end(run: tuple[Market, Any], seats: int | None) -> Market:
    """The market, its nodes in columns again."""
    return run[0] if seats is None else unseat(*run)


def stack(items: Sequence[Any]) -> Any:
    """One setting, or market, with a leading axis of many."""
    return type(items[0])(*(np.stack(leaves) for leaves in zip(*items, strict=True)))


def digest(market: Market) -> str:
    """SHA-256 over names, shapes and little-endian bytes of every leaf, in hexadecimal."""
    check_types(market)
    state = hashlib.sha256()
    for name, leaf in market._asdict().items():
        state.update(f"{name}{leaf.shape}{leaf.dtype.name};".encode())
        state.update(np.ascontiguousarray(leaf, leaf.dtype.newbyteorder("<")).tobytes())
    return state.hexdigest()


def check_play(market: Market, rounds: int, seats: int | None) -> None:
    """Raise ValueError unless the rounds can be played."""
    nodes = market.stake_micro_N.shape[-1]
    if rounds < 0:
        raise ValueError(f"rounds must be at least 0, got {rounds}")
    if seats is not None and not 1 <= seats <= nodes:
        raise ValueError(f"a committee of {nodes} nodes has 1 to {nodes} seats, got {seats}")
    check_types(market)


def check_types(market: Market) -> None:
    """Raise TypeError where a leaf lost its type: int64 that left a 64-bit scope of JAX becomes int32, silently."""
    for name, leaf in market._asdict().items():
        expected = np.int32 if name in ("good_q8_N", "bad_q8_N", "beta_q16_N", "skill_q16_N") else np.int64
        if leaf.dtype != expected:
            raise TypeError(f"{name} must be {np.dtype(expected)}, got {leaf.dtype}")
