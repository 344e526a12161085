"""R4, R5, R7, R8, R9 when the truth of a task is known: wagers, voices, reputations, and the two dials b and I."""

from tests.consensus.oracle.arithmetic import DISCRIMINATOR, GENERATOR, ONE, clip, sigmoid_q16
from tests.consensus.oracle.settle import free_reserve, no_payments, seats_of
from tests.consensus.oracle.slashing import slash_node
from tests.consensus.oracle.tally import compute_discriminator_x, compute_generator_x


def score_confidence(confidence_q16: int, y_q16: int) -> int:
    """R7: S = (1 + y - (c - y)^2) / 2, floored once to Q16."""
    return ((ONE + y_q16) * ONE - (confidence_q16 - y_q16) ** 2) // (2 * ONE)


def score_verdict(params: dict, q_q16: int, y_q16: int) -> int:
    """R7: S = t/2 + (1 - (q-y)^2)/2 + [q>t] * ((1-t)*y - t*(1-y))/2 with t = .75, floored once to Q16."""
    t = params["false_flag_threshold_q16"]
    doubled = t * ONE + ONE * ONE - (q_q16 - y_q16) ** 2
    if q_q16 > t:
        doubled += (ONE - t) * ONE if y_q16 == ONE else -t * ONE
    return doubled // (2 * ONE)


def compute_wager_payoff(wager_micro: int, mine_q16: int, scores_q16: list[int], house_q16: int) -> int:
    """R7: Pi_i of weighted-score wagering against the other seats and as many of the house's."""
    n = len(scores_q16)
    numerator = wager_micro * (2 * n * ONE + 2 * n * mine_q16 - sum(scores_q16) - n * house_q16)
    return numerator // (2 * n * ONE)


def _judge_seats(world: dict, round: dict, outcome: dict, truth: list[int]) -> tuple[dict, dict]:
    """What each revealed seat is judged by, for each role: {seat: (node, S, S of the house, x, y, correct)}.

    A verdict without evidence is scored as the house's quote, and is neither correct nor wrong (None).
    """
    params, b = world["params"], world["network"]["base_rate_q16"]
    judged: tuple[dict, dict] = ({}, {})
    for node, role, seat, revealed in seats_of(round):
        if not revealed:
            continue
        if role == GENERATOR:
            y = ONE if truth[round["answer"][seat]] else 0
            confidence = round["confidence_q16"][seat]
            mine, house = score_confidence(confidence, y), score_confidence(ONE - b, y)
            judged[role][seat] = (node, mine, house, compute_generator_x(params, confidence), y, y == ONE)
        elif outcome["drawn"] >= 0:
            j = outcome["drawn"]
            q = round["verdict_q16"][seat][j] if round["evidence"][seat][j] else b
            false = 0 if truth[j] else ONE
            mine, house = score_verdict(params, q, false), score_verdict(params, b, false)
            x = compute_discriminator_x(world, round, seat, j)
            correct = (2 * q >= ONE) == (false == ONE) if round["evidence"][seat][j] else None
            judged[role][seat] = (node, mine, house, x, ONE - false, correct)
    return judged


def _settle_role_wagers(world: dict, round: dict, outcome: dict, role: int, judged: dict, payments: dict) -> int:
    """R7 and R3: pay back the judged seats, forfeit the hidden ones; returns S_0.

    Without any answer discriminators had nothing to judge, and their wagers come back as they were.
    """
    network, nodes = world["network"], world["nodes"]
    wager = round["wager_micro"][role]
    scores = [entry[1] for entry in judged.values()]
    house = sum(entry[2] for entry in judged.values()) // len(judged) if judged else 0
    free_reserve(world, round, role)
    for node, seat_role, seat, revealed in seats_of(round):
        if seat_role != role:
            continue
        nodes[node]["locked_micro"] -= wager
        if not revealed and (role == GENERATOR or outcome["drawn"] >= 0):
            nodes[node]["bonded_micro"] -= wager
            network["treasury_micro"] += wager
            payments["forfeit_micro"][node] -= wager
        elif seat in judged:
            won = compute_wager_payoff(wager, judged[seat][1], scores, house) - wager
            nodes[node]["bonded_micro"] += won
            network["purse_micro"] -= won
            payments["wager_micro"][node] += won
    return house


def _learn(world: dict, node: dict, role: int, judged: tuple, house_q16: int) -> bool:
    """R4 beta, R8 evidence sum, R9 counters of one node; returns whether it is to be jailed."""
    params = world["params"]
    _, mine, _, x, y, correct = judged
    beta = node["beta_q16"][role]
    step = x * (y - sigmoid_q16(beta * x // ONE)) // (4096 << params["beta_rate_shift"])
    node["beta_q16"][role] = clip(beta + step, 0, ONE)

    node["cusum_q16"][role] = max(0, node["cusum_q16"][role] + house_q16 - mine - params["cusum_delta_q16"])
    if correct is not None:
        node["good_q8"][role] -= node["good_q8"][role] >> params["good_decay_shift"]
        node["bad_q8"][role] -= node["bad_q8"][role] >> params["bad_decay_shift"]
        node["good_q8" if correct else "bad_q8"][role] += 256
    return node["cusum_q16"][role] > params["cusum_limit_q16"]


def settle_audit(world: dict, round: dict, outcome: dict, truth_C: list[int], is_random: int) -> dict:
    """Everything that only audited evidence may change; returns the payments. Overturning is the caller's."""
    params, network, nodes = world["params"], world["network"], world["nodes"]
    payments = no_payments(world)
    judged = _judge_seats(world, round, outcome, truth_C)
    house = [
        _settle_role_wagers(world, round, outcome, role, judged[role], payments) for role in (GENERATOR, DISCRIMINATOR)
    ]

    for role in (GENERATOR, DISCRIMINATOR):
        once = {entry[0]: entry for entry in judged[role].values()}
        for i in sorted(once):
            if _learn(world, nodes[i], role, once[i], house[role]):
                payments["slash_micro"][i] -= slash_node(world, i, params["cusum_slash_q16"])
                nodes[i]["jailed_until"] = max(nodes[i]["jailed_until"], network["height"] + params["jail_blocks"])
                nodes[i]["cusum_q16"][role] = 0

    if judged[GENERATOR]:
        false_seats = len([entry for entry in judged[GENERATOR].values() if not entry[5]])
        b = network["base_rate_q16"]
        b += (false_seats * ONE // len(judged[GENERATOR]) - b) >> params["base_rate_shift"]
        network["base_rate_q16"] = clip(b, params["base_rate_min_q16"], params["base_rate_max_q16"])
    if is_random and outcome["accepted"] >= 0:
        error = 0 if truth_C[outcome["accepted"]] else ONE
        moved = network["integral_q12"] + ((error - params["epsilon_q16"]) >> (4 + params["integral_shift"]))
        network["integral_q12"] = clip(moved, params["integral_min_q12"], params["integral_max_q12"])
    return payments
