"""Hypothesis strategies for everything the law talks about, within its legal ranges and often at their ends.

They draw the oracle's plain dicts (`tests.consensus.oracle`); `tests.consensus.bridge` turns those into the package's
arrays. `worlds` conserves supply: the reserve is what the other accounts leave.
"""

from typing import Any

from hypothesis import strategies as st

SUPPLY_CAP = 10**15
TIP_MAX = 1 << 36
FOREVER = 1 << 62
ONE = 65536

# The law's defaults, as written in docs/PROTOCOL.md; K = 3 classes, the second one two-way (kappa 0).
LAW: dict[str, Any] = {
    "base_fee_denominator": 8,
    "target_tasks": 4,
    "answer_commit_blocks": 2,
    "answer_reveal_blocks": 2,
    "verdict_commit_blocks": 2,
    "verdict_reveal_blocks": 2,
    "canary_reveal_blocks": 2,
    "stake_min_micro": 1_000_000,
    "reputation_prior_q8": 256,
    "reputation_floor_q16": ONE // 4,
    "evidence_clip_q12": 3 * 4096,
    "beta_start_q16": ONE // 2,
    "beta_rate_shift": 4,
    "kappa_q12": [6144, 0, 6144],
    "rho_q16": [[19661, 32768], [0, 58982], [19661, 32768]],
    "theta0_q16": 52429,
    "difficulty_slope_q12": 5120,
    "difficulty_centre_q16": 19661,
    "tau_min_q12": 1661,
    "tau_max_q12": 6 * 4096,
    "epsilon_q16": 1311,
    "integral_shift": 2,
    "integral_min_q12": -6144,
    "integral_max_q12": 18432,
    "canary_rate_q16": 3277,
    "random_audit_rate_q16": 1966,
    "challenge_window_blocks": 64,
    "challenge_bond_fees": 2,
    "challenge_burn_q16": 13108,
    "pot_share_generators": 30,
    "pot_share_discriminators": 5,
    "pot_share_purse": 50,
    "pot_share_proposer": 5,
    "pot_share_treasury": 10,
    "wager_fees": [6, 60],
    "false_flag_threshold_q16": 49152,
    "base_rate_start_q16": 29491,
    "base_rate_min_q16": 656,
    "base_rate_max_q16": 64880,
    "base_rate_shift": 6,
    "non_reveal_slash_q16": 66,
    "equivocation_slash_q16": 3277,
    "equivocation_multiplier": 3,
    "cusum_delta_q16": 3277,
    "cusum_limit_q16": 4 * ONE,
    "cusum_slash_q16": 1311,
    "jail_blocks": 600,
    "slash_burn_q16": ONE // 2,
    "finder_divisor": 512,
    "good_decay_shift": 6,
    "bad_decay_shift": 7,
    "unbonding_blocks": 30_240,
    "exit_churn_q16": 6554,
    "emission_rate_q32": 2000,
}


def _at(low: int, high: int, *special: int) -> st.SearchStrategy[int]:
    """An int in [low, high]: anywhere, at an end, or one of the values where something happens."""
    ends = [low, high, *(value for value in special if low <= value <= high)]
    return st.one_of(st.sampled_from(ends), st.integers(low, high))


probabilities = _at(0, ONE, 1, 656, 32767, 32768, 49152, 49153, 65535)
amounts = st.one_of(st.sampled_from([0, 1]), st.integers(0, 10**7), st.integers(0, 10**12))


def largest_wager(params: dict[str, Any], role: int, seats: int) -> int:
    """What m is at the largest pot: the tip's bound plus the emission on the whole supply."""
    shares = [params[f"pot_share_{name}"] for name in ("generators", "discriminators", "purse", "proposer", "treasury")]
    pot = TIP_MAX + SUPPLY_CAP * params["emission_rate_q32"] // 2**32
    flat_fee = pot * shares[role] // sum(shares) // seats
    return params["wager_fees"][role] * flat_fee * ONE // (params["canary_rate_q16"] + params["random_audit_rate_q16"])


