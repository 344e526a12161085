"""The fee of EIP-1559 (R1) and the report that pays best in the wager (R7), by the law's own functions."""

from typing import Any

import numpy as np

from consensus import presets
from consensus.rules import fee, settle
from consensus.state import DISCRIMINATOR, GENERATOR, Network, Nodes, Outcome, Params, Round
from consensus.units import Q16
from consensus.validation.rows import Row

EIP_1559 = "EIP-1559, Specification (denominator 8, elasticity 2)"
EIP_NUMBERS = ((30, 1_125_000_000), (0, 875_000_000), (15, 1_000_000_000))  # million gas used, next base fee
MILLION = 10**6
LAMBERT = "Lambert et al., Self-financed wagering mechanisms (EC 2008), theorem 1"
BELIEF, PEERS = 0.7, 0.9
WAGER = 10**9
SEATS = 3  # of each role
ROLES = ((GENERATOR, "confidence"), (DISCRIMINATOR, "verdict"))


def list_rows() -> list[Row]:
    """Three blocks of EIP-1559, and both roles' best report."""
    rows = []
    for used, expected in EIP_NUMBERS:
        given = f"base 1e9, used {used}M, target 15M"
        ours = float(compute_next_fee(10**9, used * MILLION, 15 * MILLION))
        rows.append(Row("EIP-1559 base fee", given, "fee R1", EIP_1559, (float(expected),), (ours,), 0.0))
    for role, name in ROLES:
        given = f"belief {BELIEF}, peers say {PEERS}, a {name}"
        ours = find_best_report(BELIEF, role)
        rows.append(Row("wager: best report", given, "settle_audit R7", LAMBERT, (BELIEF,), (ours,), 2e-3))
    return rows


def compute_next_fee(base_fee: int, used: int, target: int) -> int:
    """R1's base fee after a block."""
    params = presets.reference()._replace(target_tasks=np.asarray(target))
    return int(fee.compute_base_fee(params, np.asarray(base_fee), np.asarray(used)))


def find_best_report(belief: float, role: int) -> float:
    """The report with the highest expected result for who believes `belief`; the middle of those equally good.

    Tries all of 0 to 1 in steps of 1/32 and the neighbourhood of the belief in steps of .0005. S is floored to
    1/65,536, so reports that win as much to within that are equally good.
    """
    reports = sorted({i / 32 for i in range(33)} | {min(max(belief + i * 0.0005, 0.0), 1.0) for i in range(-8, 9)})
    wins = {report: compute_expected_win(report, belief, role) for report in reports}
    best = [report for report, win in wins.items() if win >= max(wins.values()) - WAGER / Q16]
    return sum(best) / len(best)


def compute_expected_win(report: float, belief: float, role: int) -> float:
    """What the first seat of a role expects to win, in micro-tokens, if its peers and the other role say `PEERS`.

    A generator's event is that its answer is true, a discriminator's that the answer is false.
    """
    said = {GENERATOR: [PEERS] * SEATS, DISCRIMINATOR: [PEERS] * SEATS}
    said[role][0] = report
    round = make_round([0] * SEATS, said[GENERATOR], said[DISCRIMINATOR], WAGER)
    state = make_state(2 * SEATS, WAGER)
    expected = 0.0
    for happens, chance in ((0, 1 - belief), (1, belief)):
        payments = audit(round, state, is_true=happens if role == GENERATOR else 1 - happens)[-1]
        expected += chance * int(payments.wager_micro_N[SEATS * role])
    return expected


def make_round(answers: list[int], confidences: list[float], verdicts: list[float], wager: int) -> Round:
    """Generators 0.. answer; the nodes after them judge candidate 0, and found evidence on no other."""
    seats_G, seats_D = len(answers), len(verdicts)
    first_DC = np.zeros((seats_D, seats_G), dtype=np.int64)
    first_DC[:, 0] = 1
    return Round(
        task_class=_int64(1),
        fee_micro=_int64(0),
        tip_micro=_int64(0),
        emission_micro=_int64(0),
        flat_fee_micro_R=_int64([0, 0]),
        wager_micro_R=_int64([wager, wager]),
        generator_G=_int64(range(seats_G)),
        discriminator_D=_int64(range(seats_G, seats_G + seats_D)),
        answer_G=_int64(answers),
        confidence_q16_G=_int64([round(c * Q16) for c in confidences]),
        revealed_D=_int64([1] * seats_D),
        verdict_q16_DC=first_DC * _int64([round(q * Q16) for q in verdicts])[:, None],
        evidence_DC=first_DC,
    )


def make_state(nodes: int, wager: int = 0, beta_q16: int = Q16) -> tuple[Params, Network, Nodes]:
    """The reference parameters, and nodes that backed `wager` each with a purse that backed the house's."""
    params = presets.reference()
    stake_N, role_NR = np.full(nodes, 10**13), np.ones((nodes, 2), dtype=np.int64)
    network, state = presets.genesis(params, stake_N, stake_N, role_NR, 0, 10**13, 0)
    network = network._replace(purse_reserved_micro=_int64(2 * ((nodes // 2 * wager + 1) // 2)))
    return params, network, state._replace(locked_micro_N=_int64([wager] * nodes), beta_q16_NR=beta_q16 * role_NR)


def audit(round: Round, state: tuple[Params, Network, Nodes], is_true: int) -> tuple[Any, ...]:
    """Network, nodes and payments after the truth about candidate 0 is known; every other candidate is false."""
    outcome = Outcome(**{name: _int64(0) for name in Outcome._fields})._replace(accepted=_int64(-1))
    truth_C = np.zeros(len(round.generator_G), dtype=np.int64)
    truth_C[0] = is_true
    return settle.settle_audit(*state, round, outcome, truth_C, _int64(0))


def _int64(value: Any) -> np.ndarray:
    return np.asarray(list(value) if isinstance(value, range) else value, dtype=np.int64)
