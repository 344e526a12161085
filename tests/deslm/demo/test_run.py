"""The demo's network on stand-in models: what its summary says agrees with the ledger, and nothing gets lost."""

import json
import shutil
import stat

import pytest
from rich.console import Console

from consensus.engine.local import LocalEngine
from consensus.ledger.replay import replay
from consensus.node.driver import Driver
from deslm.cli import main
from deslm.demo.cast import Member
from deslm.demo.history import gather
from deslm.demo.network import make_askers, make_demo_genesis, make_nodes
from deslm.demo.play import play
from deslm.demo.recall import recall
from deslm.errors import UserError
from tests.deslm.demo.small_run import finish, make_company, make_setting


def test_every_question_is_settled_once(played):
    history = gather(replay(played.setting.folder.ledger).events, played.setting.questions)
    assert sorted(task.question.text for task in history.tasks) == sorted(q.text for q in played.setting.questions)


def test_summary_holds_together(played):
    summary = played.summary
    assert summary["state_hash"] == summary["replayed_hash"] == replay(played.setting.folder.ledger).state_hash.hex()
    assert summary["supply_error_micro"] == 0
    assert summary["asked"] == 48
    unknown = summary["unknown_subjects"]
    assert unknown["asked"] == 8 == unknown["abstained"] + unknown["accepted_right"] + unknown["accepted_wrong"]
    for rival in ("majority", "best_node", "all_nodes_majority"):
        assert summary[rival]["coverage"] <= summary["consensus"]["coverage"]
    assert {row["behaviour"] for row in summary["nodes"]} >= {"inflator", "copycat", "flag_everything", "withholder"}
    assert json.loads(played.setting.folder.summary.read_text()) == summary


def test_stakes_add_up_to_what_the_payments_say(played):
    found = replay(played.setting.folder.ledger)
    keys = played.company.public
    paid = dict.fromkeys(keys.values(), 0)
    for row in found.events:
        for payment in getattr(row, "payments", ()):
            paid[payment.key] += payment.amount_micro
    for row in played.summary["nodes"]:
        gain_micro = round((row["stake_after"] - row["stake_before"]) * 1e6)
        assert gain_micro == paid[keys[row["name"]]], row["name"]


def test_report_is_written_and_names_every_node(played):
    page = (played.setting.folder.root / "report.html").read_text()
    assert all(row["name"] in page for row in played.summary["nodes"])
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_questions_file_agrees_with_the_summary(played):
    rows = [json.loads(line) for line in (played.setting.folder.root / "questions.jsonl").read_text().splitlines()]
    assert len(rows) == 40
    for kind in ("consensus", "majority", "best_node"):
        accepted = [row[kind] for row in rows if row[kind]["accepted"]]
        assert sum(not row["right"] for row in accepted) == played.summary[kind]["wrong_accepted"]


def test_keys_are_private(played):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in played.setting.folder.keys.iterdir()}
    assert modes == {0o600}


def test_same_seed_same_ledger(played, tmp_path):
    setting = make_setting(tmp_path / "again")
    assert finish(setting, make_company(setting)).summary["state_hash"] == played.summary["state_hash"]


def test_a_stopped_network_goes_on_and_settles_everything(played, tmp_path):
    setting = make_setting(tmp_path / "run")
    company = make_company(setting)
    setting.folder.ledger.mkdir()
    genesis = make_demo_genesis(setting.seed, company.cast, company.keys)
    with LocalEngine.create(setting.folder.ledger, genesis, company.keys["sequencer"]) as engine:
        nodes = make_nodes(company.cast, company.keys, company.roles, company.guesses)
        nodes += make_askers(company.keys, setting.questions, setting.truths().get)
        driver = Driver(engine, nodes)
        for _ in range(11):
            driver.step()
    # Everything in memory is gone now: new nodes find in the ledger what they had begun.
    again = finish(setting, make_company(setting))
    assert "going on with the ledger at block 11" in again.printed
    assert again.summary["asked"] == 48
    assert again.summary["state_hash"] == again.summary["replayed_hash"] == played.summary["state_hash"]


def test_a_finished_run_is_set_aside_and_played_anew(played, tmp_path):
    root = tmp_path / "run"
    shutil.copytree(played.setting.folder.root, root)
    setting = make_setting(root)
    state_hash = play(setting, make_company(setting), Console(quiet=True))
    assert state_hash == played.summary["state_hash"]
    assert replay(root / "ledger.previous").state_hash.hex() == state_hash


def test_another_seed_in_the_same_folder_is_refused(played):
    with pytest.raises(UserError, match="other seed"):
        make_setting(played.setting.folder.root, "--seed", "1")


def test_a_folder_where_nothing_was_made_yet_takes_other_options(tmp_path):
    make_setting(tmp_path / "run")
    assert make_setting(tmp_path / "run", "--seed", "1").seed == 1


def test_verify_says_yes_and_no(played, tmp_path, capsys):
    root = tmp_path / "run"
    shutil.copytree(played.setting.folder.root, root)
    assert main(["verify", str(root)]) == 0
    assert "the summary's state hash is the same" in capsys.readouterr().out
    summary = json.loads((root / "summary.json").read_text())
    (root / "summary.json").write_text(json.dumps(summary | {"state_hash": "00" * 32}))
    assert main(["verify", str(root)]) == 1
    (root / "summary.json").write_text("{")
    assert main(["verify", str(root)]) == 2
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
    assert "there is no ledger" in capsys.readouterr().err


def test_a_run_whose_facts_were_changed_answers_nothing_more(played, tmp_path):
    root = tmp_path / "run"
    shutil.copytree(played.setting.folder.root, root)
    options = json.loads((root / "run.json").read_text())
    changed = tmp_path / "facts.tsv"
    changed.write_text("subject\trelation\tobject\nPeru\tcapital\tLima\n")
    (root / "run.json").write_text(json.dumps(options | {"facts": str(changed)}))
    with pytest.raises(UserError, match=r"facts\.tsv is not what it was"):
        recall(root)


def test_honest_only_has_no_cheats(tmp_path):
    setting = make_setting(tmp_path / "run", "--honest-only")
    cast = setting.cast(["a"], ["v"])
    assert len(cast) == 16
    assert all(isinstance(member, Member) and member.is_honest for member in cast)