_POT_SHARES = [f"pot_share_{name}" for name in ("generators", "discriminators", "purse", "proposer", "treasury")]
_PARAMETER_RANGES = {
    "base_fee_denominator": st.integers(1, 64),
    "target_tasks": st.one_of(st.integers(1, 32), st.just(4096)),
    "stake_min_micro": _at(1, 10**6),
    "reputation_prior_q8": _at(1, 1 << 20),
    "reputation_floor_q16": _at(1, ONE),
    "evidence_clip_q12": _at(1, 8 * 4096),
    "beta_rate_shift": _at(0, 40, 4),
    "kappa_q12": st.lists(_at(0, 16 * 4096), min_size=3, max_size=3),
    "rho_q16": st.lists(st.lists(probabilities, min_size=2, max_size=2), min_size=3, max_size=3),
    "theta0_q16": probabilities,
    "difficulty_slope_q12": _at(0, 16 * 4096),
    "difficulty_centre_q16": probabilities,
    "tau_min_q12": _at(1, 4096),
    "tau_max_q12": _at(4096, 8 * 4096),
    "epsilon_q16": probabilities,
    "integral_shift": _at(0, 40, 2),
    "integral_min_q12": _at(-16 * 4096, 0),
    "integral_max_q12": _at(0, 16 * 4096),
    "canary_rate_q16": _at(1, ONE // 2),
    "random_audit_rate_q16": _at(0, ONE // 2),
    "challenge_burn_q16": _at(13108, ONE),
    "wager_fees": st.tuples(st.integers(0, 64), st.integers(0, 128)).map(list),
    "false_flag_threshold_q16": probabilities,
    "base_rate_shift": _at(0, 40, 6),
    "non_reveal_slash_q16": _at(0, ONE),
    "equivocation_slash_q16": _at(0, ONE),
    "equivocation_multiplier": st.integers(0, 16),
    "cusum_delta_q16": _at(0, ONE),
    "cusum_limit_q16": _at(0, 4 * ONE),
    "cusum_slash_q16": _at(0, ONE),
    "jail_blocks": st.integers(0, 600),
    "slash_burn_q16": _at(0, ONE // 2),
    "finder_divisor": st.integers(512, 4096),
    "good_decay_shift": _at(0, 40, 6),
    "bad_decay_shift": _at(0, 40, 7),
    "unbonding_blocks": st.integers(1, 5),
    "exit_churn_q16": _at(1, ONE),
    "emission_rate_q32": _at(0, 4095),
    "pot_shares": st.lists(st.integers(0, 800), min_size=5, max_size=5).filter(any),
}


@st.composite
def params(draw: st.DrawFn, seats_G: int = 4, seats_D: int = 4) -> dict[str, Any]:
    """The law's parameters with any changed, within its arithmetic's bounds; whether cheating pays is not asked."""
    drawn: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=_PARAMETER_RANGES))
    shares = drawn.pop("pot_shares", [LAW[name] for name in _POT_SHARES])
    values = {**LAW, **drawn, **dict(zip(_POT_SHARES, shares, strict=True))}
    # A parameter set whose largest wager could leave 62 bits is refused by `check_params`: wager less.
    for role, seats in enumerate((seats_G, seats_D)):
        while largest_wager(values, role, seats) >= 2**62 // (seats << 18):
            fees = list(values["wager_fees"])
            fees[role] //= 2
            values["wager_fees"] = fees
    return values


@st.composite
def node_rows(draw: st.DrawFn, height: int = 0) -> dict[str, Any]:
    """One account: a staked newcomer with any leaf changed; part of the stake may back other tasks' wagers."""
    counters = st.lists(st.integers(0, 1 << 15), min_size=2, max_size=2)
    row: dict[str, Any] = {
        "liquid_micro": 10**9,
        "bonded_micro": 10**12,
        "locked_micro": 0,
        "unbonding_micro": 0,
        "unbonding_release": 0,
        "escrow_micro": 0,
        "role": [1, 1],
        "good_q8": [0, 0],
        "bad_q8": [0, 0],
        "beta_q16": [ONE // 2, ONE // 2],
        "cusum_q16": [0, 0],
        "jailed_until": 0,
    }
    changes = {
        "liquid_micro": amounts,
        "bonded_micro": st.one_of(amounts, st.integers(10**12, 4 * 10**13), st.integers(10**12, 4 * 10**13)),
        "unbonding_micro": amounts,
        "unbonding_release": _at(0, height + 2, height),
        "escrow_micro": amounts,
        "role": st.sampled_from([[1, 0], [0, 1], [0, 0], [1, 1]]),
        "good_q8": counters,
        "bad_q8": counters,
        "beta_q16": st.lists(probabilities, min_size=2, max_size=2),
        "cusum_q16": st.lists(_at(0, 4 * ONE), min_size=2, max_size=2),
        "jailed_until": st.sampled_from([0, 0, height, height + 1, FOREVER]),
    }
    row |= draw(st.fixed_dictionaries({}, optional=changes))
    row["locked_micro"] = row["bonded_micro"] * draw(st.sampled_from([0, 0, 1, 5, 8])) // 8
    return row


@st.composite
def worlds(draw: st.DrawFn, seats_G: int = 4, seats_D: int = 4, max_nodes: int = 6) -> dict[str, Any]:
    """Parameters, network and nodes that hold the whole supply between them."""
    chosen = draw(params(seats_G, seats_D))
    height = draw(_at(1, 1 << 40))
    nodes = draw(st.lists(node_rows(height), min_size=1, max_size=max_nodes))
    network: dict[str, Any] = dict.fromkeys(
        ("burned_micro", "task_escrow_micro", "challenge_bonds_micro", "exiting_micro"), 0
    )
    network |= {"treasury_micro": 10**12, "purse_micro": 10**12, "base_fee_micro": 10**6, "integral_q12": 0}
    network |= {"base_rate_q16": LAW["base_rate_start_q16"]}
    changes = {
        **dict.fromkeys(("treasury_micro", "task_escrow_micro", "challenge_bonds_micro", "base_fee_micro"), amounts),
        **dict.fromkeys(("burned_micro", "exiting_micro"), amounts),
        "purse_micro": st.one_of(amounts, st.integers(0, 10**13)),
        "integral_q12": _at(chosen["integral_min_q12"], chosen["integral_max_q12"], 0),
        "base_rate_q16": _at(chosen["base_rate_min_q16"], chosen["base_rate_max_q16"], 32768),
    }
    network |= draw(st.fixed_dictionaries({"height": st.just(height)}, optional=changes))
    network["purse_reserved_micro"] = network["purse_micro"] * draw(st.sampled_from([0, 0, 1, 7, 8])) // 8
    accounts = ("liquid_micro", "bonded_micro", "unbonding_micro", "escrow_micro")
    pools = ("treasury_micro", "burned_micro", "purse_micro", "task_escrow_micro", "challenge_bonds_micro")
    held = sum(node[name] for node in nodes for name in accounts) + sum(network[name] for name in pools)
    network["reserve_micro"] = SUPPLY_CAP - held
    return {"params": chosen, "network": network, "nodes": nodes}


def seat_draws(seats: int) -> st.SearchStrategy[list[list[int]]]:
    """Sixteen beacon bytes a seat."""
    return st.binary(min_size=16 * seats, max_size=16 * seats).map(
        lambda drawn: [list(drawn[16 * i : 16 * i + 16]) for i in range(seats)]
    )


@st.composite
def reveals(draw: st.DrawFn, round_: dict[str, Any]) -> dict[str, Any]:
    """What the seats of an open round reveal: anything, or mostly one answer that the verdicts support, or little."""
    seats_G = len(round_["generator"])
    mood = draw(st.sampled_from(["any", "agreeing", "agreeing", "silent"]))
    per_node: dict[int, tuple[int, int]] = {}
    for node in round_["generator"]:
        if node >= 0 and node not in per_node:
            if mood == "agreeing":
                per_node[node] = (0 if draw(st.integers(0, 4)) else 1, draw(_at(32768, ONE)))
            else:
                low = -1 if mood == "any" else -3
                per_node[node] = (max(-1, draw(st.integers(low, seats_G - 1))), draw(probabilities))
    # Candidates are numbered by rank among the answers that were given (law, R4): no gaps.
    ranks = {answer: rank for rank, answer in enumerate(sorted({a for a, _ in per_node.values() if a >= 0}))}
    ranks[-1] = -1
    verdicts: dict[int, tuple[int, list[int], list[int]]] = {}
    for node in round_["discriminator"]:
        if node >= 0 and node not in verdicts:
            shown = draw(st.sampled_from([1, 1, 1, 0] if mood != "silent" else [0, 0, 1]))
            if mood == "agreeing":
                flags = [draw(_at(0, 20000))] + [draw(_at(30000, ONE)) for _ in range(seats_G - 1)]
                evidence = [draw(st.sampled_from([1, 1, 1, 0]))] * seats_G
            else:
                flags = [draw(probabilities) for _ in range(seats_G)]
                evidence = [draw(st.integers(0, 1)) for _ in range(seats_G)]
            verdicts[node] = (shown, flags if shown else [0] * seats_G, evidence if shown else [0] * seats_G)
    empty = (0, [0] * seats_G, [0] * seats_G)
    return {
        **round_,
        "answer": [ranks[per_node[n][0]] if n >= 0 else -1 for n in round_["generator"]],
        "confidence_q16": [per_node[n][1] if n >= 0 and per_node[n][0] >= 0 else 0 for n in round_["generator"]],
        "revealed": [verdicts.get(n, empty)[0] for n in round_["discriminator"]],
        "verdict_q16": [list(verdicts.get(n, empty)[1]) for n in round_["discriminator"]],
        "evidence": [list(verdicts.get(n, empty)[2]) for n in round_["discriminator"]],
    }


def truths(seats_G: int) -> st.SearchStrategy[list[int]]:
    """Which candidates are true: at most one as a rule, any set now and then."""
    one = st.integers(0, seats_G).map(lambda right: [int(j == right) for j in range(seats_G)])
    return st.one_of(one, st.lists(st.integers(0, 1), min_size=seats_G, max_size=seats_G))
