"""R4, R5: what the seats said becomes a score for each candidate, and one is accepted or none."""

from tests.consensus.oracle.arithmetic import DISCRIMINATOR, GENERATOR, ONE, clip, logit_q12

ACCEPTED, NO_ANSWER, QUORUM, ONE_NODE, NO_SUPPORT, BELOW_THRESHOLD = range(6)


def compute_generator_x(params: dict, confidence_q16: int) -> int:
    """R4: x_G = clip(logit c, +-3)."""
    limit = params["evidence_clip_q12"]
    return clip(logit_q12(confidence_q16), -limit, limit)


def compute_discriminator_x(world: dict, round: dict, seat: int, candidate: int) -> int:
    """R4: x_D = -clip(logit q - logit b, +-3); 0 if the verdict names no evidence."""
    if not round["evidence"][seat][candidate]:
        return 0
    limit = world["params"]["evidence_clip_q12"]
    surprise = logit_q12(round["verdict_q16"][seat][candidate]) - logit_q12(world["network"]["base_rate_q16"])
    return -clip(surprise, -limit, limit)


def revealed_generator_seats(round: dict) -> list[int]:
    """Seats that revealed an answer in time."""
    return [g for g, answer in enumerate(round["answer"]) if answer >= 0]


def revealed_discriminator_seats(round: dict) -> list[int]:
    """Seats that revealed their verdicts in time."""
    return [d for d, revealed in enumerate(round["revealed"]) if revealed]


def compute_difficulty_q16(round: dict) -> int:
    """R5: the share of ordered pairs of generator seats that disagree; 0 below two seats."""
    answers = [round["answer"][g] for g in revealed_generator_seats(round)]
    if len(answers) < 2:
        return 0
    disagreeing = 0
    for a in range(len(answers)):
        for b in range(len(answers)):
            disagreeing += answers[a] != answers[b]
    return disagreeing * ONE // (len(answers) * (len(answers) - 1))


def compute_tau_q12(params: dict, integral_q12: int, difficulty_q16: int) -> int:
    """R5: tau = clip(logit theta0 + 1.25*(d - .3) + I, logit .60, 6.0)."""
    harder = params["difficulty_slope_q12"] * (difficulty_q16 - params["difficulty_centre_q16"]) // ONE
    return clip(logit_q12(params["theta0_q16"]) + harder + integral_q12, params["tau_min_q12"], params["tau_max_q12"])


def _discount_q12(total_q12: int, seats: int, rho_q16: int) -> int:
    """R4: a role's summed evidence over 1 + (n - 1) * rho, so clones count for little more than one."""
    return total_q12 * ONE // (ONE + (seats - 1) * rho_q16) if seats > 0 else 0


def compute_tally(world: dict, round: dict) -> dict:
    """R4 and R5 for one round: the fields of an Outcome, except the two draws."""
    params, nodes = world["params"], world["nodes"]
    seats_G, seats_D = len(round["generator"]), len(round["discriminator"])
    kappa = params["kappa_q12"][round["task_class"]]
    rho = params["rho_q16"][round["task_class"]]
    generators, discriminators = revealed_generator_seats(round), revealed_discriminator_seats(round)
    candidates = sorted({round["answer"][g] for g in generators})

    evidence_G = [0] * seats_G
    for g in generators:
        beta = nodes[round["generator"][g]]["beta_q16"][GENERATOR]
        evidence_G[g] = beta * (compute_generator_x(params, round["confidence_q16"][g]) + kappa) // ONE
    evidence_DC = [[0] * seats_G for _ in range(seats_D)]
    for d in discriminators:
        beta = nodes[round["discriminator"][d]]["beta_q16"][DISCRIMINATOR]
        for j in candidates:
            evidence_DC[d][j] = beta * compute_discriminator_x(world, round, d, j) // ONE

    score_C, generator_C, discriminator_C, support_C = ([0] * seats_G for _ in range(4))
    for j in candidates:
        mine = sum(evidence_G[g] for g in generators if round["answer"][g] == j)
        support_C[j] = sum(evidence_DC[d][j] for d in discriminators)
        generator_C[j] = _discount_q12(mine, len(generators), rho[GENERATOR])
        discriminator_C[j] = _discount_q12(support_C[j], len(discriminators), rho[DISCRIMINATOR])
        score_C[j] = generator_C[j] + discriminator_C[j] - kappa

    difficulty = compute_difficulty_q16(round)
    tau = compute_tau_q12(params, world["network"]["integral_q12"], difficulty)
    best, margin = -1, 0
    if candidates:
        best = min(candidates, key=lambda j: (-score_C[j], j))
        margin = score_C[best] - max([0, *(score_C[j] for j in candidates if j != best)])

    reason = ACCEPTED
    if not candidates:
        reason = NO_ANSWER
    elif 3 * len(generators) < 2 * seats_G or 3 * len(discriminators) < 2 * seats_D:
        reason = QUORUM
    elif len({round["generator"][g] for g in generators}) < 2:
        reason = ONE_NODE
    elif support_C[best] <= 0:
        reason = NO_SUPPORT
    elif margin < tau:
        reason = BELOW_THRESHOLD
    return {
        "accepted": best if reason == ACCEPTED else -1,
        "reason": reason,
        "score_q12": score_C,
        "generator_score_q12": generator_C,
        "discriminator_score_q12": discriminator_C,
        "generator_evidence_q12": evidence_G,
        "discriminator_evidence_q12": evidence_DC,
        "margin_q12": margin,
        "tau_q12": tau,
        "difficulty_q16": difficulty,
    }
