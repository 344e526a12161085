"""What the law does to honest and dishonest nodes: synthetic agents with the skill of small models, played through it.

    python -m benchmarks.protocol_economy                     # the demo's network, 200 seeds: about a CPU-minute
    python -m benchmarks.protocol_economy --table networks    # other dishonest nodes, honest only, weaker models
    python -m benchmarks.protocol_economy --table ablations   # what each rule carries
    python -m benchmarks.protocol_economy --table reference --seeds 20   # 8 % audits over 3,000 tasks
    python -m benchmarks.protocol_economy --numpy --seeds 10  # the ledger's NumPy path; the same bits

Agents are written down before the run (`economy/world.py`), the law answers (`economy/play.py`), and the lines that a
demo run must meet are checked over all seeds (`economy/measure.py`). One row a setting, means over seeds; gains are in
pots (mean, and the best a node of that kind did in any run).
"""

import argparse

import numpy as np

from benchmarks.economy import measure, play, world
from consensus import presets
from consensus.presets import q16
from consensus.state import Params

SEATS = (presets.GENERATOR_SEATS, presets.DISCRIMINATOR_SEATS)
DEMO = world.Agents()
BATCH = 50
REFERENCE_PLAN = world.Plan(
    taught=2_250, untaught=750, canaries=150, canaries_unanswerable=0.25, early_canaries=0, early_tasks=0, in_flight=2
)


def with_leaves(params: Params, **leaves: int | list) -> Params:
    """The parameters with some leaves replaced by plain numbers."""
    return params._replace(**{name: np.asarray(value, dtype=np.int64) for name, value in leaves.items()})


def list_networks() -> dict[str, tuple[world.Agents, Params]]:
    """Networks that differ from the demo in who takes part or in how good the models are."""
    params = presets.demo()
    honest = ("honest",) * 6
    cast = lambda g, d: DEMO._replace(generators=honest + g, discriminators=honest + d)
    return {
        "demo": (DEMO, params),
        "honest only": (cast(("honest",) * 2, ("honest",) * 2), params),
        "shy garbage, long con; lazy, approve-all": (cast(("shy", "long-con"), ("lazy", "approve-all")), params),
        "inflator, copycat; lazy, long con": (cast(("inflator", "copycat"), ("lazy", "long-con")), params),
        "generators .65 on what they were taught": (DEMO._replace(generator_accuracy=0.65), params),
        "generators .80": (DEMO._replace(generator_accuracy=0.80), params),
        "verifiers .97 instead of .95": (DEMO._replace(verifier_separation=3.8), params),
        "wrong answers that cluster, theta0 .80": (DEMO._replace(lure=0.9), params),
        "wrong answers that cluster, theta0 .97": (DEMO._replace(lure=0.9), with_leaves(params, theta0_q16=q16(0.97))),
        "reference rho (.3, .5)": (DEMO, params._replace(rho_q16_KR=presets.reference().rho_q16_KR)),
    }


def list_reference() -> dict[str, tuple[world.Agents, Params]]:
    """The reference parameters, audits at 8 %, with the demo's cast and with another."""
    other = DEMO._replace(
        generators=("honest",) * 6 + ("shy", "long-con"), discriminators=("honest",) * 6 + ("lazy", "long-con")
    )
    return {"the demo's cast": (DEMO, presets.reference()), "shy, long con; lazy": (other, presets.reference())}


def list_ablations() -> dict[str, tuple[world.Agents, Params]]:
    """The demo's network under a law with one piece taken out."""
    params = presets.demo()
    pieces: dict[str, dict[str, int | list]] = {
        "the law": {},
        "beta fixed at 1": {"beta_start_q16": 65536, "beta_rate_shift": 40},
        "beta fixed at 1/2": {"beta_rate_shift": 40},
        "no difficulty in tau": {"difficulty_slope_q12": 0},
        "no kappa": {"kappa_q12_K": [0, 0, 0, 0]},
        "no false-flag term (t = 1)": {"false_flag_threshold_q16": 65536},
        "no CUSUM": {"cusum_limit_q16": 1 << 40},
        "no reputation (f = 1)": {"reputation_floor_q16": 65536},
        "wagers a tenth": {"wager_fees_R": [1, 6]},
    }
    return {name: (DEMO, with_leaves(params, **leaves)) for name, leaves in pieces.items()}


