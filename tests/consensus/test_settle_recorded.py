"""`settle_recorded` against the ledger it was recorded from: the same state and payments, to the micro-token."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import consensus
from consensus import presets
from consensus.engine.local import LocalEngine
from consensus.ledger import events
from consensus.ledger.app import App
from consensus.ledger.errors import LedgerError
from consensus.ledger.messages import Transfer, sign_message
from consensus.ledger.recording import Recording, record
from consensus.ledger.replay import replay, replay_blocks
from consensus.ledger.store import Store
from consensus.node import run
from consensus.rules.supply import compute_supply_micro
from consensus.simulator import run as simulator_run
from consensus.simulator.resettle import Resettled, settle_recorded
from consensus.units import SUPPLY_CAP_MICRO
from tests.consensus.ledger.network import CHAIN, key, lively_nodes, play, small_genesis


def truths(prompt: str) -> tuple[str, ...]:
    return (f"right {prompt}",)


@pytest.fixture(scope="module", autouse=True)
def _quick_compile() -> None:
    simulator_run.COMPILER_OPTIONS.update(xla_backend_optimization_level=0, xla_cpu_use_fusion_emitters=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    play(folder, 40)
    return folder


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return record(folder, truths)


@pytest.fixture(scope="module")
def settled(recording: Recording) -> Resettled:
    return settle_recorded(recording.recorded.params, recording.recorded)


def test_the_state_is_the_ledgers(folder: Path, settled: Resettled) -> None:
    with Store.open(folder, read_only=True) as store:
        app = App()
        app.init_chain(store.genesis())
        for _ in replay_blocks(store, app):
            pass
    for mine, ledgers in ((settled.network, app.state.network), (settled.nodes, app.state.nodes)):
        for name in mine._fields:
            assert np.array_equal(getattr(mine, name), getattr(ledgers, name)), name


def test_every_task_paid_what_the_ledger_paid(folder: Path, recording: Recording, settled: Resettled) -> None:
    wanted: dict[str, defaultdict] = {name: defaultdict(int) for name in ("moved", "fee", "wager", "forfeit", "slash")}
    leaf = {
        events.GENERATOR_FEE: "fee",
        events.DISCRIMINATOR_FEE: "fee",
        events.WAGER: "wager",
        events.FORFEIT: "forfeit",
        events.NON_REVEAL: "slash",
        events.POOR_PERFORMANCE: "slash",
    }
    found = replay(folder).events
    for event in found:
        if not hasattr(event, "task_id") or not hasattr(event, "payments"):
            continue
        for paid in event.payments:
            place = recording.task_ids.index(event.task_id), recording.keys.index(paid.key)
            wanted["moved"][place] += paid.amount_micro
            if paid.reason in leaf:
                wanted[leaf[paid.reason]][place] += paid.amount_micro
    ours = {"moved": settled.moved_micro_TN}
    ours |= {name.removesuffix("_micro_N"): leaf for name, leaf in settled.paid_TN._asdict().items()}
    for name, amounts in wanted.items():
        assert amounts, f"the ledger of this test should hold payments of the kind {name}"
        table = np.zeros_like(settled.moved_micro_TN)
        for place, amount in amounts.items():
            table[place] = amount
        assert np.array_equal(ours[name], table), name
    for event in found:
        if isinstance(event, events.Settled):
            t = recording.task_ids.index(event.task_id)
            assert (settled.accepted_T[t], settled.reason_T[t]) == (event.accepted, event.reason_code)
            assert (settled.margin_q12_T[t], settled.tau_q12_T[t]) == (event.margin_q12, event.tau_q12)
            assert settled.is_audited_T[t] == (event.audit != "none")
            # A canary that nobody can answer has no right answer, whatever the prompt says.
            unanswerable = event.audit == "canary" and int(event.prompt[1:]) % 10 == 5
            right = -1 if event.accepted < 0 else event.accepted_text == f"right {event.prompt}" and not unanswerable
            assert settled.is_right_T[t] == right


def test_numpy_gives_the_same_bits(recording: Recording, settled: Resettled) -> None:
    import jax

    other = settle_recorded(recording.recorded.params, recording.recorded, backend="numpy")
    for mine, numpys in zip(jax.tree.leaves(settled), jax.tree.leaves(other), strict=True):
        assert mine.dtype == numpys.dtype == np.int64
        assert np.array_equal(mine, numpys)


def test_another_law(recording: Recording, settled: Resettled) -> None:
    """A threshold that nothing reaches accepts nothing; audits that pick everything audit what somebody knows."""
    params, recorded = recording.recorded.params, recording.recorded
    strict = params._replace(tau_min_q12=params.tau_max_q12 * 0 + 6 * 4096)
    none = settle_recorded(strict, recorded)
    assert np.any(settled.accepted_T >= 0) and np.all(none.accepted_T == -1)
    assert np.all(none.paid_TN.fee_micro_N == 0) and np.all(none.moved_micro_TN.sum(axis=1) != 0)
    assert int(compute_supply_micro(none.network, none.nodes)) == SUPPLY_CAP_MICRO

    eager = params._replace(random_audit_rate_q16=np.asarray(presets.q16(0.75), np.int64))
    audited = settle_recorded(eager, recorded)
    assert audited.is_audited_T.sum() > settled.is_audited_T.sum()
    assert np.all(audited.is_audited_T >= settled.is_audited_T), "who was picked at a lower rate is picked at a higher"
    assert int(compute_supply_micro(audited.network, audited.nodes)) == SUPPLY_CAP_MICRO
    assert int(audited.network.purse_reserved_micro) == 0 and not np.any(audited.nodes.locked_micro_N)
    assert not np.any(audited.nodes.escrow_micro_N)


def test_without_truths_a_new_audit_expires(folder: Path) -> None:
    """Nobody knows the truth of what was not audited: its wagers come back unscored."""
    recorded = record(folder).recorded
    eager = recorded.params._replace(random_audit_rate_q16=np.asarray(presets.q16(0.75), np.int64))
    found = settle_recorded(eager, recorded, backend="numpy")
    unknown_T = recorded.tasks.is_known_T == 0
    assert np.any(unknown_T)
    assert np.all(found.is_audited_T[unknown_T] == 0) and np.all(found.is_right_T[unknown_T] == -1)
    assert not np.any(found.paid_TN.wager_micro_N[unknown_T]) and not np.any(found.nodes.locked_micro_N)


def test_refusals(recording: Recording, tmp_path: Path) -> None:
    params, recorded = recording.recorded.params, recording.recorded
    with pytest.raises(ValueError, match="choose one of jit, numpy"):
        settle_recorded(params, recorded, backend="cuda")
    with pytest.raises(ValueError, match="theta0"):
        settle_recorded(params._replace(theta0_q16=params.theta0_q16 * 0 - 1), recorded)
    poor = recorded._replace(nodes=recorded.nodes._replace(liquid_micro_N=recorded.nodes.liquid_micro_N * 0))
    with pytest.raises(ValueError, match="could not have paid"):
        settle_recorded(params, poor)
    with LocalEngine.create(tmp_path, small_genesis(), key("sequencer")) as engine:
        for _ in zip(range(3), run(engine, lively_nodes(2)), strict=False):
            pass
        engine.submit(sign_message(key("g0"), CHAIN, 1 << 20, 1 << 30, Transfer(key("g1").public, 1)))
        engine.step()
    with pytest.raises(LedgerError, match="holds a Transfer"):
        record(tmp_path)


def test_the_door() -> None:
    assert consensus.settle_recorded is settle_recorded
