"""The last phase: replay the ledger, score what it holds, write the report and, last of all, the summary."""

import datetime
import json
import platform
import time
from importlib import metadata
from typing import Any

from rich.console import Console
from rich.table import Table

from consensus.files import write_text
from consensus.ledger.replay import replay
from consensus.units import MICRO, Q16

from .. import __version__
from ..report import build_report
from ..report import data as report
from . import story
from .history import gather, name_keys
from .network import IN_FLIGHT, STAKE_POTS, TIP_MICRO
from .play import Company, honest_answers, stakes_before
from .setting import Setting
from .summary import build_summary, compare, describe_nodes, per_question_rows
from .training import Trained

# Whom and what a reader of the report has to trust; SECURITY.md says more.
ASSUMPTIONS = (
    "One sequencer orders the blocks on this machine: it cannot forge a signature or change a past block unnoticed, "
    "but it can leave a transaction out.",
    "Audited truth comes from the author's committed answers and from one auditor key named in block 0; the protocol "
    "is only as honest as they are.",
    "All keys derive from the seed and guard nothing of value.",
    "The knowledge base is believed: poison in it reaches every verdict.",
)


def tell(
    setting: Setting, trained: Trained, company: Company, state_hash: str, seconds: dict[str, float], console: Console
) -> dict[str, Any]:
    """Write questions.jsonl, report.html and summary.json into the run's folder and print the figures."""
    start = time.perf_counter()
    found = replay(setting.folder.ledger)
    history = gather(found.events, setting.questions)
    names = name_keys(company.public, company.cast)
    cheats = {key for key, member in names.items() if not member.is_honest}
    rivals = compare(history, honest_answers(company), cheats)
    before_micro = stakes_before(found.genesis.accounts)
    params = found.genesis.params()
    prior_q8 = int(params.reputation_prior_q8)
    rows = describe_nodes(history, company.cast, company.public, before_micro, prior_q8)
    versions = {name: metadata.version(name) for name in ("jax", "flax", "numpy")}
    summary = build_summary(
        history,
        rivals,
        rows,
        state_hash=state_hash,
        replayed_hash=found.state_hash.hex(),
        transactions=found.transactions,
        seed=setting.seed,
        honest_only=setting.honest_only,
        training_cpu_seconds=round(trained.cpu_seconds, 1),
        versions={"deslm-jax": __version__, "python": platform.python_version(), **versions},
    )
    scores, curves = story.tell_scores(rivals)
    data = report.ReportData(
        title="DeSLM demo",
        made=datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        command=f"deslm demo --seed {setting.seed}" + (" --honest-only" if setting.honest_only else ""),
        scores=scores,
        unknown=report.Unknown(**summary["unknown_subjects"]),
        curves=curves,
        reliabilities=story.tell_calibration(history, names),
        nodes=story.tell_nodes(
            history,
            company.cast,
            company.public,
            before_micro,
            prior_q8,
            [payment for row in found.events for payment in getattr(row, "payments", ())],
        ),
        rounds=story.tell_rounds(history, names, params, company.knowledge),
        audit_rate=summary["audit_rate"],
        seconds=tuple(seconds.items()),
        versions=tuple(summary["versions"].items()),
        settings=(
            ("canary rate", f"{int(params.canary_rate_q16) / Q16:.0%}"),
            ("random audit rate", f"{int(params.random_audit_rate_q16) / Q16:.0%}"),
            ("stake of a node", f"{STAKE_POTS} pots of one task"),
            ("tip", f"{TIP_MICRO / MICRO:g} token"),
            ("tasks in flight", str(IN_FLIGHT)),
        ),
        assumptions=ASSUMPTIONS,
        state_hash=state_hash,
        replayed_hash=summary["replayed_hash"],
        supply_error_micro=summary["supply_error_micro"],
    )
    write_text(setting.folder.root / "report.html", build_report(data))
    write_text(
        setting.folder.root / "questions.jsonl",
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in per_question_rows(rivals)),
    )
    seconds["replay and report"] = round(time.perf_counter() - start, 1)
    summary["seconds"] = seconds
    # Last: a run with a summary is finished.
    write_text(setting.folder.summary, json.dumps(summary, indent=1) + "\n")
    show(summary, setting, console)
    return summary


def show(summary: dict[str, Any], setting: Setting, console: Console) -> None:
    """Print the run's figures."""
    table = Table(title="questions about taught subjects, at equal coverage", title_justify="left")
    for name in ("who decides", "accuracy", "coverage", "wrong accepted"):
        table.add_column(name, justify="left" if name == "who decides" else "right")
    labels = {
        "consensus": "the network",
        "best_node": f"its best node ({summary['best_node_name']})",
        "majority": "majority of the same seats",
        "all_nodes_majority": "majority of all nodes",
    }
    for kind, label in labels.items():
        row = summary[kind]
        table.add_row(label, f"{row['accuracy']:.3f}", f"{row['coverage']:.3f}", str(row["wrong_accepted"]))
    console.print(table)
    unknown = summary["unknown_subjects"]
    console.print(
        f"untaught subjects: of {unknown['asked']} questions it abstained on {unknown['abstained']}, accepted "
        f"{unknown['accepted_right']} right and {unknown['accepted_wrong']} wrong"
    )
    for row in summary["nodes"]:
        if row["behaviour"] != "honest":
            gain = row["stake_after"] - row["stake_before"]
            console.print(f"{row['name']} ({row['behaviour']}): {gain:+,.0f} tokens, {gain / row['stake_before']:+.1%}")
    agree = "equal" if summary["state_hash"] == summary["replayed_hash"] else "DIFFERENT"
    console.print(
        f"{summary['transactions']} signed transactions in {summary['blocks']} blocks; live and replayed state hashes "
        f"are {agree}; supply error {summary['supply_error_micro']} micro-tokens"
    )
    console.print(
        f"open {setting.folder.root}/report.html; check with: deslm verify {setting.folder.root}", soft_wrap=True
    )
