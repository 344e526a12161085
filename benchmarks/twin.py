"""The demo's network and its simulated twin: do agents driven by measured profiles end where the real models ended?

    python -m benchmarks.twin runs/seeds/seed-0 runs/seeds/seed-1 runs/seeds/seed-2 --out twin.json

For each finished run: measure a profile of its models, give it to the simulator with the run's own cast, stakes, purse
and canary plan, and play that network with many seeds. A figure of the run is one draw; the twin's seeds say how far
from their mean one draw falls (z). Over several runs z is of the sum, and p is the chance that the twins' sum is as far
out: what counts where a figure is no bell curve, such as the gain of a node that is jailed in most runs but not in all.
A profile is made of rates over all that was revealed; what a run accepted, which is compared here, plays no part in it.
Then the runs' real answers are settled once more under other parameters (`settle_recorded`).
"""

import argparse
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.kept import check_target, write_figures
from consensus import settle_recorded, sweep
from consensus.ledger import events
from consensus.ledger.genesis import first_state
from consensus.ledger.recording import record
from consensus.presets import q16
from consensus.simulator.ending import Ending
from consensus.simulator.loops import map_leaves
from consensus.simulator.measuring import Seen, measure
from consensus.simulator.metrics import Metrics
from consensus.simulator.networks import Group, get_pot_micro, make_network
from consensus.simulator.profiles import make_kinds, make_models
from consensus.simulator.setting import Setting, Static
from consensus.units import Q16
from deslm.demo.cast import Member
from deslm.demo.network import IN_FLIGHT, TIP_MICRO
from deslm.demo.observe import TAUGHT, Observed, observe, see
from deslm.demo.setting import CANARIES, Folder
from deslm.demo.summary import normalise
from deslm.errors import UserError

POLICIES = {"inflator": "inflator", "copycat": "copycat", "flag_everything": "flag-all", "withholder": "silent"}
STATED = {"copycat": 2}  # the dial that says how sure it is
OTHER_LAWS = {
    "as it was": {},
    "theta0 .90": {"theta0_q16": q16(0.90)},
    "theta0 .97": {"theta0_q16": q16(0.97)},
    "beta starts at 1": {"beta_start_q16": Q16},
    "kappa 0": {"kappa_q12_K": 0},
    "no audits beyond canaries at .05": {"random_audit_rate_q16": 0},
}
SUMS = 20_000  # drawn from the twins' seeds to find p
Figures = dict[str, float]


class Twin(NamedTuple):
    """A run, and the network that imitates it."""

    observed: Observed
    seen: Seen
    static: Static
    setting: Setting
    groups: tuple[str, ...]
    kinds: tuple[str, ...]


def main() -> None:
    """Measure, simulate, compare; print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished demo")
    parser.add_argument("--seeds", type=int, default=200, help="of every twin (default: 200)")
    parser.add_argument("--out", type=Path, default=Path("twin.json"))
    args = parser.parse_args()
    check_target(parser, args.out)
    if args.seeds < 2:
        parser.error(f"{args.seeds} seeds have no deviation: choose 2 or more")
    try:
        twins = [make_twin(observe(run)) for run in args.runs]
    except (UserError, ValueError) as error:
        parser.error(str(error))
    if len({(twin.static, len(twin.seen.questions)) for twin in twins}) > 1:
        parser.error("these runs differ in nodes, seats or questions: compare each alone")
    real = [count_real(twin) for twin in twins]
    simulated = play_twins(twins, args.seeds)
    rows = compare(real, simulated)
    laws = [settle_again(run, twin) for run, twin in zip(args.runs, twins, strict=True)]
    result = {"runs": len(twins), "seeds": args.seeds, "figures": rows, "other_laws": laws}
    write_figures(args.out, result)
    print(tell(rows))
    print(tell_laws(laws))


def make_twin(observed: Observed) -> Twin:
    """The network of profile-driven agents that has this run's cast, money and canaries."""
    seen = see(observed)
    profile = measure(seen)
    law, genesis = observed.genesis.params(), observed.genesis
    # A run from before R10 asked for it may unbond sooner than a jail ends; nobody unbonds in the simulation.
    law = law._replace(unbonding_blocks=np.maximum(law.unbonding_blocks, law.jail_blocks + 1))
    pot_micro = get_pot_micro(law, TIP_MICRO)
    bonded = {account.name: account.bonded_micro for account in genesis.accounts}
    by_group: dict[str, list[Any]] = {}
    for member in observed.cast.values():
        by_group.setdefault(f"{member.behaviour} {member.role}" if member.is_honest else member.name, []).append(member)
    groups = [
        Group(
            name,
            len(members),
            members[0].role,
            POLICIES.get(members[0].behaviour, "honest"),
            stake_pots=bonded[members[0].name] / pot_micro,
            dials=find_dials(members[0], seen),
        )
        for name, members in sorted(by_group.items())
    ]
    canary = [question.is_canary for question in seen.questions]
    lead = 2 * CANARIES.lead
    kinds = make_kinds(profile)
    static, setting = make_network(
        law,
        groups,
        kinds,
        make_models(profile),
        tip_micro=TIP_MICRO,
        tasks=1,
        lag=IN_FLIGHT,
        lead_rounds=lead,
        lead_canary=sum(canary[:lead]) / lead,
        later_canary=sum(canary[lead:]) / max(len(canary) - lead, 1),
    )
    network, _ = first_state(genesis)
    conduct = setting.conduct._replace(
        treasury_micro=network.treasury_micro, purse_micro=network.purse_micro, base_fee_micro=network.base_fee_micro
    )
    names = tuple(group.name for group in groups), tuple(kind.name for kind in kinds)
    return Twin(observed, seen, static, setting._replace(conduct=conduct), *names)


