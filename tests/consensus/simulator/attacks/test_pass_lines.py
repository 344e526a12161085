"""The law's attack table at the demo's parameters: every line is kept.

One test plays everything, so that the program is compiled once. A few lines need more runs to be told than a test has;
docs/ATTACKS.md has them at full size.
"""

import numpy as np
import pytest

from consensus import presets
from consensus.rules import settle
from consensus.rules.seats import compute_seat_weights
from consensus.simulator.attacks import Size, cast, list_attacks, measure, playing
from consensus.state import Nodes, Params

# Readings that this small run cannot settle.
OPEN = {
    ("cartel", "patient cartel"),
    ("laziness", "crowd reader: gain after effort"),
    ("flagging", "ring of 0.2: generators' loss minus the ring's"),
    ("farming", "discriminator: profit of the best period"),
    ("paraphrase", "splitter: gain against plain words"),
    ("ablations", "who reads before he answers"),
}


def is_listed(rows: set[tuple[str, str]], name: str, measure: str) -> bool:
    return any(name == attack and part in measure for attack, part in rows)


def test_every_attack_keeps_its_pass_line_at_the_demos_parameters() -> None:
    reports = measure(Size(presets.demo(), seeds=8, rounds=24))
    assert list(reports) == list(list_attacks())
    wrong = []
    for name, report in reports.items():
        assert report.readings
        for reading in report.readings:
            expected = {"pass"}
            if is_listed(OPEN, name, reading.measure):
                expected = {"pass", "open"}
            if reading.verdict not in expected:
                wrong.append(f"{name}: {reading} is {reading.verdict}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_a_network_that_caps_stakes_pays_for_splitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats that stop growing at an honest node's stake: the Sybil instrument must see it (R2)."""
    size = Size(presets.demo(), seeds=8, rounds=24)
    cap = round(cast.STAKE_POTS * cast.get_tip_pot_micro(size.law))

    def capped(params: Params, network: object, nodes: Nodes, *rest: object) -> np.ndarray:
        few = nodes._replace(bonded_micro_N=nodes.bonded_micro_N.clip(max=cap))
        return compute_seat_weights(params, network, few, *rest)

    monkeypatch.setattr(settle, "compute_seat_weights", capped)
    playing._compiled.cache_clear()
    try:
        readings = measure(size, ["sybil"])["sybil"].readings
    finally:
        playing._compiled.cache_clear()
    assert [reading.verdict for reading in readings] == ["fail"] * 4, readings