def run(
    agents: world.Agents,
    params: Params,
    plan: world.Plan,
    seeds: int,
    stake_pots: float,
    purse_pots: int,
    use_numpy: bool,
) -> list[measure.Result]:
    """The figures of every seed."""
    state = play.start(params, len(agents.generators), len(agents.discriminators), stake_pots, purse_pots)
    stake_micro, pot_micro = int(state[1].bonded_micro_N[1]), play.get_pot_micro(params)
    results = []
    for first in range(0, seeds, BATCH):  # a run's agents and dice are 2 MB
        batch = range(first, min(first + BATCH, seeds))
        runs = [world.draw_tasks(agents, plan, SEATS, seed) for seed in batch]
        if use_numpy:
            logs = [play.play_numpy(params, state, tasks, plan.in_flight) for tasks in runs]
        else:
            logs = play.play_jax(params, state, runs, plan.in_flight)
        results += [measure.measure(agents, t, log, stake_micro, pot_micro) for t, log in zip(runs, logs, strict=True)]
    return results


def describe(name: str, agents: world.Agents, results: list[measure.Result]) -> str:
    """One setting's figures in a few lines."""
    mean = lambda field: float(np.mean([getattr(r, field) for r in results]))
    met = [measure.lines_met(agents, r) for r in results]
    shares = {line: float(np.mean([m[line] for m in met])) for line in met[0]}
    gain_SN = np.array([r.gain_N for r in results])
    cast = [f"G {b}" for b in agents.generators] + [f"D {b}" for b in agents.discriminators]
    gains = []
    for who in dict.fromkeys(cast):
        own = gain_SN[:, [i for i, c in enumerate(cast) if c == who]]
        gains.append(f"{who} {own.mean():+.1f} ({own.min():+.1f} to {own.max():+.1f})")
    broken = [f"{line} {share:.3f}" for line, share in shares.items() if share < 1]
    return "\n".join(
        [
            f"{name}",
            f"  every line met in {np.mean([all(m.values()) for m in met]):.3f} of runs"
            + (f"; not always: {', '.join(broken)}" if broken else ""),
            f"  coverage {mean('coverage'):.3f} (first 100 {mean('early_coverage'):.2f}), wrong {mean('wrong'):.2f},"
            f" best node {mean('best_node_wrong'):.1f}, plurality {mean('plurality_wrong'):.1f};"
            f" untaught wrong {100 * mean('untaught_wrong'):.2f} %; audited {mean('audit_rate'):.3f};"
            f" worst honest loss {100 * max(r.honest_loss for r in results):.2f} %;"
            f" smallest wager {min(r.smallest_wager for r in results):.2f}; b {mean('base_rate'):.2f}",
            f"  gains in pots: {', '.join(gains)}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=("demo", "networks", "ablations", "reference"), default="demo")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--stake-pots", type=float, default=600)
    parser.add_argument("--purse-pots", type=int, default=160, help="8 for each task in flight, and some to spare")
    parser.add_argument("--numpy", action="store_true", help="play on NumPy, one run after the other (2 s a run)")
    arguments = parser.parse_args()
    tables = {
        "demo": lambda: {"demo": (DEMO, presets.demo())},
        "networks": list_networks,
        "ablations": list_ablations,
        "reference": list_reference,
    }
    plan = REFERENCE_PLAN if arguments.table == "reference" else world.Plan()
    pots = arguments.stake_pots, arguments.purse_pots
    for name, (agents, params) in tables[arguments.table]().items():
        results = run(agents, params, plan, arguments.seeds, *pots, arguments.numpy)
        print(describe(name, agents, results), flush=True)


if __name__ == "__main__":
    main()