def find_dials(member: Member, seen: Seen) -> tuple[int, ...]:
    """What a policy must be told to behave like this node of the run."""
    if member.behaviour not in STATED:
        return ()
    stated = [one.probability for one in seen.answers if one.node == member.name] or [0.0]
    return (0,) * STATED[member.behaviour] + (q16(float(np.mean(stated))),)


def count_real(twin: Twin) -> Figures:
    """The run's own figures, from its ledger. Gains are in pots a node, counts are of questions."""
    observed, kind_of = twin.observed, {question.text: question.kind for question in twin.seen.questions}
    found: Figures = {}
    settled = [e for e in observed.ledger.events if isinstance(e, events.Settled) and e.prompt in kind_of]
    for kind in twin.kinds:
        tasks = [event for event in settled if kind_of[event.prompt] == kind]
        accepted = [event for event in tasks if event.accepted >= 0]
        truths = [observed.truths(event.prompt) or ("",) for event in accepted]
        said = [normalise(event.accepted_text) for event in accepted]
        wrong = sum(text != normalise(truth) for text, (truth,) in zip(said, truths, strict=True))
        found[f"{kind}: accepted right"] = (len(accepted) - wrong) / len(tasks)
        found[f"{kind}: accepted wrong"] = wrong / len(tasks)
        found[f"{kind}: abstained"] = 1 - len(accepted) / len(tasks)
    found["audited"] = float(np.mean([event.audit != "none" for event in settled]))
    found["mean disagreement d"] = float(np.mean([event.difficulty_q16 for event in settled])) / Q16
    last = next(e for e in reversed(observed.ledger.events) if isinstance(e, events.BlockEnded))
    stake = {line.key: line.stake_micro for line in last.nodes}
    pot_micro = get_pot_micro(observed.genesis.params(), TIP_MICRO)
    gains: dict[str, list[float]] = {name: [] for name in twin.groups}
    for account in observed.genesis.accounts:
        member = observed.cast.get(account.key)
        if member is not None:
            group = f"{member.behaviour} {member.role}" if member.is_honest else member.name
            gains[group].append((stake[account.key] - account.bonded_micro - account.liquid_micro) / pot_micro)
    return found | {f"gain: {name}": float(np.mean(row)) for name, row in gains.items()}


def play_twins(twins: list[Twin], seeds: int) -> list[dict[str, np.ndarray]]:
    """Each twin's figures by seed. Twins of one size are one sweep."""
    stacked = map_leaves(lambda *leaves: np.stack(leaves), *(twin.setting for twin in twins))
    rounds = len(twins[0].seen.questions) + twins[0].static.lag
    swept = sweep(twins[0].static, stacked, seeds=range(seeds), rounds=rounds)
    return [count_simulated(twin, map_leaves(lambda leaf, i=i: leaf[i], swept)) for i, twin in enumerate(twins)]


def count_simulated(twin: Twin, swept: Any) -> dict[str, np.ndarray]:
    """The figures of `count_real`, one entry a seed."""
    m = Metrics(*(leaf.astype(float) for leaf in swept.metrics))
    e = Ending(*(leaf.astype(float) for leaf in swept.ending))
    found = {}
    for k, kind in enumerate(twin.kinds):
        asked = np.maximum(m.asked_K[:, k], 1)
        found[f"{kind}: accepted right"] = m.right_K[:, k] / asked
        found[f"{kind}: accepted wrong"] = m.wrong_K[:, k] / asked
        found[f"{kind}: abstained"] = 1 - (m.right_K + m.wrong_K)[:, k] / asked
    tasks = m.asked_K.sum(axis=1)
    found["audited"] = m.audited / tasks
    found["mean disagreement d"] = m.difficulty_q16_sum / tasks / Q16
    pot_micro = get_pot_micro(twin.setting.law, TIP_MICRO)
    for label, name in enumerate(twin.groups, start=1):
        found[f"gain: {name}"] = e.gain_micro_O[:, label] / e.nodes_O[:, label] / pot_micro
    return found


