"""From Python: what is no network, no state, no seed or no number is refused with one sentence, never half played."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from consensus import presets
from consensus.simulator.networks import Group, Kind, Models, get_pot_micro, make_network
from consensus.simulator.run import simulate, trace
from consensus.simulator.sweep import sweep
from consensus.simulator.world import start
from consensus.units import MICRO, SUPPLY_CAP_MICRO

LAW = presets.minimal()
GROUPS = [Group("all", 6, "both")]
STATIC, SETTING = make_network(LAW, GROUPS, tasks=2, lag=1)
STATE = start(STATIC, SETTING)
WIDER = make_network(LAW, [Group("all", 9, "both")], tasks=2, lag=1)
LATER = make_network(LAW, GROUPS, tasks=2, lag=3)
NAN = float("nan")
RICH = 0.9999 * SUPPLY_CAP_MICRO / get_pot_micro(LAW, MICRO)  # pots: nearly the whole supply


def with_tip(tip_micro: Any) -> Any:
    return SETTING._replace(demand=SETTING.demand._replace(tip_micro=tip_micro))


def with_treasury(treasury_micro: Any) -> Any:
    return STATE._replace(network=STATE.network._replace(treasury_micro=treasury_micro))


def run(**changes: Any) -> Any:
    given = {"static": STATIC, "params": SETTING, "state": STATE, "seed": 1, "rounds": 1, "backend": "numpy"}
    return simulate(**(given | changes))


def run_sweep(**changes: Any) -> Any:
    given = {"static": STATIC, "params_batch": SETTING, "seeds": [1], "rounds": 1, "parallel": "numpy"}
    return sweep(**(given | changes))


def make(**changes: Any) -> Any:
    return make_network(LAW, **({"groups": GROUPS} | changes))


BLIND = SETTING.skill.blind_q16_KR
CASES: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (run, {"seed": 1.5}, "seed is 1.5: choose a whole number"),
    (run, {"seed": True}, "seed is True"),
    (run, {"seed": NAN}, "seed is nan"),
    (run, {"seed": None}, "seed is None"),
    (run, {"seed": "1"}, "seed is '1'"),
    (run, {"seed": 1 << 63}, "to 2^63 - 1"),
    (run, {"rounds": -1}, "rounds is -1"),
    (run, {"rounds": 2.0}, "rounds is 2.0"),
    (run, {"static": None}, "give a Static and a Setting"),
    (run, {"params": None}, "give a Static and a Setting"),
    (run, {"static": STATIC._replace(tasks=2.0)}, "tasks is 2.0"),
    (run, {"state": None}, "give the state to go on from"),
    (run, {"state": start(*WIDER)}, "a network of other sizes"),
    (run, {"state": start(*LATER)}, "a network of other sizes"),
    (run, {"state": with_treasury(np.float32(1))}, "this one has float32, int64"),
    (run, {"state": with_treasury(3)}, "this one has int, int64"),
    (run, {"params": with_tip(5)}, "tip_micro must be an int64 array, got int"),
    (run, {"params": SETTING._replace(skill=SETTING.skill._replace(blind_q16_KR=BLIND[0]))}, "has shape (2,)"),
    (run, {"params": SETTING._replace(skill=SETTING.skill._replace(blind_q16_KR=BLIND - 1))}, "must be within 0"),
    (run_sweep, {"seeds": [1.5]}, "seed is 1.5"),
    (run_sweep, {"seeds": np.array([1.0])}, "choose a whole number"),
    (run_sweep, {"seeds": [1, 1]}, "names a seed twice"),
    (run_sweep, {"seeds": [2, -1]}, "seed is -1"),
    (run_sweep, {"seeds": []}, "at least one seed"),
    (run_sweep, {"seeds": 3}, "seeds is 3: give a list"),
    (run_sweep, {"seeds": "12"}, "seeds is '12': give a list"),
    (run_sweep, {"rounds": 1.0}, "rounds is 1.0"),
    (run_sweep, {"batch_runs": 0}, "choose 1 or more runs a batch"),
    (run_sweep, {"batch_runs": 1.5}, "choose 1 or more runs a batch"),
    (run_sweep, {"memory_bytes": -1}, "does not fit into"),
    (run_sweep, {"parallel": "threads"}, "choose jit, pmap or numpy"),
    (run_sweep, {"params_batch": None}, "give a Setting"),
    (run_sweep, {"params_batch": with_tip([1, 2])}, "must be an int64 array, got list"),
    (run_sweep, {"params_batch": with_tip(np.array([1.0, 2.0]))}, "must be an int64 array, got float64"),
    (run_sweep, {"params_batch": with_tip(np.zeros((0,), np.int64))}, "[0] settings"),
    (make, {"load": NAN}, "load is nan"),
    (make, {"canary_tell": float("inf")}, "canary_tell is inf"),
    (make, {"later_canary": NAN}, "later_canary is nan"),
    (make, {"lead_rounds": 2.5}, "lead_rounds is 2.5: it must be a whole number"),
    (make, {"tip_micro": 1.5}, "tip_micro is 1.5: it must be a whole number"),
    (make, {"tip_micro": 10**30}, "within +-10^15"),
    (make, {"seats": 3}, "seats is no size of a network"),
    (make, {"groups": [Group("a", 2.5, "both")]}, "groups.a.nodes is 2.5"),  # type: ignore[arg-type]
    (make, {"groups": [Group("a", 2, "both", dials=(1.5,))]}, "groups.a.dials.0 is 1.5"),  # type: ignore[arg-type]
    (make, {"groups": [Group("a", 2, "both", dials=(10**30,))]}, "within +-10^15"),
    (make, {"groups": [Group("a", 2, "both", recipe=-5)]}, "-1 for all by turns"),
    (make, {"kinds": [Kind("k", 1, 1, accuracy=NAN)]}, "kinds.k.accuracy is nan"),
    (make, {"kinds": [Kind("k", 1, 1, verifier_blind=NAN)]}, "kinds.k.verifier_blind is nan"),
    (make, {"models": Models(cap=float("inf"))}, "models.cap is inf"),
    # together 2^64 and a little: as int64 that wraps around to less than the supply
    (make, {"groups": [Group("rich", 18_448, "both", stake_pots=RICH)]}, "starts with 1844"),
    (make, {"models": Models(verifier_bias=None)}, "models.verifier_bias is None"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "changes", "sentence"), CASES)
def test_refused(call: Callable[..., Any], changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        call(**changes)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers() -> None:
    state = run(seed=np.int64(3), rounds=np.int32(1))
    assert int(state.round) == 1
    assert run_sweep(seeds=np.arange(2)).metrics.rounds.shape == (1, 2)
    static, _ = make(groups=[Group("a", np.int64(6), "both", stake_pots=np.float64(600))])  # type: ignore[arg-type]
    assert static.nodes == 7


def test_a_trace_looks_at_its_numbers_first() -> None:
    for rounds, every, sentence in ((-3, 1, "rounds is -3"), (3, 1.5, "every is 1.5"), (3, 0, "every is 0")):
        with pytest.raises(ValueError, match=sentence):
            trace(STATIC, SETTING, STATE, 1, rounds, every)  # type: ignore[arg-type]