def compare(real: list[Figures], simulated: list[dict[str, np.ndarray]]) -> list[dict[str, Any]]:
    """One row a figure: the runs' values, the twins' mean and deviation of one run, z of each run, z and p of all."""
    chance = np.random.default_rng(0)
    rows = []
    for name in real[0]:
        values = np.array([figures[name] for figures in real])
        means = np.array([figures[name].mean() for figures in simulated])
        deviations = np.array([figures[name].std(ddof=1) for figures in simulated])
        noise = sqrt(float(np.sum(deviations**2)))
        sums = np.sum([chance.choice(figures[name], SUMS) for figures in simulated], axis=0) - values.sum()
        tail = min(np.mean(sums >= -1e-9), np.mean(sums <= 1e-9))
        rows.append(
            {
                "figure": name,
                "real": values.round(4).tolist(),
                "twin": means.round(4).tolist(),
                "deviation": deviations.round(4).tolist(),
                "z": (np.round((values - means) / np.maximum(deviations, 1e-9), 2)).tolist(),
                "z_all": round(float(np.sum(values - means)) / max(noise, 1e-9), 2),
                "p_all": round(min(2 * float(tail), 1.0), 3),
            }
        )
    return rows


def settle_again(run: Path, twin: Twin) -> list[dict[str, Any]]:
    """The run's real answers and verdicts under other laws."""
    recorded = record(Folder(run).ledger, twin.observed.truths).recorded
    law, rows = recorded.params, []
    taught = {question.text for question in twin.seen.questions if question.kind == TAUGHT}
    opened = [event for event in twin.observed.ledger.events if isinstance(event, events.TaskOpened)]
    is_taught_T = np.array([event.prompt in taught for event in opened])
    honest = {account.key for account in twin.observed.genesis.accounts if account.key in twin.observed.cast}
    is_honest_N = np.array(
        [
            account.key in honest and twin.observed.cast[account.key].is_honest
            for account in twin.observed.genesis.accounts
        ]
    )
    is_cheat_N = np.array([account.key in honest for account in twin.observed.genesis.accounts]) & ~is_honest_N
    for name, leaves in OTHER_LAWS.items():
        changed = law._replace(**{leaf: getattr(law, leaf) * 0 + value for leaf, value in leaves.items()})
        settled = settle_recorded(changed, recorded)
        gain_micro_N = settled.moved_micro_TN.sum(axis=0)
        pot_micro = get_pot_micro(law, TIP_MICRO)
        rows.append(
            {
                "law": name,
                "coverage": round(float(np.mean(settled.accepted_T[is_taught_T] >= 0)), 4),
                "wrong": int(np.sum(settled.is_right_T == 0)),
                "untaught_accepted": int(np.sum(settled.accepted_T[~is_taught_T] >= 0)),
                "honest_pots": round(float(gain_micro_N[is_honest_N].mean()) / pot_micro, 2),
                "cheats_pots": round(float(gain_micro_N[is_cheat_N].mean()) / pot_micro, 2) if is_cheat_N.any() else 0,
            }
        )
    return rows


def tell(rows: list[dict[str, Any]]) -> str:
    """The comparison as a Markdown table."""
    names = ("figure", "real", "twin", "deviation of one run", "z of each run", "z of all", "p of all")
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    show = lambda values: ", ".join(f"{value:.3g}" for value in values)
    for row in rows:
        cells = [show(row[name]) for name in ("real", "twin", "deviation", "z")]
        lines.append(f"| {row['figure']} | {' | '.join(cells)} | {row['z_all']:+.2f} | {row['p_all']:.2f} |")
    return "\n".join(lines)


def tell_laws(laws: list[list[dict[str, Any]]]) -> str:
    """The other laws as a Markdown table, a value a run."""
    names = {
        "coverage": "coverage, taught",
        "wrong": "accepted wrong",
        "untaught_accepted": "untaught accepted",
        "honest_pots": "honest gain, pots",
        "cheats_pots": "cheats' gain, pots",
    }
    lines = [f"| law | {' | '.join(names.values())} |", "|---" * (len(names) + 1) + "|"]
    for rows in zip(*laws, strict=True):
        cells = [", ".join(f"{row[name]:.3g}" for row in rows) for name in names]
        lines.append(f"| {rows[0]['law']} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
